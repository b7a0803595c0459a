"""The locked library: every ready question with its code, version, status and source. It knows no draft.

Invariant: a national item is chosen and ordered, never worded here; a new wording of it is a new version.
"""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from fleet_server.questions.items import newest, shipped

NATIONAL = ("verbatim", "reconstructed")


@dataclass(frozen=True)
class Item:
    """One ready question. `text`, `labels`, `status` and `source` are by language; `sector`: health, social or ''."""

    code: str
    version: int
    type: str
    text: dict[str, str]
    labels: dict[str, list[str]]
    status: dict[str, str]
    source: dict[str, str]
    sector: str

    @property
    def national(self) -> bool:
        """Whether any of its wordings is a national one; otherwise it is ours, and its copies may be reworded."""
        return any(status in NATIONAL for status in self.status.values())

    def question(self) -> dict[str, Any]:
        """The item as a question of a draft; a national one says which item it is, and is locked by that."""
        made: dict[str, Any] = {
            "code": self.code,
            "type": self.type,
            "text": dict(self.text),
            "status": dict(self.status),
            "source": dict(self.source),
        }
        if self.labels:
            made["labels"] = {language: list(labels) for language, labels in self.labels.items()}
        if self.national:
            made |= {"item": self.code, "item_version": self.version}
        return made


def items(session: Session) -> list[Item]:
    """Every item in its newest version: those that came with the program, then what was loaded beside them."""
    return list(by_code(session).values())


def by_code(session: Session) -> dict[str, Item]:
    """The same by code."""
    return {code: _item(item) for code, item in newest(session).items()}


def shipped_by_code() -> dict[str, Item]:
    """Those alone that came with the program."""
    return {code: _item(item) for code, item in shipped().items()}


def usual_labels(kind: str) -> dict[str, list[str]]:
    """The labels that a question of this type gets when it is made: those of the first one that came with us."""
    found = next((item.labels for item in shipped_by_code().values() if item.type == kind != "choice"), {})
    return {language: list(labels) for language, labels in found.items()}


def _item(item: dict[str, Any]) -> Item:
    by_language = {
        key: {language: entry[key] for language, entry in item["text"].items()}
        for key in ("text", "status", "source")
    }
    return Item(
        code=item["code"],
        version=item["version"],
        type=item["type"],
        labels=item.get("labels") or {},
        sector=item.get("sector", _sector(item["code"])),
        **by_language,
    )


def _sector(code: str) -> str:
    """Items that are worded for one of the two services say so at the end of their codes."""
    return {"H": "health", "S": "social"}.get(code.rpartition("-")[2] if "-" in code else "", "")

"""Takes a file of national items (THL's, or any in the shape of data/items.json) into the library.

It changes no question set and no draft. Invariants: with any fault nothing is loaded and every fault is listed; an
item whose content is another gets the next version, the same file again changes nothing.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from fleet_server.accounts import audit
from fleet_server.questions import items
from fleet_server.questions.models import NationalItem
from fleet_server.questions.schema import MAX_LABEL_CHARACTERS, MAX_TEXT_CHARACTERS
from fleet_server.questions.types import LANGUAGES, OPTIONS, TYPES, QuestionType
from fleet_server.refusals import shown

MOST_ITEMS = 500  # a national file has some dozens; more is another kind of file
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,19}")
STATUSES = ("verbatim", "reconstructed", "own")
SECTORS = ("health", "social", "")
_FILE_KEYS = {"about", "cant_say", "items"}
_ITEM_KEYS = {"code", "type", "theme", "sector", "text", "labels", "label_status", "version"}
_TEXT_KEYS = ("text", "status", "source")


class LoadRefused(ValueError):
    """Nothing was loaded; `faults` says everything that has to be put right in the file."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("nothing was loaded:\n  " + "\n  ".join(faults))


@dataclass
class Loaded:
    """What a file did: {code: version} of items that are new or changed, and codes that were there already."""

    new: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    same: list[str] = field(default_factory=list)


def load(session: Session, data: bytes | str, *, source: str, actor: str = "fleet", now: int) -> Loaded:
    """Load a file's items. Raises LoadRefused with every fault."""
    entries = _read(data)
    known = items.newest(session)
    done = Loaded()
    for entry in entries:
        there = known.get(entry["code"])
        if there is not None and {key: value for key, value in there.items() if key != "version"} == entry:
            done.same.append(entry["code"])
            continue
        version = there["version"] + 1 if there is not None else items.FIRST_VERSION
        (done.new if there is None else done.changed)[entry["code"]] = version
        session.add(
            NationalItem(
                code=entry["code"],
                version=version,
                body=json.dumps(entry, ensure_ascii=False, sort_keys=True),
                source=source[:200],
                loaded_at=now,
                loaded_by=actor,
            )
        )
    if done.new or done.changed:
        after = {"file": source, "items": done.new | done.changed}
        audit.record(session, actor, "load national items", "library", "items", after=after, now=now)
    session.flush()
    return done


def _read(data: bytes | str) -> list[dict[str, Any]]:
    try:
        file = json.loads(data)
        json.dumps(file, ensure_ascii=False).encode()  # no half of a character, which no database takes
    except (ValueError, RecursionError) as error:
        raise LoadRefused([f"this is no JSON in UTF-8: {error}"]) from None
    if not isinstance(file, dict) or not isinstance(file.get("items"), list):
        raise LoadRefused(["the file must be a JSON object with a list `items`, see docs/operations.md"])
    faults = [f"the file has {key!r}, which is unknown" for key in sorted(file.keys() - _FILE_KEYS)]
    entries = file["items"]
    if not 1 <= len(entries) <= MOST_ITEMS:
        faults.append(f"the file has {len(entries)} items, must have 1 to {MOST_ITEMS}")
    codes: set[str] = set()
    for position, entry in enumerate(entries[:MOST_ITEMS], 1):
        code = entry.get("code") if isinstance(entry, dict) else None
        if not isinstance(code, str) or not CODE.fullmatch(code):
            text = "must have 1 to 20 letters, digits, - or _"
            faults.append(f"item {position}: code is {shown(repr(code))}, {text}")
            continue
        if code in codes:
            faults.append(f"item {position}: code {code!r} stands twice")
        codes.add(code)
        faults += [f"item {code}: {fault}" for fault in _item_faults(entry)]
    if faults:
        raise LoadRefused(faults)
    # A file's own count of versions is of its own history; the library counts what it was given.
    return [{key: value for key, value in entry.items() if key != "version"} for entry in entries]


def _item_faults(item: dict[str, Any]) -> list[str]:
    faults = [f"{key!r} is unknown" for key in sorted(item.keys() - _ITEM_KEYS)]
    kind = TYPES.get(str(item.get("type")))
    if kind is None:
        faults.append(f"type is {shown(repr(item.get('type')))}, must be one of {', '.join(TYPES)}")
    if item.get("sector", "") not in SECTORS:
        faults.append(f"sector is {shown(repr(item['sector']))}, must be health, social or left out")
    texts = item.get("text")
    if not isinstance(texts, dict) or not texts:
        return [*faults, f"text is {shown(repr(texts))}, must hold one entry per language"]
    for language, entry in texts.items():
        faults += _text_faults(language, entry)
    if kind is not None:
        faults += _label_faults(item.get("labels"), kind, list(texts))
    return faults


def _text_faults(language: str, entry: Any) -> list[str]:
    if language not in LANGUAGES:
        return [f"language {language!r} is unknown, must be one of {', '.join(LANGUAGES)}"]
    if not isinstance(entry, dict) or entry.keys() != set(_TEXT_KEYS):
        return [f"text in {language} must have exactly {', '.join(_TEXT_KEYS)}"]
    faults = [
        f"{key} in {language} is {shown(repr(entry[key]))}, must be a text of at most {MAX_TEXT_CHARACTERS} characters"
        for key in _TEXT_KEYS
        if not isinstance(entry[key], str) or not entry[key].strip() or len(entry[key]) > MAX_TEXT_CHARACTERS
    ]
    if entry["status"] not in STATUSES:
        faults.append(
            f"status in {language} is {shown(repr(entry['status']))}, must be one of {', '.join(STATUSES)}"
        )
    return faults


def _label_faults(labels: Any, kind: QuestionType, languages: list[str]) -> list[str]:
    if kind.labels == 0:
        return [] if labels in (None, {}) else [f"has labels, but {kind.name} has none"]
    if not isinstance(labels, dict) or set(labels) != set(languages):
        has = sorted(labels) if isinstance(labels, dict) else labels
        return [
            f"labels are in {shown(repr(has))}, must be in the languages of the text: {', '.join(languages)}"
        ]
    faults = []
    counts = OPTIONS if kind.labels is None else range(kind.labels, kind.labels + 1)
    wanted = f"{counts.start} to {counts.stop - 1}" if len(counts) > 1 else f"{counts.start}"
    for language, row in labels.items():
        if not isinstance(row, list) or len(row) not in counts:
            count = len(row) if isinstance(row, list) else 0
            faults.append(f"has {count} labels in {language}, {kind.name} needs {wanted}")
            continue
        faults += [
            f"label {shown(repr(label))} in {language} must be 1 to {MAX_LABEL_CHARACTERS} characters"
            for label in row
            if not isinstance(label, str) or not label.strip() or len(label) > MAX_LABEL_CHARACTERS
        ]
    if len({len(row) for row in labels.values() if isinstance(row, list)}) > 1:
        faults.append("has not as many labels in each language")
    return faults

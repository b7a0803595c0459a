"""The ready questions of every version: those that came with the program, and what was loaded since.

It knows no draft. Invariant: a code and a version name one wording for ever; the newest version is the one to choose.
"""

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

from sqlmodel import Session, col, select

from fleet_server.questions.models import NationalItem

FIRST_VERSION = 1


def shipped() -> dict[str, dict[str, Any]]:
    """{code: item} as in data/items.json, each with its version, in the order of the file."""
    return {code: item.copy() for code, item in _shipped().items()}


def newest(session: Session) -> dict[str, dict[str, Any]]:
    """{code: item} in the newest version; items that only a loaded file has come last."""
    found = shipped()
    for row in session.exec(select(NationalItem).order_by(col(NationalItem.code), col(NationalItem.version))):
        if row.version >= found.get(row.code, {}).get("version", 0):
            found[row.code] = json.loads(row.body) | {"version": row.version}
    return found


@lru_cache(maxsize=1)
def _shipped() -> dict[str, dict[str, Any]]:
    path = files("fleet_server.questions").joinpath("data", "items.json")
    items = json.loads(path.read_text("utf-8"))["items"]
    return {item["code"]: {"version": FIRST_VERSION} | item for item in items}

"""What a new draft says: nothing yet, or what a published set says. It knows no draft's row and writes nothing.

Invariant: what it gives can be edited; a set that somebody damaged in the database begins no draft.
"""

import json
from collections.abc import Mapping
from typing import Any

from fleet_server.drafts.fields import CODE
from fleet_server.drafts.library import Item
from fleet_server.drafts.ops import Body
from fleet_server.questions.flows import KINDS
from fleet_server.questions.models import QuestionSet
from fleet_server.questions.service import is_intact
from fleet_server.refusals import N_, Refused

_BY_LANGUAGE = ("text", "labels", "status", "source")


def empty() -> Body:
    """A draft in which nothing is asked."""
    languages = ["fi", "sv", "en"]
    return {
        "version": "1.0",
        "languages": languages,
        "questions": [],
        "thanks": {},
        "idle_s": 20,
        "button": None,
    }


def copied(row: QuestionSet, library: Mapping[str, Item], *, next_version: bool) -> Body:
    """A published set as a draft's body: without its number, its national items marked as such. Raises Refused."""
    source = _readable(row)
    made: Body = {"idle_s": 20, "button": None, "thanks": {}} | source
    made.pop("number", None)
    made["questions"] = [_marked({"text": {}} | question, library) for question in made["questions"]]
    if "flows" in made:
        made["flows"] = sorted(made["flows"], key=lambda flow: KINDS.index(flow["kind"]))
    if next_version:
        made["version"] = _after(str(made.get("version", "")))
    return made


def _readable(row: QuestionSet) -> Body:
    """The body of a set, if it can be edited here: a row may have been altered by hand."""
    try:
        source = json.loads(row.body)
        kinds = [flow["kind"] for flow in source.get("flows", [])]
        whole = (
            all(CODE.fullmatch(question["code"]) for question in source["questions"])
            and all(
                isinstance(question.get(key, {}), dict)
                for question in source["questions"]
                for key in _BY_LANGUAGE
            )
            and isinstance(source.get("thanks", {}), dict)
            and isinstance(source.get("words", {}), dict)
            and all(isinstance(given, dict) for given in source.get("words", {}).values())
            and isinstance(source.get("languages"), list)
            and len(set(kinds)) == len(kinds)
            and set(kinds) <= set(KINDS)
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        whole = False
    if not whole or not is_intact(row):
        text = N_("Question set %(value)s is damaged, so no draft can be made of it.")
        raise Refused({"copy_of": (text, {"value": row.number})})
    made: Body = source
    return made


def _marked(question: dict[str, Any], library: Mapping[str, Item]) -> dict[str, Any]:
    """A national item says which version it is; 0: its wording is no longer in the library."""
    item = library.get(str(question.get("code")))
    if item is None or not item.national or "item" in question:
        return question
    same = all(question.get(key) == item.question().get(key) for key in ("type", "text", "labels"))
    return question | {"item": item.code, "item_version": item.version if same else 0}


def _after(version: str) -> str:
    """The version that follows: 1.0 → 1.1; one that ends with no number stays."""
    head, dot, last = version.rpartition(".")
    return f"{head}{dot}{int(last) + 1}" if last.isascii() and last.isdigit() and len(last) < 6 else version

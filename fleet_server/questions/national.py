"""The question sets that a new installation starts with, composed of the items in `data/`.

Each question keeps, per language, the `status` of its wording (verbatim, reconstructed, own) and its `source`, so that
THL's official file can replace a text without a change of code.
"""

import json
from importlib.resources import files
from typing import Any


def national_sets() -> list[dict[str, Any]]:
    """Bodies of the ready sets, in the shape of questions/schema.py."""
    items = {item["code"]: item for item in _data("items.json")["items"]}
    return [_compose(outline, items) for outline in _data("sets.json")["sets"]]


def _compose(outline: dict[str, Any], items: dict[str, Any]) -> dict[str, Any]:
    when = outline.get("when", {})
    questions = [_question(items[code]) for code in outline["items"]]
    for question in questions:
        if question["code"] in when:
            question["when"] = when[question["code"]]
    body = {
        "number": outline["number"],
        "name": outline["name"],
        "version": outline["version"],
        "languages": ["fi", "sv", "en"],
        "questions": questions,
        "thanks": outline["thanks"],
        "idle_s": outline["idle_s"],
        "button": outline["button"],
    }
    if "flows" in outline:
        body["flows"] = outline["flows"]
    return body


def _question(item: dict[str, Any]) -> dict[str, Any]:
    question: dict[str, Any] = {"code": item["code"], "type": item["type"]}
    for field in ("text", "status", "source"):
        question[field] = {language: entry[field] for language, entry in item["text"].items()}
    if "labels" in item:
        question["labels"] = item["labels"]
    return question


def _data(name: str) -> Any:
    return json.loads(files("fleet_server.questions").joinpath("data", name).read_text("utf-8"))

"""What an edit of a draft is made of: small operations by question code, each with the one that undoes it.

    {"do": "set", "path": "questions/OWN-1/text/fi", "to": "Oliko helppo löytää?"}     null takes a value away
    {"do": "add", "path": "questions/K1", "to": {"item": "K1"}, "after": "NPS"}        null: first; left out: last
    {"do": "move", "path": "questions/K1", "after": null}
    {"do": "remove", "path": "questions/K1"}
    {"do": "keep", "path": "questions/OWN-1/text/sv"}      still right, although its source changed (drafts/texts.py)

It knows bodies, no table and no person. Invariant: `apply(apply(body, op), inverse) == body`.
"""

import copy
import json
from collections.abc import Mapping
from typing import Any

from fleet_server.drafts.fields import MOST_QUESTIONS, check, check_question, question_of
from fleet_server.drafts.library import Item
from fleet_server.questions.flows import KINDS
from fleet_server.refusals import N_, Faults, Refused

Op = dict[str, Any]
Body = dict[str, Any]
MOST_OPS = 2000  # a translator's whole spreadsheet: 20 questions with their labels in six languages are 900
_KEYS = {
    "set": {"path", "to"},
    "add": {"path", "to", "after"},
    "move": {"path", "after"},
    "remove": {"path"},
    "keep": {"path"},
}
_LAST = object()


def read(data: bytes | str | list[Any]) -> list[Op]:
    """Operations as they came from outside, by their shape alone. Raises Refused with every fault."""
    faults = Faults()
    if not isinstance(data, list):
        try:
            data = json.loads(data)
        except (ValueError, RecursionError):
            raise Refused({"ops": (N_("This is no JSON."), {})}) from None
    if not isinstance(data, list) or len(data) > MOST_OPS:
        raise Refused({"ops": (N_("Operations are a list of at most %(most)s objects."), {"most": MOST_OPS})})
    for position, op in enumerate(data):
        name = f"ops/{position}"
        if not isinstance(op, dict) or not isinstance(op.get("do"), str) or op["do"] not in _KEYS:
            known = ", ".join(_KEYS)
            faults.add(
                name,
                N_("“%(value)s” is no operation; its `do` must be one of %(known)s."),
                value=repr(op),
                known=known,
            )
            continue
        for key in op.keys() - _KEYS[op["do"]] - {"do"}:
            faults.add(f"{name}/{key}", N_("There is no field “%(path)s”."), path=key)
        if not isinstance(op.get("path"), str):
            faults.add(name, N_("“%(value)s” is no path."), value=repr(op.get("path")))
        if op["do"] in ("set", "add") and "to" not in op:
            faults.add(name, N_("“%(value)s” says no value: `to` is missing."), value=repr(op))
        if not isinstance(op.get("after"), str | None) or (op["do"] == "move" and "after" not in op):
            faults.add(name, N_("“%(value)s” is no code in `after`."), value=repr(op.get("after")))
        if not _is_text(op):
            faults.add(name, N_("“%(value)s” holds half of a character."), value=repr(op))
    faults.check()
    return data


def spelled_out(body: Body, op: Op, library: Mapping[str, Item]) -> Op:
    """The operation with everything that it stands for, fit to be kept. Raises Refused when it cannot be done."""
    faults = Faults()
    path = op["path"]
    if op["do"] == "set":
        check(faults, body, path, op["to"])
        faults.check()
        if path.endswith("/item_version"):
            return {"do": "set", "path": path.rpartition("/")[0], "to": _newer(body, path, op["to"], library)}
        return op
    if op["do"] == "keep":
        check(faults, body, path, "")  # a text of this draft that is not locked
        faults.check()
        return op
    code = _code_of(faults, path)
    there = question_of(body, code)
    if op["do"] == "add":
        if there is not None:
            faults.add(path, N_("“%(code)s” is in this draft already."), code=code)
        if len(body["questions"]) >= MOST_QUESTIONS:
            faults.add(path, N_("A draft holds at most %(most)s questions."), most=MOST_QUESTIONS)
        op = op | {"to": _added(faults, path, code, op["to"], library)}
    elif there is None:
        faults.add(path, N_("There is no question “%(code)s” in this draft."), code=code)
    after = op.get("after")
    if after is not None and (after == code or question_of(body, after) is None):
        faults.add(path, N_("There is no question “%(code)s” in this draft."), code=after)
    faults.check()
    return op


def apply(body: Body, op: Op) -> tuple[Body, Op]:
    """The body after an operation that is spelled out, and the operation that takes it back. `body` stays as it is."""
    made = copy.deepcopy(body)
    path = op["path"]
    if op["do"] == "set":
        inverse = _set(made, path.split("/"), copy.deepcopy(op["to"]), path)
        return made, inverse
    if op["do"] == "keep":
        return made, op
    code, questions = path.split("/")[1], made["questions"]
    index = next(
        (place for place, question in enumerate(questions) if question["code"] == code), len(questions)
    )
    before = questions[index - 1]["code"] if index and index < len(questions) else None
    if op["do"] == "add":
        _insert(questions, copy.deepcopy(op["to"]), op.get("after", _LAST))
        return made, {"do": "remove", "path": path}
    question = questions.pop(index)
    if op["do"] == "remove":
        return made, {"do": "add", "path": path, "to": question, "after": before}
    _insert(questions, question, op["after"])
    return made, {"do": "move", "path": path, "after": before}


def field(op: Op) -> str:
    """The field that an operation touches. A move touches a question's place, not what it says."""
    return op["path"] + "/place" if op["do"] == "move" else str(op["path"])


def overlap(one: str, other: str) -> bool:
    """Whether two fields are the same, or one lies within the other."""
    return one == other or one.startswith(other + "/") or other.startswith(one + "/")


def at(body: Body, path: str) -> Any:
    """What stands at a path; None when nothing does."""
    here: Any = body
    parts = path.split("/")
    for place, part in enumerate(parts):
        if place == 1 and parts[0] == "questions":
            here = question_of(body, part)
        elif place == 1 and parts[0] == "flows":
            here = next((flow["ask"] for flow in here or [] if flow["kind"] == part), None)
        elif isinstance(here, dict):
            here = here.get(part)
        elif isinstance(here, list) and part.isdigit():
            here = here[int(part)] if int(part) < len(here) else None
        else:
            return None
    return here


def _set(body: Body, parts: list[str], to: Any, path: str) -> Op:
    before = copy.deepcopy(at(body, path))
    match parts:
        case ["flows", kind]:
            flows = {flow["kind"]: flow for flow in body.pop("flows", [])}
            flows[kind] = {"kind": kind, "ask": to}
            if to is None:
                del flows[kind]
            if flows:
                body["flows"] = sorted(flows.values(), key=lambda flow: KINDS.index(flow["kind"]))
        case ["questions", code]:
            index = next(
                place for place, question in enumerate(body["questions"]) if question["code"] == code
            )
            body["questions"][index] = to
        case ["questions", code, "labels", language, number]:
            question = question_of(body, code)
            assert question is not None
            row = question.setdefault("labels", {}).get(language)
            if row is None or int(number) >= len(row):
                whole = (
                    f"questions/{code}/labels"
                    if row is None and len(question["labels"]) == 0
                    else path.rpartition("/")[0]
                )
                kept = (row or []) + [""] * (int(number) + 1 - len(row or []))
                kept[int(number)] = to
                question["labels"][language] = kept
                return {
                    "do": "set",
                    "path": whole,
                    "to": row if whole != f"questions/{code}/labels" else None,
                }
            row[int(number)] = to
        case _:
            first: Any = question_of(body, parts[1]) if parts[0] == "questions" else body
            _put(first, parts[2:] if parts[0] == "questions" else parts, to)
    return {"do": "set", "path": path, "to": before}


def _put(here: dict[str, Any], keys: list[str], to: Any) -> None:
    """Set or take away; what became empty goes as well, but for the texts that every set and question has."""
    key, *rest = keys
    if rest:
        inner = here.setdefault(key, {})
        _put(inner, rest, to)
        if not inner and key not in ("text", "thanks"):
            del here[key]
    elif (to is None and key != "button") or (to == {} and key == "labels"):
        here.pop(key, None)
    else:
        here[key] = to


def _insert(questions: list[Any], question: Any, after: Any) -> None:
    codes = [each["code"] for each in questions]
    if after is None:
        questions.insert(0, question)
    elif after in codes:
        questions.insert(codes.index(after) + 1, question)
    else:  # last; or the one before it is gone since, when an old edit is taken back
        questions.append(question)


def _added(faults: Faults, path: str, code: str, to: Any, library: Mapping[str, Item]) -> Any:
    """A question as it is kept: an item of the library whole, an own one with its status."""
    item = library.get(code)
    if isinstance(to, dict) and "item" in to:
        if to.keys() != {"item"} or to["item"] != code:
            faults.add(
                path, N_("“%(value)s” must be the item alone, and its code that of the path."), value=repr(to)
            )
        elif item is None:
            faults.add(path, N_("There is no item “%(code)s” in the library."), code=code)
        return item.question() if item else to
    if item is not None and item.national:
        faults.add(
            path,
            N_(
                "“%(code)s” is the code of a national item. Choose it from the library, or take another code."
            ),
            code=code,
        )
    check_question(faults, path, code, to)
    if faults.found:
        return to
    text = to.get("text", {})
    made = {"status": dict.fromkeys(text, "own")} | to | {"code": code, "text": text}
    return {key: value for key, value in made.items() if (key, value) != ("labels", {})}


def _newer(body: Body, path: str, version: Any, library: Mapping[str, Item]) -> dict[str, Any]:
    code = path.split("/")[1]
    item = library.get(code)
    if item is None or item.version != version or isinstance(version, bool):
        text = N_("The library has no version “%(value)s” of “%(code)s”.")
        raise Refused({path: (text, {"value": str(version), "code": code})})
    old = question_of(body, code) or {}
    return item.question() | ({"when": old["when"]} if "when" in old else {})


def _code_of(faults: Faults, path: str) -> str:
    parts = path.split("/")
    if len(parts) != 2 or parts[0] != "questions":
        faults.add(path, N_("There is no field “%(path)s”."), path=path)
        faults.check()
    return parts[1]


def _is_text(op: Op) -> bool:
    """Whether UTF-8 can hold it: JSON may escape half of a surrogate pair."""
    try:
        json.dumps(op, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True

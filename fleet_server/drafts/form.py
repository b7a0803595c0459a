"""From the draft's form to operations: what was typed against what stood there, and what its buttons mean.

It knows names of form fields and bodies, no table. A field that is not in the form is a field that was not touched, so
a script may send one field alone. Values pass as they were typed: what cannot stand there the operations refuse.
"""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData

from fleet_server.drafts import flowing, ops
from fleet_server.drafts.fields import question_of
from fleet_server.drafts.library import Item, usual_labels
from fleet_server.drafts.ops import Body, Op
from fleet_server.questions.flows import KINDS
from fleet_server.questions.turns import MOST_THEN
from fleet_server.questions.types import CANT_SAY, OPTIONS, TYPES, offers_cant_say

OWN = "OWN-"


def typed(form: FormData, body: Body) -> list[Op]:
    """The operations that lead from `body` to what the form says."""
    found: list[Op] = []
    retyped = _retyped(form, body, found)
    for key in dict.fromkeys(form.keys()):
        parts = key.split("/")
        value = str(form[key]).replace("\r\n", "\n").strip()
        before = ops.at(body, key)
        match parts:
            case ["name" | "version"] | ["thanks", _] | ["questions", _, "text", _]:
                if value != (before or "").strip():
                    _add(found, key, value if value or len(parts) == 1 else None)
            case ["questions", code, "labels", _, _] if code not in retyped:
                if value != (before or "").strip():
                    _add(found, key, value)
            case ["idle_s"]:
                number = int(value) if value.isascii() and value.isdigit() and len(value) < 9 else value
                if number != before:
                    _add(found, key, number)
            case ["button"]:
                if (value or None) != before:
                    _add(found, key, value or None)
    _turns(form, body, found)
    for group in map(str, form.getlist("shown")):
        _group(form, body, group, found)
    return found


def pressed(do: str, body: Body, new_type: str, library: Mapping[str, Item]) -> list[Op]:
    """The operations that a button of the form stands for; [] for one that asks for none, or nothing to do."""
    verb, _colon, rest = do.partition(":")
    code, _colon, more = rest.partition(":")
    codes = [question["code"] for question in body["questions"]]
    question = question_of(body, code)
    match verb:
        case "up" | "down" if question:
            place = codes.index(code) + (-1 if verb == "up" else 1)
            if not 0 <= place < len(codes):
                return []
            order = [each for each in codes if each != code]
            return _placed(body, code, order[place - 1] if place else None)
        case "after" if question:
            return _placed(body, code, more or None) if more != code else []
        case "remove" if question:
            return _removed(body, code)
        case "item":
            item = library.get(code)
            return _joined(
                body, code, {"item": code} if item and item.national else item.question() if item else {}
            )
        case "update" if question:
            item = library.get(code)
            return [_op(f"questions/{code}/item_version", item.version if item else 0)]
        case "own":
            fresh = next(f"{OWN}{n}" for n in range(1, 1000) if f"{OWN}{n}" not in codes)
            made = {"code": fresh, "type": new_type, "text": {}, "labels": _labels(new_type, body, {})}
            return _joined(body, fresh, made)
        case "option" if question:
            rows = question.get("labels", {})
            return [
                _op(f"questions/{code}/labels", {one: [*rows.get(one, []), ""] for one in body["languages"]})
            ]
        case "less" if question and more.isascii() and more.isdigit():
            rows = question.get("labels", {}).items()
            kept = {one: [label for n, label in enumerate(row) if n != int(more)] for one, row in rows}
            return [_op(f"questions/{code}/labels", kept)]
        case "flow" if code in KINDS and codes:
            started = [] if body.get("flows") else [_op("flows/visitor", codes)]
            return [*started, _op(f"flows/{code}", codes)]
    return []


def answers_of(question: dict[str, Any], language: str) -> list[tuple[int, str]]:
    """The answers that a follow-up may ask for: value and label, in the order of the screen."""
    kind = question["type"]
    rows = question.get("labels") or {}
    labels: list[str] = rows.get(language) or next(iter(rows.values()), [])
    if kind == "nps":
        found = [(value, str(value)) for value in range(11)]
    elif kind == "choice":
        found = [(1 << place, label) for place, label in enumerate(labels)]
    else:
        values = sorted(TYPES[kind].values, reverse=True) if kind in TYPES and kind != "text" else []
        found = list(zip(values, labels, strict=False))
    if kind in TYPES and offers_cant_say(question):
        found.append((CANT_SAY, ""))
    return found


def ticked(question: dict[str, Any], values: list[int]) -> set[int]:
    """Which of `answers_of` these values mean: of several answers, each that always leads on."""
    if not question.get("several"):
        return set(values)
    return {value for value, _label in answers_of(question, "") if value in values}


def _group(form: FormData, body: Body, group: str, found: list[Op]) -> None:
    """Fields that only say something together: boxes to tick, and the columns of the table of flows."""
    chosen = [str(value) for value in form.getlist(group)]
    match group.split("/"):
        case ["languages"]:
            kept = [one for one in body["languages"] if one in chosen]
            to = kept + [one for one in chosen if one not in kept]
            if to != body["languages"]:
                _add(found, group, to)
        case ["questions", code, "several" | "cant_say" as key]:
            question = question_of(body, code) or {"type": ""}
            before = question.get("several", False)
            if key == "cant_say" and question["type"] in TYPES:
                before = offers_cant_say(question)
            if bool(chosen) != bool(before):
                _add(found, group, bool(chosen))
        case ["questions", code, "when"]:
            before = ops.at(body, group) or {"code": "", "values": []}
            other = str(form.get(f"{group}/code") or "")
            ticks = [
                int(value)
                for value in map(str, form.getlist(f"{group}/values"))
                if value.isascii() and value.isdigit()
            ]
            values = _masks(question_of(body, other), ticks) if other == before["code"] else []
            if (other, set(values)) != (before["code"], set(before["values"])):
                _add(found, group, {"code": other, "values": values} if other else None)
        case ["flows", kind]:
            codes = [question["code"] for question in body["questions"]]
            before_cells, before_take = flowing.cells(ops.at(body, group), codes)
            cells = {code: str(form.get(f"{group}/{code}") or before_cells[code]) for code in codes}
            said = str(form.get(f"{group}/take") or before_take)
            take = int(said) if said.isascii() and said.isdigit() and len(said) < 4 else before_take
            if cells != before_cells or take != before_take:
                ask = flowing.ask_of(cells, take)
                _add(found, group, ask if ask or kind == "visitor" else None)


def _turns(form: FormData, body: Body, found: list[Op]) -> None:
    """The questions that follow the first one on button kiosks; the fields of a form with a script come one by one."""
    before = body.get("turns") or {"every": "day", "then": []}
    kept = before["then"] + [""] * (MOST_THEN - len(before["then"]))
    then = [str(form.get(f"turns/{place}", code)) for place, code in enumerate(kept)]
    every = str(form.get("turns/every", before["every"]))
    then = [code for code in then if code]
    made = {"every": every, "then": then} if then else None
    if made != body.get("turns"):
        _add(found, "turns", made)


def _retyped(form: FormData, body: Body, found: list[Op]) -> set[str]:
    """The questions whose way of answering was changed; their labels follow it."""
    codes = set()
    for question in body["questions"]:
        path = f"questions/{question['code']}"
        to = form.get(f"{path}/type")
        if to is None or to == question["type"]:
            continue
        codes.add(question["code"])
        kind = TYPES.get(str(to))
        _add(found, f"{path}/type", to)
        _add(found, f"{path}/labels", _labels(str(to), body, question.get("labels", {})) or None)
        if "several" in question and to != "choice":
            _add(found, f"{path}/several", None)
        if "cant_say" in question and (kind is None or kind.cant_say is None):
            _add(found, f"{path}/cant_say", None)
    return codes


def _labels(kind: str, body: Body, before: dict[str, list[str]]) -> dict[str, list[str]]:
    """Labels for a way of answering: those that fit stay, else the library's usual ones, else empty ones."""
    if kind not in TYPES or TYPES[kind].labels == 0:
        return {}
    wanted = TYPES[kind].labels
    fitting = {
        one: row
        for one, row in before.items()
        if (len(row) == wanted if wanted is not None else len(row) in OPTIONS)
    }
    usual = usual_labels(kind)
    return {one: fitting.get(one) or usual.get(one) or [""] * (wanted or 2) for one in body["languages"]}


def _masks(question: dict[str, Any] | None, values: list[int]) -> list[int]:
    """Of a choice with several answers, a record carries all in one number: every number with one of `values` in it."""
    if question is None or not question.get("several"):
        return sorted(values)
    most = max((value for value, _label in answers_of(question, "")), default=0)
    return [mask for mask in range(1, 2 * most) if any(mask & value for value in values)]


def _placed(body: Body, code: str, after: str | None) -> list[Op]:
    move = {"do": "move", "path": f"questions/{code}", "after": after}
    codes = [question["code"] for question in body["questions"]]
    if after is not None and after not in codes:
        return [move]
    made, _inverse = ops.apply(body, move)
    order = [question["code"] for question in made["questions"]]
    changed = [
        _op(f"flows/{flow['kind']}", to)
        for flow in body.get("flows", [])
        if (to := flowing.in_order(flow["ask"], codes, order)) != flow["ask"]
    ]
    return [move, *changed] if order != codes else []


def _removed(body: Body, code: str) -> list[Op]:
    found = [{"do": "remove", "path": f"questions/{code}"}]
    if body.get("button") == code:
        _add(found, "button", None)
    turns = body.get("turns") or {}
    if code in turns.get("then", ()):
        then = [one for one in turns["then"] if one != code]
        _add(found, "turns", turns | {"then": then} if then else None)
    for flow in body.get("flows", []):
        kept = flowing.without(flow["ask"], code)
        if kept != flow["ask"]:
            _add(found, f"flows/{flow['kind']}", kept if kept or flow["kind"] == "visitor" else None)
    return found


def _joined(body: Body, code: str, question: dict[str, Any]) -> list[Op]:
    """A new question at the end; every client is asked it, if the set says who is asked what."""
    if "item" not in question:
        question = {key: value for key, value in question.items() if value != {} or key == "text"}
    found: list[Op] = [{"do": "add", "path": f"questions/{code}", "to": question}]
    visitor = ops.at(body, "flows/visitor")
    if visitor is not None:
        _add(found, "flows/visitor", [*visitor, code])
    return found


def _add(found: list[Op], path: str, to: Any) -> None:
    found.append(_op(path, to))


def _op(path: str, to: Any) -> Op:
    return {"do": "set", "path": path, "to": to}

"""In which order a visitor is asked: flows, rotations and follow-ups that depend on an answer.

It knows no texts. Invariant: a follow-up is asked after the question that it depends on, and the resting screen of
each flow has one certain question to invite with.
"""

from typing import Any

from fleet_server.questions.faults import SetFaults
from fleet_server.questions.types import values_of
from fleet_server.refusals import N_

KINDS = ("visitor", "child", "kin")
MOST_ROTATED = 10


def flows_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The flows of a good set; one that has none asks every visitor all its questions in their order."""
    flows: list[dict[str, Any]] | None = body.get("flows")
    if flows is not None:
        return flows
    return [{"kind": "visitor", "ask": [question["code"] for question in body["questions"]]}]


def rotates(body: dict[str, Any]) -> bool:
    """Whether a good set asks different visitors different questions."""
    return any(isinstance(entry, dict) for flow in flows_of(body) for entry in flow["ask"])


def flow_faults(body: dict[str, Any], faults: SetFaults) -> None:
    """Every fault of the flows and of the conditions, for questions whose codes are known to be texts."""
    by_code = {question["code"]: question for question in body["questions"]}
    for question in body["questions"]:
        if "when" in question:
            _when(question, by_code, faults)
    flows = body.get("flows")
    if flows is None:
        _order("visitor", list(by_code), by_code, faults)
        return
    if not isinstance(flows, list) or not flows or not all(isinstance(flow, dict) for flow in flows):
        faults.add(
            N_("question set %(who)s: flows is %(value)r, must be a list of objects, or be left out"),
            value=flows,
        )
        return
    kinds = [flow.get("kind") for flow in flows]
    for kind in kinds:
        if kind not in KINDS:
            faults.add(
                N_("question set %(who)s: a flow has kind %(value)r, must be one of %(known)s"),
                value=kind,
                known=", ".join(KINDS),
            )
    if kinds[0] != "visitor" or len(set(map(str, kinds))) != len(kinds):
        faults.add(
            N_("question set %(who)s: flows are %(value)r, must begin with visitor and have each kind once"),
            value=kinds,
        )
    asked: set[str] = set()
    for kind, flow in zip(kinds, flows, strict=True):
        asked |= _flow(str(kind), flow.get("ask"), by_code, faults)
    turns = body.get("turns")
    then = turns.get("then") if isinstance(turns, dict) else None
    on_buttons = [body.get("button"), *(then if isinstance(then, list) else ())]
    for code in by_code:
        if code not in asked and code not in on_buttons:
            faults.add(N_("question set %(who)s: %(code)r is asked in no flow and not by buttons"), code=code)


def _flow(kind: str, ask: Any, by_code: dict[str, Any], faults: SetFaults) -> set[str]:
    """The codes that this flow asks."""
    if not isinstance(ask, list) or not ask:
        faults.add(
            N_("question set %(who)s: flow %(kind)s asks %(value)r, must be a list of codes"),
            kind=kind,
            value=ask,
        )
        return set()
    codes: list[str] = []
    for place, entry in enumerate(ask):
        if isinstance(entry, str):
            codes.append(entry)
        elif place == 0:
            faults.add(
                N_("question set %(who)s: flow %(kind)s begins with %(value)r, must begin with one question"),
                kind=kind,
                value=entry,
            )
        else:
            codes += _rotation(kind, entry, by_code, faults)
    for code in codes:
        if code not in by_code:
            faults.add(
                N_("question set %(who)s: flow %(kind)s asks %(value)r, which is none of its questions"),
                kind=kind,
                value=code,
            )
    if len(set(codes)) != len(codes):
        faults.add(
            N_("question set %(who)s: flow %(kind)s asks %(value)r, one of them twice"),
            kind=kind,
            value=codes,
        )
    _order(kind, [code for code in codes if code in by_code], by_code, faults)
    return set(codes)


def _rotation(kind: str, entry: Any, by_code: dict[str, Any], faults: SetFaults) -> list[str]:
    codes = entry.get("rotate") if isinstance(entry, dict) else None
    take = entry.get("take") if isinstance(entry, dict) else None
    if (
        not isinstance(codes, list)
        or not 2 <= len(codes) <= MOST_ROTATED
        or not all(isinstance(code, str) for code in codes)
        or not isinstance(take, int)
        or isinstance(take, bool)
        or not 1 <= take < len(codes)
    ):
        faults.add(
            N_(
                "question set %(who)s: flow %(kind)s rotates %(value)r, must be 2 to %(most)s codes in `rotate` "
                "and fewer than these in `take`"
            ),
            kind=kind,
            value=entry,
            most=MOST_ROTATED,
        )
        return []
    for code in codes:
        if "when" in by_code.get(code, {}):
            faults.add(
                N_("question set %(who)s: flow %(kind)s rotates %(code)r, which depends on an answer"),
                kind=kind,
                code=code,
            )
    return codes


def _order(kind: str, codes: list[str], by_code: dict[str, Any], faults: SetFaults) -> None:
    """A flow begins with a certain question that a touch answers; a condition looks back, never ahead."""
    if codes and (by_code[codes[0]].get("type") == "text" or "when" in by_code[codes[0]]):
        faults.add(
            N_(
                "question set %(who)s: flow %(kind)s begins with %(code)r, "
                "must begin with a question that is no open text and depends on nothing"
            ),
            kind=kind,
            code=codes[0],
        )
    for place, code in enumerate(codes):
        when = by_code[code].get("when")
        other = when.get("code") if isinstance(when, dict) else None
        if isinstance(other, str) and other in by_code and other not in codes[:place]:
            faults.add(
                N_("question set %(who)s: flow %(kind)s asks %(code)r before %(other)r, on which it depends"),
                kind=kind,
                code=code,
                other=other,
            )


def _when(question: dict[str, Any], by_code: dict[str, Any], faults: SetFaults) -> None:
    code, when = question["code"], question["when"]
    other = when.get("code") if isinstance(when, dict) else None
    values = when.get("values") if isinstance(when, dict) else None
    if not isinstance(other, str) or not isinstance(values, list) or not values:
        faults.add(
            N_(
                "question set %(who)s: %(code)r has when %(value)r, "
                "must hold the code of another question and values"
            ),
            code=code,
            value=when,
        )
        return
    if other not in by_code or other == code:
        faults.add(
            N_("question set %(who)s: %(code)r depends on %(value)r, which is no other question of the set"),
            code=code,
            value=other,
        )
        return
    allowed = values_of(by_code[other])
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int) or (allowed and value not in allowed):
            faults.add(
                N_(
                    "question set %(who)s: %(code)r depends on the answer %(value)r, which %(other)r cannot have"
                ),
                code=code,
                value=value,
                other=other,
            )

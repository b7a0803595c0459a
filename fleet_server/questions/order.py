"""How each question of a set is asked (of whom, in which rotation, after what), and which ones changed their place.

It takes bodies with faults as far as they can be read. Invariant: as few questions as possible are said to have moved;
one that was added or removed moves no other.
"""

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

from fleet_server.questions.reading import questions_of


@dataclass(frozen=True)
class Asked:
    """`kinds`: of whom. `rotated`: for each kind that rotates it, how many of which codes. `when`: (code, values)."""

    kinds: frozenset[str]
    rotated: frozenset[tuple[str, int, frozenset[str]]]
    when: tuple[str, frozenset[int]] | None


def asked_in(body: dict[str, Any]) -> dict[str, Asked]:
    """{code: how it is asked} of every question of a flow, in the order of the flows."""
    questions = questions_of(body)
    kinds: dict[str, set[str]] = {}
    rotated: dict[str, set[tuple[str, int, frozenset[str]]]] = {}
    for kind, steps in _flows(body).items():
        for codes, take in steps:
            for code in codes:
                if code in questions:
                    kinds.setdefault(code, set()).add(kind)
                    if take:
                        rotated.setdefault(code, set()).add((kind, take, frozenset(codes)))
    return {
        code: Asked(frozenset(found), frozenset(rotated.get(code, ())), _when(questions[code]))
        for code, found in kinds.items()
    }


def order_of(body: dict[str, Any]) -> dict[str, list[list[str]]]:
    """{kind: its steps}: one code, or those that take turns at this step."""
    return {kind: [codes for codes, _take in steps] for kind, steps in _flows(body).items()}


def moved(old: dict[str, Any], new: dict[str, Any]) -> frozenset[str]:
    """Codes in both that are asked at another place among those in both, in any flow."""
    before, after = order_of(old), order_of(new)
    found: set[str] = set()
    for kind in before.keys() & after.keys():
        place = {code: number for number, step in enumerate(before[kind]) for code in step}
        codes = [code for step in after[kind] for code in sorted(step, key=lambda one: place.get(one, 0))]
        found |= _out_of_line([code for code in dict.fromkeys(codes) if code in place], place)
    return frozenset(found)


def _out_of_line(codes: list[str], place: dict[str, int]) -> set[str]:
    """Those outside the longest run that keeps its order (patience sorting; equal places keep it, too)."""
    ends: list[tuple[int, int]] = []  # per length of a run, the least end: (place, index)
    before: list[int | None] = []
    for index, code in enumerate(codes):
        key = (place[code], index)
        at = bisect_left(ends, key)
        before.append(ends[at - 1][1] if at else None)
        ends[at : at + 1] = [key]
    kept: set[str] = set()
    last = ends[-1][1] if ends else None
    while last is not None:
        kept.add(codes[last])
        last = before[last]
    return set(codes) - kept


def _flows(body: dict[str, Any]) -> dict[str, list[tuple[list[str], int]]]:
    """{kind: [(codes, how many of them; 0 for a plain question)]}; without flows every visitor is asked everything."""
    flows = body.get("flows")
    if not isinstance(flows, list):
        return {"visitor": [([code], 0) for code in questions_of(body)]}
    found: dict[str, list[tuple[list[str], int]]] = {}
    for flow in flows:
        ask = flow.get("ask") if isinstance(flow, dict) else None
        if isinstance(ask, list):
            found.setdefault(str(flow.get("kind")), []).extend(filter(None, map(_step, ask)))
    return found


def _step(entry: Any) -> tuple[list[str], int] | None:
    if isinstance(entry, str):
        return [entry], 0
    codes = entry.get("rotate") if isinstance(entry, dict) else None
    if not isinstance(codes, list):
        return None
    take = entry.get("take")
    return [code for code in codes if isinstance(code, str)], take if isinstance(
        take, int
    ) and take > 0 else 1


def _when(question: dict[str, Any]) -> tuple[str, frozenset[int]] | None:
    when = question.get("when")
    if not isinstance(when, dict) or not isinstance(when.get("values"), list):
        return None
    values = frozenset(value for value in when["values"] if isinstance(value, int))
    return str(when.get("code")), values

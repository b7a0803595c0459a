"""The table of who is asked what: for each kind of visitor and each question, always, in turn, or not.

It knows one rotation for each flow, in the order of the questions, and no form. A flow that says more than that is
shown as far as that goes and stays as it is until somebody changes it here.
"""

from typing import Any

ALWAYS, IN_TURN, NOT = "always", "turn", "not"


def cells(ask: list[Any] | None, codes: list[str]) -> tuple[dict[str, str], int]:
    """{code: ALWAYS, IN_TURN or NOT} and how many of those in turn a visitor gets. `ask` None: everybody all."""
    if ask is None:
        return dict.fromkeys(codes, ALWAYS), 1
    found = dict.fromkeys(codes, NOT)
    take = 1
    for entry in ask:
        if isinstance(entry, dict):
            take = entry["take"]
            found |= {code: IN_TURN for code in entry["rotate"] if code in found}
        elif entry in found:
            found[entry] = ALWAYS
    return found, take


def ask_of(chosen: dict[str, str], take: int) -> list[Any]:
    """The flow that a column of the table stands for; those in turn stand where the first of them does."""
    in_turn = [code for code, how in chosen.items() if how == IN_TURN]
    if len(in_turn) == 1:  # one alone has nobody to take turns with
        chosen, in_turn = chosen | {in_turn[0]: ALWAYS}, []
    ask: list[Any] = []
    for code, how in chosen.items():
        if how == ALWAYS:
            ask.append(code)
        elif in_turn and code == in_turn[0]:
            ask.append({"rotate": in_turn, "take": max(1, min(take, len(in_turn) - 1))})
    return ask


def without(ask: list[Any], code: str) -> list[Any]:
    """The flow when a question is gone."""
    kept: list[Any] = []
    for entry in ask:
        if isinstance(entry, str):
            kept += [entry] if entry != code else []
            continue
        rest = [each for each in entry["rotate"] if each != code]
        kept += rest if len(rest) < 2 else [{"rotate": rest, "take": min(entry["take"], len(rest) - 1)}]
    return kept


def in_order(ask: list[Any], before: list[str], after: list[str]) -> list[Any]:
    """The flow when questions have changed places; one that had an order of its own keeps it."""
    chosen, take = cells(ask, before)
    if ask_of(chosen, take) != ask:
        return ask
    return ask_of({code: chosen[code] for code in after if code in chosen}, take)

"""Which of several questions a button kiosk asks: one after the other, each for a day or a week.

It knows no kiosk and no clock. In a set it is `"turns": {"every": "day" | "week", "then": [codes]}`, after the question
in `button`, which comes first. Invariant: which one it is depends on the date alone, so kiosks beside each other agree;
days are counted on from Monday 1970-01-05, so that over the weeks each question meets every weekday.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from fleet_server.questions.faults import SetFaults
from fleet_server.refusals import N_

EVERY_DAYS = {"day": 1, "week": 7}
MOST_THEN = (
    3  # four in all: each gets its turn often enough to be counted, and the kiosk has room for their dates
)
_FIRST_MONDAY = date(1970, 1, 5).toordinal()


def turn_faults(body: dict[str, Any], codes: Sequence[str], faults: SetFaults) -> None:
    """Every fault of `turns`; `codes`: those of the set's questions."""
    turns = body.get("turns")
    if turns is None:
        return
    if not has_shape(turns):
        text = N_(
            "question set %(who)s: turns is %(value)r, must hold `every` (day or week) and codes in `then`"
        )
        faults.add(text, value=turns)
        return
    then = turns["then"]
    if not 1 <= len(then) <= MOST_THEN:
        text = N_(
            "question set %(who)s: turns has %(count)s questions after the first one, must be 1 to %(most)s"
        )
        faults.add(text, count=len(then), most=MOST_THEN)
    if body.get("button") is None:
        faults.add(N_("question set %(who)s: turns needs a first question in button"))
    seen = [body.get("button")]
    for code in then:
        if code not in codes:
            faults.add(
                N_("question set %(who)s: turns asks %(value)r, which is none of its questions"), value=code
            )
        elif code in seen:
            faults.add(N_("question set %(who)s: turns asks %(value)r twice"), value=code)
        seen.append(code)


def has_shape(turns: Any) -> bool:
    """Whether it can be read as turns, be they right or wrong."""
    return (
        isinstance(turns, dict)
        and turns.keys() == {"every", "then"}
        and turns["every"] in list(EVERY_DAYS)
        and isinstance(turns["then"], list)
        and all(isinstance(code, str) for code in turns["then"])
    )


def codes_in_turn(body: dict[str, Any]) -> list[str]:
    """What a button kiosk asks of a good set, in the order of the turns; [] when it asks nothing."""
    if body.get("button") is None:
        return []
    return [body["button"], *(body.get("turns") or {}).get("then", ())]


def each_turn(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The good set once for each turn, as a set that asks that question alone on buttons; itself without any."""
    plain = {key: value for key, value in body.items() if key != "turns"}
    return [plain | {"button": code} for code in codes_in_turn(body)] or [plain]


def turn_on(body: dict[str, Any], day: date) -> int:
    """Whose turn it is on a day, a place in `codes_in_turn`, of a good set that asks something."""
    every = EVERY_DAYS[(body.get("turns") or {"every": "day"})["every"]]
    return (day.toordinal() - _FIRST_MONDAY) // every % len(codes_in_turn(body))


def days_of(body: dict[str, Any], place: int, first: date, last: date) -> list[date]:
    """The days of [first, last] on which it is this turn."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [day for day in days if turn_on(body, day) == place]

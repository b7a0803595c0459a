"""The turns of a set's questions as entries of the desired document: each later one has the dates on which it is asked.

It knows no database. Invariant: on a date that no entry names the kiosk asks the set's first question; so it does, too,
once it has been without a network for longer than the dates reach.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from fleet_server.instants import local
from fleet_server.questions.turns import days_of
from fleet_server.schedules.timeline import Entry

# From the first of this month to the end of the month after next: the document changes once a month, and a kiosk
# without a network knows two months ahead. Two questions by day are 46 dates; a kiosk takes 64 an entry.
_MONTHS = 3


def in_turns(entry: Entry, hashes: Sequence[str], body: dict[str, Any], *, now: int) -> list[Entry]:
    """The entry of a set's first question, and after it those of the others; `hashes`: of the views, in their order."""
    found = [entry]
    first, last = _window(local(now).date())
    for place, name in enumerate(hashes[1:], 1):
        hours = dict(entry["hours"] or {})
        days = [f"{day}" for day in days_of(body, place, first, last)]
        hours["only"] = [day for day in days if "only" not in hours or day in hours["only"]]
        found.append(entry | {"hash": name, "hours": hours})
    return found


def _window(today: date) -> tuple[date, date]:
    first = last = today.replace(day=1)
    for _ in range(_MONTHS):
        last = (last + timedelta(days=31)).replace(day=1)
    return first, last - timedelta(days=1)

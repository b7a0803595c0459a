"""What is asked when: the rules by which a kiosk chooses among its planned sets, for the server's pages.

It knows entries as the desired document has them and Finland's time, no database. Invariant: at every instant it says
what a kiosk with the right clock and all sets does (firmware/kiosk/sets.py, held by a test over two years).
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from fleet_server.instants import DAY_MS, HOUR_MS, MINUTE_MS, local
from fleet_server.places.hours import DAYS

Entry = dict[str, Any]  # number, hash, from, to, hours


def holds(hours: dict[str, Any] | None, at: int) -> bool:
    """Whether the instant lies within the hours of an entry; each minute of Finland's time is judged by itself."""
    if hours is None:
        return True
    moment = local(at)
    day = f"{moment:%Y-%m-%d}"
    if day in (hours.get("not") or ()) or (hours.get("only") is not None and day not in hours["only"]):
        return False
    weekly = hours.get("weekly")
    if weekly is None:
        return True
    clock = f"{moment:%H:%M}"
    return any(start <= clock < stop for start, stop in weekly.get(DAYS[moment.weekday()], ()))


def due(entries: Sequence[Entry], at: int) -> int | None:
    """Position of the entry that is asked at this instant: the one that began last of those whose time it is; of two
    that began at once the later one. None: nothing is asked."""
    found = None
    for index, entry in enumerate(entries):
        start, end = entry["from"], entry["to"]
        if (
            (start is not None and at < start)
            or (end is not None and end <= at)
            or not holds(entry["hours"], at)
        ):
            continue
        if found is None or (start or 0) >= (entries[found]["from"] or 0):
            found = index
    return found


def pieces(entries: Sequence[Entry], start: int, end: int) -> list[tuple[int, int, int | None]]:
    """[start, end) as pieces (from, to, position of what is asked), neighbours different."""
    edges = sorted({start, *(edge for edge in _edges(entries, start, end) if start < edge < end)})
    found: list[tuple[int, int, int | None]] = []
    for at, until in zip(edges, [*edges[1:], end], strict=True):
        asked = due(entries, at)
        if found and found[-1][2] == asked:
            found[-1] = (found[-1][0], until, asked)
        else:
            found.append((at, until, asked))
    return found


def _edges(entries: Sequence[Entry], start: int, end: int) -> set[int]:
    """Every instant at which something may change: an entry's ends, each edge of its hours, midnights, and the hours
    at which the clocks may have changed."""
    edges: set[int] = set()
    for entry in entries:
        edges |= {edge for edge in (entry["from"], entry["to"]) if edge is not None}
    clocks = {"00:00"} | {
        clock
        for entry in entries
        for spans in ((entry["hours"] or {}).get("weekly") or {}).values()
        for span in spans
        for clock in span
    }
    minutes = sorted({int(clock[:2]) * 60 + int(clock[3:]) for clock in clocks})
    for day in range(start // DAY_MS - 1, end // DAY_MS + 2):
        for hour in (0, 1, 2):  # Finland's clocks change at 01:00 UTC, and are two or three hours ahead of it
            edges.add(day * DAY_MS + hour * HOUR_MS)
        for minute in minutes:
            for east in (2, 3):
                edges.add(day * DAY_MS + minute * MINUTE_MS - east * HOUR_MS)
    return edges


def weekdays(weekly: dict[str, Any] | None, first: date, count: int) -> list[date]:
    """Those of `count` days from `first` on at which a weekly table is open at all."""
    days = (first + timedelta(days=number) for number in range(count))
    return [day for day in days if weekly is None or weekly.get(DAYS[day.weekday()])]

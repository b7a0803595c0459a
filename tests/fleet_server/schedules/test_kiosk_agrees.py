"""What the kiosk's own program asks, what the server says that it asks, and a plain model: the same over two years."""

import hashlib
import json
import random
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from kiosk.desired import Desired
from kiosk.sets import Sets
from kiosk.settings import Settings

from fleet_server.devices.desired import offsets
from fleet_server.instants import DAY_MS, HELSINKI, HOUR_MS, MINUTE_MS, local, to_ms
from fleet_server.places.hours import DAYS
from fleet_server.schedules.timeline import due, pieces
from tests import effort
from tests.conftest import MONDAY_10
from tests.firmware.net.support import set_view

YEARS_MS = 2 * 365 * DAY_MS
VIEWS = [set_view(number) for number in range(1, 9)]


class SetClock:
    def __init__(self) -> None:
        self.ms: int | None = MONDAY_10

    def now(self) -> tuple[int, int] | None:
        return None if self.ms is None else (self.ms, 10)


class Kiosk:
    """The kiosk's sets and wishes on a folder; `asks(at)`: the number that it asks at this instant."""

    def __init__(self, root: Path, clock: SetClock) -> None:
        self.clock = clock
        self.sets = Sets(str(root), clock, 5)
        self.desired = Desired(str(root), self.sets, Settings())

    def wish(self, version: int, entries: list[dict[str, Any]]) -> str | None:
        document = {"version": version, "sets": entries, "offset": offsets(MONDAY_10), "settings": {}}
        reason = self.desired.apply(json.dumps(document).encode())
        by_hash = {hashlib.sha256(view).hexdigest(): view for view in VIEWS}
        while reason is None and (wanted := self.sets.want()) is not None:
            assert self.sets.begin(len(by_hash[wanted])) is None
            self.sets.write(by_hash[wanted])
            assert self.sets.finish() is None
        return reason

    def asks(self, at: int | None) -> int | None:
        self.clock.ms = at
        self.sets.switch()
        return self.sets.running


def entry(number: int, start: int | None = None, end: int | None = None, **hours: Any) -> dict[str, Any]:
    hash_ = hashlib.sha256(VIEWS[number - 1]).hexdigest()
    return {"number": number, "hash": hash_, "from": start, "to": end, "hours": hours or None}


def random_entry(rng: random.Random, number: int) -> dict[str, Any]:
    start = (
        MONDAY_10 + rng.randrange(-30, 600) * DAY_MS + rng.randrange(24) * HOUR_MS
        if rng.random() < 0.9
        else None
    )
    end = (start or MONDAY_10) + rng.randrange(1, 400) * DAY_MS if rng.random() < 0.6 else None
    hours: dict[str, Any] = {}
    if rng.random() < 0.8:
        week = {}
        for day in rng.sample(DAYS, rng.randrange(1, 8)):
            edges = sorted(rng.sample(range(0, 97), 2 * rng.randrange(1, 3)))
            clocks = [f"{edge // 4:02}:{edge % 4 * 15:02}" for edge in edges]
            week[day] = [clocks[n : n + 2] for n in range(0, len(clocks), 2)]
        hours["weekly"] = week
    if rng.random() < 0.5:
        days = [
            f"{local(MONDAY_10 + rng.randrange(730) * DAY_MS):%Y-%m-%d}" for _ in range(rng.randrange(60))
        ]
        hours[rng.choice(["not", "only"])] = days
    return entry(number, start, end, **hours)


def plain(entries: list[dict[str, Any]], at: int) -> int | None:
    """The rules said once more: UTC plus two hours, or three from the last Sunday of March to that of October."""

    def last_sunday(month: int) -> datetime:
        day = datetime(moment.year, month, 31, 1, tzinfo=UTC)
        return day - timedelta(days=(day.weekday() + 1) % 7)

    moment = datetime.fromtimestamp(at / 1000, UTC)
    east = 3 if last_sunday(3) <= moment < last_sunday(10) else 2
    here = moment.astimezone(timezone(timedelta(hours=east)))
    minute = here.hour * 60 + here.minute
    best: tuple[int, int] | None = None
    for place, one in enumerate(entries):
        hours = one["hours"] or {}
        spans = hours["weekly"].get(DAYS[here.weekday()], []) if "weekly" in hours else [["00:00", "24:00"]]
        inside = any(int(a[:2]) * 60 + int(a[3:]) <= minute < int(b[:2]) * 60 + int(b[3:]) for a, b in spans)
        today = here.date().isoformat()
        inside = inside and today not in hours.get("not", []) and today in hours.get("only", [today])
        if inside and (one["from"] or 0) <= at and (one["to"] is None or at < one["to"]):
            best = max(best or (-1, -1), (one["from"] or 0, place))
    return None if best is None else entries[best[1]]["number"]


@pytest.mark.scales
@pytest.mark.parametrize("case", range(3))
def test_kiosk_server_and_model_agree_over_two_years_of_random_schedules(case: int, tmp_path: Path) -> None:
    rng = random.Random(effort.SEED * 100 + case)
    entries = [entry(1)] if case else []
    entries += [random_entry(rng, number) for number in range(2, 2 + rng.randrange(2, 7))]
    kiosk = Kiosk(tmp_path, SetClock())
    assert kiosk.wish(1, entries) is None
    kiosk.asks(MONDAY_10)
    clocks_change = [pair[0] for pair in offsets(MONDAY_10)[1:]]
    instants = [rng.randrange(MONDAY_10, MONDAY_10 + YEARS_MS) for _ in range(250)]
    instants += [at + minutes * MINUTE_MS for at in clocks_change for minutes in range(-120, 180, 15)]
    instants += [at + ms for one in entries for at in (one["from"], one["to"]) if at for ms in (-1, 0)]
    rng.shuffle(instants)  # the clock jumps, forwards and backwards
    for at in instants:
        wanted = plain(entries, at)
        said = due(entries, at)
        assert (None if said is None else entries[said]["number"]) == wanted, local(at)
        assert kiosk.asks(at) == wanted, local(at)


def test_the_pieces_of_a_week_are_what_is_asked_at_each_minute_of_it() -> None:
    rng = random.Random(effort.SEED)
    entries = [entry(1), *(random_entry(rng, number) for number in range(2, 7))]
    for start in (MONDAY_10, offsets(MONDAY_10)[1][0] - 3 * DAY_MS, offsets(MONDAY_10)[2][0] - 3 * DAY_MS):
        found = pieces(entries, start, start + 7 * DAY_MS)
        assert (found[0][0], found[-1][1]) == (start, start + 7 * DAY_MS)
        for at, until, asked in found:
            assert all(due(entries, inside) == asked for inside in range(at, until, 15 * MINUTE_MS))
        assert all(
            one[1] == next_[0] and one[2] != next_[2] for one, next_ in zip(found, found[1:], strict=False)
        )


def test_a_kiosk_without_a_clock_goes_on_with_the_set_that_it_asked_last(tmp_path: Path) -> None:
    entries = [
        entry(1),
        entry(2, MONDAY_10 - DAY_MS, MONDAY_10 + DAY_MS, weekly={"mon": [["08:00", "12:00"]]}),
    ]
    kiosk = Kiosk(tmp_path, SetClock())
    assert kiosk.wish(1, entries) is None
    assert kiosk.asks(MONDAY_10) == 2
    again = Kiosk(tmp_path, SetClock())
    assert again.asks(None) == 2, "the power was away, and the time with it"
    assert again.asks(MONDAY_10 + 3 * HOUR_MS) == 1, "the clock came back in the afternoon"
    assert Kiosk(tmp_path, SetClock()).asks(None) == 1
    assert Kiosk(tmp_path, SetClock()).asks(MONDAY_10 + 7 * DAY_MS) == 1, "its time is over"


def test_a_scheduled_set_that_is_not_here_or_refused_leaves_the_published_one(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path, SetClock())
    assert kiosk.wish(1, [entry(1)]) is None
    assert kiosk.asks(MONDAY_10) == 1
    late = entry(2, MONDAY_10, None, weekly={"mon": [["08:00", "12:00"]]})
    document = {"version": 2, "sets": [entry(1), late], "offset": offsets(MONDAY_10), "settings": {}}
    assert kiosk.desired.apply(json.dumps(document).encode()) is None
    assert kiosk.asks(MONDAY_10) == 1
    assert kiosk.sets.want() == late["hash"]


@pytest.mark.parametrize("cut_after", range(4))
def test_a_power_cut_while_switching_leaves_one_of_the_two_sets(cut_after: int, tmp_path: Path) -> None:
    """What is on flash after each step of a switch: `last` not yet written, empty, half, whole."""
    noon = MONDAY_10 + 2 * HOUR_MS
    kiosk = Kiosk(tmp_path, SetClock())
    kiosk.wish(1, [entry(1), entry(2, MONDAY_10, None, weekly={"mon": [["12:00", "16:00"]]})])
    assert kiosk.asks(MONDAY_10) == 1
    last = tmp_path / "state/sets/last"
    before = last.read_text()
    assert kiosk.asks(noon) == 2
    after = last.read_text()
    last.write_text([before, "", after[:20], after][cut_after])
    again = Kiosk(tmp_path, SetClock())
    assert again.asks(None) == (2 if cut_after == 3 else 1)
    assert again.asks(noon) == 2


def test_hours_that_are_wrong_are_refused_with_their_reason_and_the_old_wish_stays(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path, SetClock())
    kiosk.wish(1, [entry(1)])
    reason = kiosk.wish(2, [entry(1), entry(2, weekly={"mon": [["8", "16"]]})])
    assert reason == "desired: set 2: hours: mon: '8' is not a time HH:MM"
    assert (kiosk.desired.version, kiosk.desired.refusal) == (1, (2, reason))
    assert kiosk.asks(MONDAY_10) == 1
    document = {"version": 3, "sets": [entry(2, only=[])], "offset": [], "settings": {}}
    reason = kiosk.desired.apply(json.dumps(document).encode())
    assert reason == "desired: set 2: hours, but no offset of local time"
    assert to_ms(datetime(2026, 3, 2, 10, tzinfo=HELSINKI)) == MONDAY_10

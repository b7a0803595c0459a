"""Opening hours: what is typed, kept by date, and which instants lie outside, daylight saving included."""

from datetime import datetime

import pytest
from sqlmodel import select

from fleet_server.accounts.models import AuditEntry
from fleet_server.instants import HELSINKI, HOUR_MS, MINUTE_MS, to_ms
from fleet_server.places.hours import outside, read_date, read_week, week_text
from fleet_server.places.models import OpeningHours
from fleet_server.refusals import Refused
from tests.fleet_server.accounts.county import County


def at(text: str) -> int:
    return to_ms(datetime.fromisoformat(text).replace(tzinfo=HELSINKI))


def test_hours_are_read_as_people_write_them() -> None:
    weekly = read_week({"mon": "8.00–16.00", "tue": "08:00-12:00 , 13.00 - 24.00", "wed": "8-16", "sun": " "})
    assert week_text(weekly)["mon"] == "8.00–16.00"
    assert week_text(weekly)["tue"] == "8.00–12.00, 13.00–24.00"
    assert week_text(weekly)["wed"] == "8.00–16.00"
    assert week_text(weekly)["sun"] == ""
    assert read_week(week_text(weekly)) == weekly
    assert read_week({}) == ""


@pytest.mark.parametrize(
    "typed", ["8", "16-8", "8-25", "16.00-8.00", "8.00-8.00", "25.00-26.00", "8.00-24.30", "8.00-12.00,11.00-13.00",
              "x", ",".join(f"{h}.00-{h}.30" for h in range(5)), "8.00-12.00;13.00-14.00"]
)  # fmt: skip
def test_what_is_no_time_is_refused_at_its_day(typed: str) -> None:
    with pytest.raises(Refused) as refused:
        read_week({"wed": typed})
    assert set(refused.value.faults) == {"wed"}


@pytest.mark.parametrize("typed", ["", "tomorrow", "2019-12-31", "2026-02-30", "2100-01-01"])
def test_what_is_no_date_is_refused(typed: str) -> None:
    with pytest.raises(Refused):
        read_date(typed)


@pytest.mark.parametrize(
    ("moment", "is_outside"),
    [
        ("2026-03-02T08:29:59", True),
        ("2026-03-02T08:30:00", False),  # half an hour before nine
        ("2026-03-02T17:29:59", False),
        ("2026-03-02T17:30:00", True),
        ("2026-03-03T12:00:00", True),  # closed on Tuesdays
        ("2026-02-23T03:00:00", False),  # before the first table
        ("2026-03-29T03:30:00", True),  # the hour that does not exist
        ("2026-03-30T08:29:59", True),  # summer time: nine is six in UTC
        ("2026-03-30T08:30:00", False),
        ("2026-04-07T03:00:00", False),  # no table any more
    ],
)
def test_an_instant_is_outside_when_it_is_in_finlands_time(moment: str, is_outside: bool) -> None:
    hours = (
        (at("2026-03-01T00:00:00"), read_week({"mon": "9.00-17.00"})),
        (at("2026-04-06T00:00:00"), ""),
    )
    assert outside(hours, at(moment), at(moment), 30 * MINUTE_MS) is is_outside


def test_an_interval_is_outside_only_as_a_whole() -> None:
    hours = ((at("2026-03-01T00:00:00"), read_week({"mon": "9.00-17.00"})),)
    evening, next_morning = at("2026-03-02T18:00:00"), at("2026-03-09T08:00:00")
    assert outside(hours, evening, next_morning, 0)
    assert not outside(hours, evening, next_morning + HOUR_MS, 0)
    assert not outside(hours, evening - HOUR_MS - 1, next_morning, 0)


def test_a_keeper_saves_hours_and_the_audit_log_says_so(county: County) -> None:
    place = county.places["exit"]
    browser = county.browser("alice")
    saved = browser.post(
        f"/places/{place}/hours", data={"from_date": "2026-01-01", "mon": "8.00-16.00", "tue": "8.00-16.00"}
    )
    assert saved.status_code == 303
    page = browser.get(saved.headers["location"]).text
    assert "8.00–16.00" in page
    with county.database.read() as session:
        row = session.exec(select(OpeningHours)).one()
        assert (row.place_id, row.pending) == (place, True)
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "change opening hours")).one()
        assert entry.after is not None
        assert "mon 8.00–16.00" in entry.after


def test_a_wrong_time_is_shown_at_its_day_and_nothing_is_saved(county: County) -> None:
    answer = county.browser("alice").post(
        f"/places/{county.places['exit']}/hours", data={"from_date": "2026-01-01", "fri": "nine to five"}
    )
    assert answer.status_code == 422
    assert 'id="fri-error"' in answer.text
    assert "nine to five" in answer.text
    with county.database.read() as session:
        assert session.exec(select(OpeningHours)).all() == []

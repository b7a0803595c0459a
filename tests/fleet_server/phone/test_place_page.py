"""What the county sees of its phones: the code and the poster of a place, the channel in figures, and no kiosk."""

import json
import re

import pytest
from sqlmodel import select

from fleet_server.answers import alarms
from fleet_server.devices import contact, credentials, desired
from fleet_server.devices.models import QR, Device
from fleet_server.instants import DAY_MS, utc
from fleet_server.link.collector import _known
from fleet_server.phone import address
from fleet_server.places import service as places
from fleet_server.questions import service as questions
from fleet_server.refusals import Refused
from tests.fleet_server.phone.visitors import PUBLIC, Exit

DECODED = f"{PUBLIC}/p/bcdfghjk"


def drawn(page: str) -> tuple[int, set[tuple[int, int]]]:
    """Width in modules and the dark modules of the code on a page."""
    size = int(re.findall(r'viewBox="0 0 (\d+) \1" role="img"', page)[0])
    dark = set()
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", page):
        dark |= {(int(x) + step, int(y)) for step in range(int(width))}
    return size, dark


def test_the_picture_and_the_kiosks_rows_are_the_same_code() -> None:
    rows = address.qr_rows(DECODED)
    side = len(rows)
    size, path = address.qr_path(DECODED)
    assert size == side + 2 * address.QUIET
    dark = {
        (x + address.QUIET, y + address.QUIET)
        for y, row in enumerate(rows)
        for x in range(side)
        if row >> (side - 1 - x) & 1
    }
    assert drawn(f'<svg viewBox="0 0 {size} {size}" role="img"><path d="{path}"/>') == (size, dark)
    finder = [0b1111111, 0b1000001, 0b1011101, 0b1011101, 0b1011101, 0b1000001, 0b1111111]
    assert [row >> (side - 7) for row in rows[:7]] == finder, "the highest bit is the leftmost module"
    assert [row & 0b1111111 for row in rows[:7]] == finder
    assert [row >> (side - 7) for row in rows[-7:]] == finder


def test_whoever_may_see_the_place_sees_its_code_and_poster(exit_: Exit) -> None:
    county, page = exit_.county, f"/places/{exit_.place.id}"
    for name in ("alice", "bob", "otto"):
        text = county.browser(name).get(page).text
        assert f"{PUBLIC}/p/{exit_.place.code}" in text
        assert drawn(text)[1]
        poster = county.browser(name).get(f"{page}/poster")
        assert drawn(poster.text) == drawn(text)
        for words in ("Millainen käyntisi oli?", "Hur var ditt besök?", "How was your visit?"):
            assert words in poster.text
    assert county.browser("charlie").get(f"{page}/poster").status_code == 404
    assert county.stranger().get(f"{page}/poster").status_code == 303


def test_without_a_public_address_nothing_is_shown(exit_: Exit) -> None:
    state = exit_.county.app.state
    state.settings = state.settings.model_copy(update={"public_address": ""})
    alice = exit_.county.browser("alice")
    assert exit_.place.code not in alice.get(f"/places/{exit_.place.id}").text
    assert alice.get(f"/places/{exit_.place.id}/poster").status_code == 404


def test_the_channel_is_in_the_figures_of_page_and_api(exit_: Exit) -> None:
    exit_.answer(**{"nps-NPS": "9", "pei-PEI-H": "1"})
    alice, county = exit_.county.browser("alice"), exit_.county
    page = alice.get(f"/places/{exit_.place.id}").text
    assert 'data-figure="today">2<' in page
    assert 'data-figure="phone">2 of them by phone<' in page
    start, stop = (utc(county.now + days * DAY_MS).isoformat().replace("+00:00", "Z") for days in (-1, 1))
    for grain in ("hour", "day", "month"):
        counts = alice.get(
            f"/api/v1/places/{exit_.place.id}/counts?grain={grain}&from={start[:8]}01T00:00:00-03:00&to={stop}"
            if grain != "month"
            else f"/api/v1/places/{exit_.place.id}/counts?grain=month&from=2026-02-28T00:00:00Z&to={stop}"
        ).json()["counts"]
        assert [(one["counted"], one["by_channel"]) for one in counts] == [(2, {"kiosk": 0, "qr": 2})]
    listed = alice.get("/api/v1/places").json()["places"][0]
    assert listed["address"] == f"{PUBLIC}/p/{exit_.place.code}"
    assert listed["device_ids"] == ["real00000001"]


def test_the_journal_of_phones_is_no_kiosk_anywhere(exit_: Exit) -> None:
    exit_.answer(**{"nps-NPS": "9"})
    county = exit_.county
    with county.database.read() as session:
        journal = session.exec(select(Device).where(Device.channel == QR)).one()
        assert not credentials.check(session, journal.id, "")
        assert journal.id not in _known(session, {journal.id, "real00000001"})
    alice = county.browser("alice")
    place = f"/places/{exit_.place.id}"
    for path in ("/", "/devices", "/units", "/question-sets/1", place, f"{place}/edit", "/api/v1/devices"):
        page = alice.get(path)
        assert page.status_code == 200
        assert journal.id not in page.text
        assert f"QR {exit_.place.code}" not in page.text
    for path in (f"/devices/{journal.id}", f"/api/v1/devices/{journal.id}"):
        assert alice.get(path).status_code == 404
    county.now += 100 * DAY_MS
    assert alarms.look(county.database, now=county.now) == []
    with county.database.write() as session:
        assert contact.mark_late(session, now=county.now) == []
        assert questions.publish(session, 5, [journal.id], actor="test", now=county.now) != []
        with pytest.raises(Refused):
            places.install(
                session, "test", device_id=journal.id, place_id=county.places["lobby"], now=county.now
            )


def test_a_place_that_was_answered_by_phone_is_kept(exit_: Exit) -> None:
    county = exit_.county
    with county.database.write() as session:
        places.take_away(session, "test", device_id="real00000001", now=county.now)
    exit_.answer(**{"nps-NPS": "9"})
    with county.database.write() as session:
        place = session.get_one(places.Place, exit_.place.id)
        with pytest.raises(Refused) as refused:
            places.delete_place(session, "test", place, now=county.now)
    assert "delete" in refused.value.faults


def test_a_touch_kiosk_is_told_the_code_of_its_place_and_others_are_not(exit_: Exit) -> None:
    county = exit_.county
    with county.database.write() as session:
        session.get_one(Device, "real00000001").model = "touch"

    def settings(device_id: str) -> object:
        with county.database.write() as session:
            desired.refresh(session, device_id, now=county.now)
            device = session.get_one(Device, device_id)
            device.running_set = None
            found: dict[str, object] = json.loads(device.desired or "{}")["settings"]
            assert found.pop("name")
            return found

    with (
        county.database.write() as session
    ):  # nothing to ask yet: the view of a touch kiosk is made elsewhere
        for row in session.exec(select(questions.Publication)).all():
            session.delete(row)
    assert settings("real00000001") == {}, "no public address"
    with county.database.write() as session:
        address.remember(session, PUBLIC)
    text = f"{PUBLIC}/p/{exit_.place.code}"
    rows = list(address.qr_rows(text))
    assert settings("real00000001") == {"qr": {"text": text, "rows": rows, "size": len(rows)}}
    assert settings("real00000002") == {}, "no screen"
    with county.database.write() as session:
        places.take_away(session, "test", device_id="real00000001", now=county.now)
    assert settings("real00000001") == {}, "it stands nowhere"

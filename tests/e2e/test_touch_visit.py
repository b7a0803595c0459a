"""Visitors at a touch kiosk: what they touched is what the server has, over a pulled cable and a power cut; and what
the place has to say to them stands on its screen, as long as it is published."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from fleet_server.db import Database
from fleet_server.handling import kiosk_screen
from fleet_server.questions.national import national_sets
from fleet_server.questions.views import view
from fleet_server.screens import drawing
from provisioning.virtual.client import VirtualKiosk, list_kiosks
from tests.e2e.demo import Demo
from tests.e2e.touch_visitor import Touched, Visitor

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("demo")]

SET = 7
SWEDISH = 1
PATIENCE_S = 30
SEEN_S = 60  # of rest until a note comes it takes 20


@pytest.fixture
def kiosk(demo: Demo) -> VirtualKiosk:
    """The demonstration's touch kiosk."""
    return next(kiosk for kiosk in list_kiosks(demo.folder / "virtual") if kiosk.facts.model == "touch")


def test_what_was_touched_is_what_the_server_has_over_a_pulled_cable_and_a_power_cut(
    demo: Demo, kiosk: VirtualKiosk
) -> None:
    body = next(body for body in national_sets() if body["number"] == SET)
    visitor = Visitor(kiosk, view(body, "touch"))

    visitor.arrive()
    visitor.go("language", SWEDISH)
    visitor.answer(9)  # NPS
    visitor.answer(0)  # a statement
    kiosk.unplug()
    visitor.answer(-1)  # another: can't say
    visitor.skip()  # PEI
    visitor.answer(2)  # an idea
    visitor.write("Tack š 1!")
    visitor.until(lambda show: show["page"] == "thanks", "thanks")

    visitor.arrive()
    visitor.answer(2)
    visitor.answer(4)
    kiosk.cut()
    kiosk.on()
    assert visitor.arrive()["language"] == 0, "nobody finds the former visitor's answers or language"

    visitor.answer(0)
    for index in (3, 1, 1, 1):  # two statements, PEI, a complaint
        visitor.answer(index)
    visitor.write("Ei nyt")
    kiosk.plug()

    assert len(visitor.touched) == 14
    records = received(demo, kiosk.facts.id, len(visitor.touched))
    assert [Touched(*row[:5]) for row in records] == visitor.touched
    assert [row.filtered for row in records if row.flags] == ["unanswered"]
    assert {row.set_number for row in records} == {SET}
    visits = [at for at, row in enumerate(records) if row.position == 0]
    assert visits == [0, 6, 8], "each visit begins with the question whether one recommends it"
    assert [row.session > 0 for row in records] == [at not in visits for at in range(len(records))]


def test_what_was_done_is_published_on_the_page_seen_on_the_screen_withdrawn_and_gone(
    demo: Demo, kiosk: VirtualKiosk
) -> None:
    body = next(body for body in national_sets() if body["number"] == SET)
    asked = view(body, "touch")
    visitor = Visitor(kiosk, asked)
    visitor.arrive()
    question_alone = kiosk.screen()
    with signed_in(demo) as browser:
        address = f"/results/places/{place_of(demo, kiosk.facts.id)}/said-and-did"
        words = {"said_fi": "Aula oli kylmä.", "did_fi": "Ovi on tiivistetty.", "on_kiosks": "yes"}
        assert browser.post(f"{address}/new", data=words).status_code == 303
        (said_id,) = re.findall(r"/results/said-and-did/(\d+)/publish", browser.get(address).text)
        preview = browser.get(f"/results/said-and-did/{said_id}/kiosk-fi.png").content
        assert visitor.arrive()["said"] is None, "nobody else sees a draft"

        assert browser.post(f"/results/said-and-did/{said_id}/publish").status_code == 303
        visitor.until(lambda show: show["said"] == int(said_id), "the note", SEEN_S)
        note = {"id": int(said_id), "until": None, "fi": [words["said_fi"], words["did_fi"]]}
        expected = drawing.picture(kiosk_screen.page_of(note, "fi", asked), "touch")
        assert kiosk.screen() == expected == preview, "the kiosk shows what the page had shown before"

        has_it = {"ids": [int(said_id)], "reason": ""}
        visitor.until(lambda _show: reported(demo, kiosk.facts.id) == has_it, "its report of it")
        assert browser.post(f"/results/said-and-did/{said_id}/withdraw").status_code == 303
        visitor.until(lambda show: show["said"] is None, "gone", SEEN_S)
        assert kiosk.screen() == question_alone
        visitor.until(
            lambda _show: reported(demo, kiosk.facts.id) is None, "the kiosk says that it has none", SEEN_S
        )


@contextmanager
def signed_in(demo: Demo) -> Iterator[httpx.Client]:
    """A browser without windows, of the demonstration's person."""
    email, password = demo.sign_in
    with httpx.Client(base_url=demo.address, headers={"origin": demo.address}, timeout=PATIENCE_S) as browser:
        signed = browser.post("/sign-in", data={"email": email, "password": password})
        assert signed.status_code == 303
        yield browser


def place_of(demo: Demo, device: str) -> int:
    """Where a device stands."""
    place: int = of_database(
        demo, "SELECT place_id FROM installation WHERE device_id = ? AND to_at IS NULL", device
    )
    return place


def reported(demo: Demo, device: str) -> Any:
    """What a device says of the notes that it has."""
    report = json.loads(of_database(demo, "SELECT report FROM device WHERE id = ?", device))
    return report["said"]


def of_database(demo: Demo, statement: str, device: str) -> Any:
    """The one value that it finds."""
    database = Database(f"sqlite:///{demo.folder / 'hymio.db'}")
    try:
        with database.read() as session:
            return session.connection().exec_driver_sql(statement, (device,)).scalar_one()
    finally:
        database.close()


def received(demo: Demo, device: str, count: int) -> list:
    """The answers of a device at the server, in the order of their seq, once there are so many."""
    database = Database(f"sqlite:///{demo.folder / 'hymio.db'}")
    try:
        until = time.monotonic() + 40
        while True:
            with database.read() as session:
                rows = session.connection().exec_driver_sql(
                    "SELECT question AS position, language, value, flags, body, set_number, session, filtered "
                    "FROM record WHERE device_id = ? AND kind = 1 ORDER BY seq",
                    (device,),
                )
                found = list(rows)
            if len(found) >= count or time.monotonic() > until:
                return found
            time.sleep(0.2)
    finally:
        database.close()

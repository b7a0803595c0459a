"""Visitors at a touch kiosk: what they touched is what the server has, over a pulled cable and a power cut."""

import time

import pytest

from fleet_server.db import Database
from fleet_server.questions.national import national_sets
from fleet_server.questions.views import view
from provisioning.virtual.client import VirtualKiosk, list_kiosks
from tests.e2e.demo import Demo
from tests.e2e.touch_visitor import Touched, Visitor

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("demo")]

SET = 7
SWEDISH = 1


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

"""The overview shows each reader his own units, and no total includes a demo place."""

import re

from sqlalchemy import event

from fleet_server.devices import credentials, desired
from fleet_server.devices.models import Device
from fleet_server.instants import HOUR_MS, MINUTE_MS
from fleet_server.places import service as places
from tests.conftest import MONDAY_10
from tests.fleet_server.pages.world import SET_TO_ASK, World, a_busy_morning


def test_presses_of_today_and_the_two_books_stand_beside_the_place(world: World) -> None:
    a_busy_morning(world)
    page = world.sign_in("alice@example.org").get("/").text
    row = _row(page, "Exit A")
    assert _cells(row) == {
        "Today": "12",
        "Device": "Kiosk A",
        "State": "Not heard yet",
        "Question set": "–",
        "Pressed": "15",
        "Waiting": "3",
        "Received": "12",
        "Counted": "12",
        "Books": "Balanced",
    }
    assert "12</b> <span>presses today" in page
    assert "3</b> <span>waiting at kiosks" in page


def test_a_supervisor_sees_nothing_of_another_unit(world: World) -> None:
    a_busy_morning(world)
    page = world.sign_in("charlie@example.org").get("/").text
    assert "Exit B" in page
    assert "The county" in page, "the way down to the own unit is told"
    for foreign in ("Exit A", "Kiosk A", "Clinic A", "Demo", "Kiosk store", world.kiosks["A"].id):
        assert foreign not in page
    assert "0</b> <span>presses today" in page


def test_devices_in_store_are_the_technicians(world: World) -> None:
    assert "Kiosk store" in world.sign_in("tuula@example.org").get("/").text
    assert "Kiosk store" not in world.sign_in("alice@example.org").get("/").text


def test_no_total_includes_a_demo_place(world: World) -> None:
    a_busy_morning(world)
    demo = world.kiosks["demo"]
    demo.learn_time(MONDAY_10 - HOUR_MS)
    for step in range(5):
        demo.press(MONDAY_10 - HOUR_MS + (5 + step) * MINUTE_MS, simulated=step < 4)
    demo.send(MONDAY_10)
    page = world.sign_in("otto@example.org").get("/").text
    real, demo_sums = re.findall(r"<b>(\d+)</b> <span>presses? today", page)
    assert (real, demo_sums) == ("12", "5")
    assert "4 of them simulated" in page
    assert re.findall(r'<span class="of"> / (\d+)</span></b> <span>devices? here', page) == ["2", "1"]


def test_a_wish_that_the_kiosk_has_not_met_is_seen(world: World) -> None:
    world.publish(SET_TO_ASK, "A")
    page = world.sign_in("alice@example.org").get("/").text
    assert "on its way" in _row(page, "Exit A")
    world.kiosks["A"].report(MONDAY_10, running=SET_TO_ASK, sets=[[SET_TO_ASK, "0" * 64]])
    assert "on its way" not in _row(world.sign_in("alice@example.org").get("/").text, "Exit A")


def test_a_set_that_the_kiosk_refused_is_not_on_its_way(world: World) -> None:
    world.publish(SET_TO_ASK, "A")
    with world.database.write() as session:
        version = desired.refresh(session, world.kiosks["A"].id, now=MONDAY_10) and (
            session.get_one(Device, world.kiosks["A"].id).desired_version
        )
    update = {"version": version, "result": "refused", "reason": "question set: too large"}
    world.kiosks["A"].report(MONDAY_10, desired=version, running=1, sets=[[1, "0" * 64]], update=update)
    browser = world.sign_in("alice@example.org")
    for page in (_row(browser.get("/").text, "Exit A"), browser.get(f"/devices/{world.kiosks['A'].id}").text):
        assert "refused by the kiosk" in page
        assert "on its way" not in page


def test_whether_a_device_is_here_is_a_word(world: World) -> None:
    world.kiosks["A"].say("ready", MONDAY_10)
    browser = world.sign_in("alice@example.org")
    assert ">Here<" in _row(browser.get("/").text, "Exit A")
    world.kiosks["A"].say("lost", MONDAY_10 + MINUTE_MS)
    assert ">Connection lost<" in _row(browser.get("/").text, "Exit A")


def test_the_live_part_is_the_page_without_its_frame(world: World) -> None:
    browser = world.sign_in("alice@example.org")
    part = browser.get("/?part=tree").text
    assert "Exit A" in part
    assert "<html" not in part
    assert part.strip() in browser.get("/").text


def test_a_stranger_is_sent_to_the_sign_in(world: World) -> None:
    answer = world.stranger().get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_an_unknown_part_is_refused(world: World) -> None:
    assert world.sign_in("alice@example.org").get("/?part=everything").status_code == 422


def test_the_overview_asks_as_often_for_many_devices_as_for_a_few(world: World) -> None:
    browser = world.sign_in("otto@example.org")
    statements: list[str] = []
    listen = (world.database._reader, "before_cursor_execute", lambda *args: statements.append(args[2]))
    event.listen(*listen)
    browser.get("/?part=tree")
    few = len(statements)
    with world.database.write() as session:
        for number in range(30):
            row, _secret = credentials.create(
                session, name=f"More {number}", model="button5", virtual=False, now=MONDAY_10
            )
            places.install(session, "test", device_id=row.id, place_id=world.places["A"], now=MONDAY_10)
    statements.clear()
    assert browser.get("/?part=tree").text.count("More ") == 30
    event.remove(*listen)
    assert 0 < len(statements) <= few


def _row(page: str, place: str) -> str:
    return next(row for row in re.findall(r"<tr>.*?</tr>", page, re.S) if f">{place}<" in row)


def _cells(row: str) -> dict[str, str]:
    cells = re.findall(r'<td[^>]* data-label="([^"]+)"[^>]*>(.*?)</td>', row, re.S)
    return {name: " ".join(re.sub("<[^>]+>", " ", text).split()) for name, text in cells}

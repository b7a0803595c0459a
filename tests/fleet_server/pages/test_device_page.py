"""A device's page: the books explained, what it runs beside what is wished, its health; not for everybody."""

import html
import json
import re

import pytest

from fleet_server.accounts import audit
from fleet_server.answers import quarantine
from fleet_server.devices import credentials, reports
from fleet_server.instants import HOUR_MS, MINUTE_MS
from fleet_server.questions import service as questions
from tests.conftest import MONDAY_10
from tests.fleet_server.pages.world import SET_TO_ASK, World, a_busy_morning


def _page(world: World, kiosk: str = "A", query: str = "", who: str = "otto@example.org") -> str:
    answer = world.sign_in(who).get(f"/devices/{world.kiosks[kiosk].id}{query}")
    assert answer.status_code == 200
    return answer.text


def _text(page: str) -> str:
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", page)).split())


def test_a_device_that_was_never_heard_has_no_books_rather_than_balanced_ones(world: World) -> None:
    page = _page(world)
    assert "Nothing has been heard from this kiosk yet" in page
    assert "Balanced" not in page


def test_the_books_add_up_and_say_what_still_waits(world: World) -> None:
    a_busy_morning(world)
    text = _text(_page(world))
    assert "Pressed by the kiosk's own counter 15 Received booked here 12 Counted 12 Filtered" in text
    assert "Not booked waiting, rejected or lost: at most 3" in text
    assert "notes on starts and on the time 16 Received 13 Waiting safe in the kiosk 3" in text
    assert "3 records are safe in the kiosk and come with the next contact" in text
    world.kiosks["A"].send(MONDAY_10 + MINUTE_MS)
    text = _text(_page(world))
    assert "Received booked here 15" in text
    assert "Not booked waiting, rejected or lost 0" in text
    assert "Every answer that the kiosk gave thanks for is booked" in text


def test_books_that_cannot_be_true_are_an_alarm(world: World) -> None:
    kiosk = world.kiosks["A"]
    kiosk.learn_time(MONDAY_10 - HOUR_MS)
    kiosk.press(MONDAY_10 - HOUR_MS + MINUTE_MS)
    kiosk.pressed = 5
    kiosk.send(MONDAY_10)
    page = _page(world)
    assert "Do not balance" in page
    assert "5 pressed, only" in page


def test_what_it_runs_stands_beside_what_is_wished(world: World) -> None:
    world.publish(SET_TO_ASK, "A")
    world.kiosks["A"].report(MONDAY_10, running=1, sets=[[1, "0" * 64]])
    with world.database.read() as session:
        names = {row.number: row.name for row in questions.all_sets(session)}
    text = _text(_page(world, query="?part=now"))
    assert f"Asks now 1 · {names[1]}" in text
    assert f"Wished {SET_TO_ASK} · {names[SET_TO_ASK]} on its way" in text
    assert "Firmware 0.1.0 (7)" in text


def test_a_refusal_by_the_kiosk_is_told_with_its_reason(world: World) -> None:
    world.kiosks["A"].report(
        MONDAY_10, update={"version": 3, "result": "refused", "reason": "set 9: no Swedish"}
    )
    assert "The kiosk refused what was wished last: set 9: no Swedish" in _page(world)


def test_a_revoked_kiosk_may_still_be_thanking_and_the_page_says_what_to_do(world: World) -> None:
    assert "This kiosk is revoked" not in _page(world)
    with world.database.write() as session:
        credentials.revoke(session, world.kiosks["A"].id, now=MONDAY_10)
    text = _text(_page(world, who="tuula@example.org"))
    assert "This kiosk is revoked: nothing that it sends is taken" in text
    assert "it goes on thanking visitors" in text
    assert "Take it down" in text


def _close(world: World, who: str, epoch: int | None = None):
    kiosk = world.kiosks["A"]
    path = f"/devices/{kiosk.id}/epochs/{kiosk.epoch if epoch is None else epoch}/close"
    return world.sign_in(who).post(path)


def test_a_technician_writes_off_what_will_never_come_and_it_counts_if_it_comes(world: World) -> None:
    a_busy_morning(world)
    page = _page(world, who="tuula@example.org")
    assert "Closing the epoch says that 3 records will never arrive" in page
    assert f'action="/devices/{world.kiosks["A"].id}/epochs/{world.kiosks["A"].epoch}/close"' in page
    assert _close(world, "tuula@example.org").status_code == 303
    page = _page(world, who="tuula@example.org")
    assert "Waiting safe in the kiosk 0" in _text(page)
    assert "Lost will never arrive 3" in _text(page)
    assert "/close" not in page
    with world.database.read() as session:
        entry = audit.entries(session)[0]
    assert (entry.action, entry.object_id) == ("close epoch", world.kiosks["A"].id)
    assert json.loads(entry.after)["lost"] == 3
    assert _close(world, "tuula@example.org").status_code == 409
    world.kiosks["A"].send(MONDAY_10 + MINUTE_MS)
    text = _text(_page(world))
    assert "Received booked here 15" in text
    assert "Lost will never arrive 0" in text


@pytest.mark.parametrize(
    ("who", "status"), [("otto@example.org", 403), ("alice@example.org", 403), ("charlie@example.org", 403)]
)
def test_who_is_no_technician_closes_nothing(world: World, who: str, status: int) -> None:
    a_busy_morning(world)
    assert _close(world, who).status_code == status
    assert "Waiting safe in the kiosk 3" in _text(_page(world))
    assert "/close" not in _page(world)


def test_an_epoch_that_there_is_not_cannot_be_closed(world: World) -> None:
    a_busy_morning(world)
    assert _close(world, "tuula@example.org", 12345).status_code == 409
    assert _close(world, "tuula@example.org", 2**32).status_code == 404
    refused = world.sign_in("tuula@example.org").post(
        f"/devices/{world.kiosks['A'].id}/epochs/{world.kiosks['A'].epoch}/close",
        headers={"sec-fetch-site": "cross-site"},
    )
    assert refused.status_code == 403
    assert "Waiting safe in the kiosk 3" in _text(_page(world))


def test_health_is_drawn_as_lines_with_a_table(world: World) -> None:
    kiosk = world.kiosks["A"]
    for quarter in range(8):
        kiosk.report(
            MONDAY_10 - (8 - quarter) * 15 * MINUTE_MS, health={"signal": -60 - quarter, "temperature": None}
        )
    page = _page(world)
    assert page.count('class="chart-line"') == 6, "each measure that has figures; no temperature was told"
    assert "-67 dBm" in page or "−67 dBm" in page
    table = page[page.index('id="health-table"') :]
    assert table.count('<th scope="row"') == 8
    week = _page(world, query="?days=7")
    assert week.count('class="chart-dot"') == 6, "two hours of reports are one point of a week"


def test_a_report_that_makes_no_sense_makes_no_error(world: World) -> None:
    with world.database.write() as session:
        device = session.get_one(credentials.Device, world.kiosks["A"].id)
        device.report = (
            '{"health": [1], "sets": {"a": 1}, "update": 7, "epochs": null, "desired": "x", "board": {}}'
        )
    _page(world)


def test_stuck_buttons_quarantine_and_crashes_are_told(world: World) -> None:
    kiosk = world.kiosks["A"]
    kiosk.report(MONDAY_10, health={"buttons": [0, 3]})
    with world.database.write() as session:
        quarantine.keep(
            session, kiosk.id, quarantine.Item("message", "CRC is wrong", b"xx"), source="mqtt", now=MONDAY_10
        )
        crash = b'{"firmware":"0.1.0","task":"link","trace":"OSError: <b>bold</b>","lines":["last"]}'
        reports.take_log(session, kiosk.id, crash, now=MONDAY_10)
    page = _page(world)
    assert "faces 1, 4, counted from the left" in page
    assert "CRC is wrong" in page
    assert f"fleet quarantine list --device {kiosk.id}" in page
    assert "fleet quarantine" not in _page(world, who="alice@example.org"), "a supervisor has no server"
    assert "OSError: &lt;b&gt;bold&lt;/b&gt;" in page, "what a kiosk sends is text, never markup"


@pytest.mark.parametrize(
    "crash",
    [
        b'{"trace":"half \\ud800","lines":["\\udfff"]}',
        b'{"task":"half \\ud800","firmware":"\\udc00","lines":[{"half \\ud800":0}]}',
        b"half [" + b"[" * 8000,
        b"[" * 8000,
    ],
)
def test_a_crash_report_of_any_text_makes_no_error(world: World, crash: bytes) -> None:
    kiosk = world.kiosks["A"]
    with world.database.write() as session:
        reports.take_log(session, kiosk.id, crash, now=MONDAY_10)
        device = session.get_one(credentials.Device, kiosk.id)
        device.report = '{"update":{"result":"refused","reason":"half \\ud800"},"board":"\\ud800"}'
    assert "half ?" in _page(world)


def test_the_history_of_the_state_is_told_newest_first(world: World) -> None:
    kiosk = world.kiosks["A"]
    kiosk.say("ready", MONDAY_10 - HOUR_MS)
    kiosk.say("lost", MONDAY_10)
    page = _page(world, query="?part=past")
    assert page.index(">Connection lost") < page.index(">Here")


def test_the_list_holds_what_the_reader_may_see(world: World) -> None:
    def names(who: str) -> set[str]:
        return set(re.findall(r"Kiosk (?:A|B|demo|store)", world.sign_in(who).get("/devices").text))

    assert names("otto@example.org") == {"Kiosk A", "Kiosk B", "Kiosk demo", "Kiosk store"}
    assert names("alice@example.org") == {"Kiosk A", "Kiosk demo"}
    assert names("charlie@example.org") == {"Kiosk B"}


@pytest.mark.parametrize("query", ["", "?part=now", "?part=past", "?days=7"])
@pytest.mark.parametrize("kiosk", ["A", "store"])
def test_a_device_of_another_unit_does_not_exist(world: World, kiosk: str, query: str) -> None:
    charlie = world.sign_in("charlie@example.org")
    assert charlie.get(f"/devices/{world.kiosks[kiosk].id}{query}").status_code == 404
    assert charlie.get(f"/devices/aaaaaaaaaaaa{query}").status_code == 404


@pytest.mark.parametrize("name", ["A", "UPPERCASE123", "abc", "aaaaaaaaaaaaa", "%2e%2e"])
def test_an_impossible_device_is_no_page(world: World, name: str) -> None:
    assert world.sign_in("otto@example.org").get(f"/devices/{name}").status_code == 404


@pytest.mark.parametrize("address", ["/devices", "/devices/aaaaaaaaaaaa"])
def test_a_stranger_is_sent_to_the_sign_in(world: World, address: str) -> None:
    assert world.stranger().get(address).headers["location"] == f"/sign-in?next={address}"

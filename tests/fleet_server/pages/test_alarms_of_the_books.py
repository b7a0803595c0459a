"""Books that do not balance: an alarm on the device's page, its place's and the overview, in the API and on record."""

import re

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from fleet_server.accounts.models import Role
from fleet_server.answers.models import BookAlarm, JournalEpoch
from fleet_server.instants import DAY_MS, MINUTE_MS
from fleet_server.jobs import Jobs
from tests.conftest import MONDAY_10
from tests.fleet_server.pages.world import World, a_busy_morning

SAYS = {
    "en": "epoch 00005eed: 12 answers received, only 3 pressed",
    "fi": "jakso 00005eed: vastaanotettu 12 vastausta, painettu vain 3",
    "sv": "period 00005eed: 12 svar mottagna, bara 3 tryckta",
}


@pytest.fixture
def astray(world: World) -> World:
    """Kiosk A says that fewer were pressed than were received."""
    a_busy_morning(world)
    set_pressed(world, 3)
    return world


def set_pressed(world: World, pressed: int) -> None:
    with world.database.write() as session:
        session.connection().execute(
            update(JournalEpoch)
            .where(col(JournalEpoch.device_id) == world.kiosks["A"].id)
            .values(pressed=pressed)
        )


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_an_alarm_is_on_every_page_of_the_device_in_the_readers_language(
    astray: World, language: str
) -> None:
    device, place = astray.kiosks["A"].id, astray.places["A"]
    browser = astray.sign_in("alice@example.org")
    browser.post("/account/language", data={"language": language})
    for address in (
        f"/devices/{device}",
        f"/devices/{device}?part=now",
        f"/places/{place}",
        "/",
        "/?part=tree",
    ):
        page = browser.get(address).text
        assert SAYS[language] in page, address
        assert 'class="notice bad' in page
    assert "fleet check" in browser.get(f"/devices/{device}").text, "what to do"


def test_books_that_balance_are_no_alarm_and_are_drawn(world: World) -> None:
    a_busy_morning(world)
    browser = world.sign_in("alice@example.org")
    device = browser.get(f"/devices/{world.kiosks['A'].id}").text
    assert "Alarm" not in device + browser.get("/").text
    drawn = re.findall(r'class="piece-(\w+)" x="([\d.]+)%" width="([\d.]+)%"', device)
    assert [(kind, float(width)) for kind, _x, width in drawn] == [
        ("pressed", 100.0), ("counted", 80.0), ("waiting", 20.0),
        ("pressed", 100.0), ("counted", 81.25), ("waiting", 18.75),
    ]  # fmt: skip


def test_a_copied_flash_is_an_alarm_although_the_books_balance(world: World) -> None:
    a_busy_morning(world)
    kiosk = world.kiosks["A"]
    kiosk.sent -= 1
    with world.database.write() as session:
        session.connection().execute(update(JournalEpoch).values(forks=2))
    page = world.sign_in("alice@example.org").get(f"/devices/{kiosk.id}").text
    assert "Alarm: the books balance, but something is wrong" in page
    assert "give each an identity of its own" in page
    assert '<span class="badge bad">Alarm</span>' in page


def test_the_api_says_which_books_do_not_balance_and_why(astray: World) -> None:
    answer = (
        astray.stranger()
        .get(f"/api/v1/devices/{astray.kiosks['A'].id}", headers=astray.token(Role.OPERATOR))
        .json()
    )
    assert answer["books"]["balanced"] is False
    assert answer["books"]["faults"] == answer["epochs"][0]["faults"] == [SAYS["en"]]
    assert answer["epochs"][0]["balanced"] is False


def test_an_alarm_and_its_end_are_on_record_once_each(astray: World) -> None:
    jobs = Jobs(astray.database, astray.changes)
    for later in range(3):
        jobs.look(MONDAY_10 + later * MINUTE_MS)
    set_pressed(astray, 15)
    for later in range(3, 6):
        jobs.look(MONDAY_10 + later * MINUTE_MS)
    with astray.database.read() as session:
        rows = session.exec(select(BookAlarm).order_by(col(BookAlarm.id))).all()
        assert [(row.at - MONDAY_10) // MINUTE_MS for row in rows] == [0, 3]
        assert [row.faults == "[]" for row in rows] == [False, True]
    page = astray.sign_in("alice@example.org").get(f"/devices/{astray.kiosks['A'].id}").text
    assert SAYS["en"] in page
    assert "The alarm was over." in page


def test_what_waits_for_a_day_is_an_alarm(world: World) -> None:
    a_busy_morning(world)
    kiosk = world.kiosks["A"]
    world.now = MONDAY_10 + DAY_MS
    kiosk.report(world.now)
    page = world.sign_in("alice@example.org").get(f"/devices/{kiosk.id}").text
    assert "3 records wait, and none was booked for a day" in page
    assert "keep its flash as it is until they have come" in page

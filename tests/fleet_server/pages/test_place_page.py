"""A place's page: how many pressed when, without an hour that was made up; only for who may see the place."""

import re

import pytest

from fleet_server.instants import DAY_MS, HOUR_MS, MINUTE_MS
from fleet_server.places import service as places
from tests.conftest import MONDAY_10
from tests.fleet_server.pages.world import World, a_busy_morning


def _today(page: str) -> int:
    found = re.search(r'data-figure="today">(\d+)<', page)
    assert found
    return int(found[1])


def test_a_booked_press_is_on_the_page_at_once(world: World) -> None:
    browser, address = world.sign_in("alice@example.org"), f"/places/{world.places['A']}"
    assert _today(browser.get(address).text) == 0
    a_busy_morning(world)
    assert _today(browser.get(address).text) == 12
    assert _today(browser.get(f"{address}?part=numbers").text) == 12


def test_hours_are_bars_and_rows_of_a_table_with_the_same_figures(world: World) -> None:
    a_busy_morning(world)
    page = world.sign_in("alice@example.org").get(f"/places/{world.places['A']}").text
    rows = re.findall(r'<th scope="row">([^<]*)</th><td class="number">(\d+)</td>', page)
    assert [(name[-11:], int(count)) for name, count in rows] == [("09:00–10:00", 5), ("08:00–09:00", 7)]
    titles = re.findall(r'<g class="chart-slot"><title>[^<]*: (\d+)</title>', page)
    assert titles == ["7", "5"], "the bars, oldest first"
    assert page.count('class="chart-bar"') == 2


def test_a_week_is_shown_by_the_hour_too(world: World) -> None:
    a_busy_morning(world)
    world.now = MONDAY_10 + 5 * DAY_MS
    browser = world.sign_in("alice@example.org")
    assert 'class="chart-bar"' not in browser.get(f"/places/{world.places['A']}").text
    week = browser.get(f"/places/{world.places['A']}?days=7").text
    assert week.count('class="chart-bar"') == 2
    assert "12</b> <span>in seven days" in week


def test_no_hour_is_made_up_for_a_press_of_unknown_time(world: World) -> None:
    kiosk = world.kiosks["A"]
    kiosk.press(MONDAY_10 - HOUR_MS)
    kiosk.send(MONDAY_10)
    page = world.sign_in("alice@example.org").get(f"/places/{world.places['A']}").text
    assert _today(page) == 0
    assert "of 1 press from the kiosk here the time is not known yet" in page
    kiosk.learn_time(MONDAY_10 + MINUTE_MS)
    kiosk.send(MONDAY_10 + MINUTE_MS)
    page = world.sign_in("alice@example.org").get(f"/places/{world.places['A']}").text
    assert _today(page) == 1
    assert "not known yet" not in page


def test_the_page_tells_which_device_stood_there_when(world: World) -> None:
    with world.database.write() as session:
        places.install(
            session, "test", device_id=world.kiosks["store"].id, place_id=world.places["A"], now=MONDAY_10
        )
        places.take_away(session, "test", device_id=world.kiosks["A"].id, now=MONDAY_10)
    page = world.sign_in("alice@example.org").get(f"/places/{world.places['A']}").text
    assert "stands here now" in page
    assert ">Kiosk A<" in page
    assert f'href="/devices/{world.kiosks["A"].id}"' not in page, (
        "it stands nowhere now: not a supervisor's to see"
    )


def test_only_who_may_change_a_place_is_offered_to(world: World) -> None:
    address = f"/places/{world.places['A']}"
    assert f"{address}/edit" in world.sign_in("tuula@example.org").get(address).text
    assert f"{address}/edit" not in world.sign_in("alice@example.org").get(address).text


@pytest.mark.parametrize("part", ["", "?part=numbers", "?part=devices", "?days=7"])
def test_a_place_of_another_unit_does_not_exist(world: World, part: str) -> None:
    charlie = world.sign_in("charlie@example.org")
    mine, none = f"/places/{world.places['A']}", "/places/99999"
    foreign, nowhere = charlie.get(mine + part), charlie.get(none + part)
    assert foreign.status_code == nowhere.status_code == 404
    assert foreign.text.replace(mine, "") == nowhere.text.replace(none, "")


@pytest.mark.parametrize("address", ["0", "-1", "abc", "99999999999999999999"])
def test_an_impossible_place_is_no_page(world: World, address: str) -> None:
    assert world.sign_in("otto@example.org").get(f"/places/{address}").status_code == 404


def test_a_stranger_is_sent_to_the_sign_in_and_comes_back(world: World) -> None:
    answer = world.stranger().get(f"/places/{world.places['A']}")
    assert answer.headers["location"] == f"/sign-in?next=/places/{world.places['A']}"

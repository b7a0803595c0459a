"""What the misuse rules left out is said on the place's page and in the API, and every figure can be had with it."""

import json
import re
from typing import Any

from fleet_server.accounts.models import Role
from fleet_server.answers import runs
from fleet_server.instants import HOUR_MS, MINUTE_MS, SECOND_MS
from fleet_server.jobs import Jobs
from fleet_server.places.opening import SETTLED_MS
from tests.conftest import MONDAY_10
from tests.fleet_server.pages.world import World

MORNING = {"from": "2026-03-02T00:00:00+02:00", "to": "2026-03-03T00:00:00+02:00"}


def a_hand_that_stays(world: World) -> None:
    """Kiosk A after nine: a face four times, each 3 s, one of them simulated; then another face five minutes later."""
    kiosk = world.kiosks["A"]
    kiosk.learn_time(MONDAY_10 - 2 * HOUR_MS)
    for step in range(4):
        kiosk.press(MONDAY_10 - 55 * MINUTE_MS + 3 * step * SECOND_MS, simulated=step == 3)
    kiosk.press(MONDAY_10 - 50 * MINUTE_MS, value=2)
    kiosk.send(MONDAY_10)


def figures(page: str, rule: str) -> list[str]:
    row = re.search(rf'<tr data-rule="{rule}">(.*?)</tr>', page, re.DOTALL)
    assert row
    return re.findall(r'<td class="number"[^>]*>(\d+)<', row[1])


def today(page: str) -> str:
    found = re.search(r'data-figure="today">(\d+)<', page)
    assert found
    return found[1]


def test_a_place_tells_how_many_presses_each_rule_left_out(world: World) -> None:
    a_hand_that_stays(world)
    page = world.sign_in("alice@example.org").get(f"/places/{world.places['A']}").text
    assert today(page) == "2"
    assert figures(page, "repeat") == ["3", "3"]
    assert (
        figures(page, "burst")
        == figures(page, "hours")
        == figures(page, "corrected")
        == figures(page, "unanswered")
        == ["0", "0"]
    )
    assert "at most 5 seconds after" in page
    assert "no opening hours are given" in page


def test_the_figures_are_shown_with_filtered_presses_when_asked(world: World) -> None:
    a_hand_that_stays(world)
    browser, address = world.sign_in("alice@example.org"), f"/places/{world.places['A']}"
    assert 'class="chart-filtered"' in browser.get(address).text
    for part in ("", "&part=numbers", "&days=7"):
        page = browser.get(f"{address}?filtered=with{part}").text
        assert today(page) == "5"
        assert "1 of them simulated" in page
        assert 'class="chart-filtered"' not in page
        assert re.search(r'aria-current="page">With filtered presses<', page)
        assert figures(page, "repeat") == ["3", "3"]


def test_the_api_gives_counted_and_filtered_by_rule_and_their_sum(world: World) -> None:
    a_hand_that_stays(world)
    path = f"/api/v1/places/{world.places['A']}/counts"

    def counts(**query: Any) -> Any:
        return world.stranger().get(path, params=MORNING | query, headers=world.token(Role.OPERATOR)).json()

    (hour,) = counts()["counts"]
    assert (hour["presses"], hour["counted"], hour["filtered"]) == (2, 2, 3)
    assert hour["by_rule"] == {"repeat": 3}
    everything = counts(with_filtered=True, grain="month", **{"from": "2026-03-01T00:00:00+02:00"})
    assert (everything["with_filtered"], everything["rules_version"]) == (True, 1)
    assert [(one["presses"], one["by_rule"]) for one in everything["counts"]] == [(5, {"repeat": 3})]


def test_presses_of_unknown_time_are_given_with_filtered_ones_too(world: World) -> None:
    kiosk = world.kiosks["A"]
    for step in range(3):
        kiosk.press(MONDAY_10 + 3 * step * SECOND_MS)
    kiosk.send(MONDAY_10 + MINUTE_MS)
    path = f"/api/v1/places/{world.places['A']}/counts"
    answers = [
        world.stranger().get(path, params=MORNING | more, headers=world.token(Role.OPERATOR)).json()
        for more in ({}, {"with_filtered": "true"})
    ]
    assert [answer["not_placed"]["unknown"] for answer in answers] == [1, 3]


def test_presses_of_an_earlier_version_of_the_rules_are_named(world: World, monkeypatch: Any) -> None:
    address = f"/places/{world.places['A']}"
    with monkeypatch.context() as earlier:
        earlier.setattr(runs, "CURRENT", 0)
        a_hand_that_stays(world)
    page = world.sign_in("alice@example.org").get(address).text
    assert today(page) == "5"
    assert f"fleet rules rerun --place {world.places['A']}" in page


def test_hours_saved_for_today_are_run_over_todays_presses(world: World) -> None:
    a_hand_that_stays(world)
    address = f"/places/{world.places['A']}"
    keeper = world.sign_in("tuula@example.org")
    saved = keeper.post(f"{address}/hours", data={"from_date": "2026-03-02", "mon": "12.00-16.00"})
    assert saved.status_code == 303
    assert "are judged by them within a few minutes" in keeper.get(address).text
    Jobs(world.database, world.changes).look(world.now + SETTLED_MS)
    page = keeper.get(address).text
    assert "are judged by them within a few minutes" not in page
    assert (today(page), figures(page, "hours"), figures(page, "repeat")) == ("0", ["2", "2"], ["3", "3"])
    assert "12.00–16.00" in page


def test_only_a_keeper_of_the_place_may_change_its_hours(world: World) -> None:
    address = f"/places/{world.places['A']}/hours"
    form = {"from_date": "2026-03-02", "mon": "12.00-16.00"}
    for email, status in (
        ("alice@example.org", 403),
        ("charlie@example.org", 403),
        ("otto@example.org", 403),
    ):
        browser = world.sign_in(email)
        assert browser.get(address).status_code == status
        assert browser.post(address, data=form).status_code == status


def test_a_place_with_hours_and_no_other_history_can_be_removed(world: World) -> None:
    keeper = world.sign_in("tuula@example.org")
    made = keeper.post("/places/new", data={"name": "New", "unit_id": str(world.units["A"])})
    address = made.headers["location"].split("/edit")[0]
    assert (
        keeper.post(f"{address}/hours", data={"from_date": "2026-03-02", "mon": "8.00-9.00"}).status_code
        == 303
    )
    assert keeper.post(f"{address}/delete").status_code == 303


def test_no_value_is_in_what_is_said_of_filtered_presses(world: World) -> None:
    a_hand_that_stays(world)
    path = f"/api/v1/places/{world.places['A']}/counts"
    answer = world.stranger().get(path, params=MORNING, headers=world.token(Role.OPERATOR)).json()
    assert "value" not in json.dumps(answer)

"""A supervisor finds her unit's figures with their intervals; nobody finds another unit's, or fewer than k together."""

import re

from sqlmodel import select

from fleet_server.accounts import county
from fleet_server.instants import MINUTE_MS
from fleet_server.places import service as places
from fleet_server.places.models import Place, Unit
from fleet_server.results import release
from fleet_server.results.models import UNIT
from fleet_server.results.scores import NONE, Figures, Where, totals
from tests.conftest import MONDAY_10
from tests.fleet_server.pages.world import World

EVER = (0, 1 << 50)
FIRST = MONDAY_10 - 120 * MINUTE_MS


def answer(world: World, key: str, *values: int) -> None:
    """One visitor each, two minutes apart; then half an hour goes by."""
    kiosk = world.kiosks[key]
    if not kiosk.records:
        kiosk.learn_time(FIRST)
    for value in values:
        kiosk.press(FIRST + 2 * MINUTE_MS * len(kiosk.records), value=value)
    kiosk.send(world.now)
    world.now += 30 * MINUTE_MS
    with world.database.write() as session:
        release.step(session, k=county.rules(session).least_respondents, now=world.now)


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html.replace("</", " </")))


def test_a_supervisor_sees_her_unit_and_no_other(world: World) -> None:
    answer(world, "A", 5, 5, 5, 4, 1)
    answer(world, "B", 1, 1, 1, 1, 1)
    alice = world.sign_in("alice@example.org")
    page = text_of(alice.get(f"/results/units/{world.units['A']}").text)
    assert "5 visitors" in page
    assert "80 % Positive (4 and 5)" in page
    assert "95 % interval 38 … 96 %, n = 5" in page
    assert "mean 4" in page
    assert text_of(alice.get(f"/results/places/{world.places['A']}").text).count("5 visitors") >= 1
    for path in (
        f"/results/units/{world.units['B']}",
        f"/results/places/{world.places['B']}",
        "/results/units/999",
    ):
        assert alice.get(path).status_code == 404
    front = alice.get("/results").text
    assert "Clinic A" in front
    assert "Clinic B" not in front
    assert "The county" not in front


def test_who_has_no_business_with_results_gets_none(world: World) -> None:
    answer(world, "A", 5, 5, 5, 4, 1)
    path = f"/results/units/{world.units['A']}"
    assert world.stranger().get(path).status_code == 303
    for person in ("tuula@example.org", "otto@example.org"):
        assert world.sign_in(person).get(path).status_code == 403


def test_four_answers_are_said_to_wait_and_not_shown(world: World) -> None:
    answer(world, "A", 5, 5, 5, 4)
    page = text_of(world.sign_in("alice@example.org").get(f"/results/units/{world.units['A']}").text)
    assert "Nothing can be shown for this time yet" in page
    assert "4 answers wait until enough others have come" in page
    assert "never singly" in page


def test_what_was_filtered_is_shown_only_in_groups_of_its_own(world: World) -> None:
    answer(world, "A", 5, 5, 5, 4, 1)
    kiosk = world.kiosks["A"]
    for _ in range(4):
        kiosk.press(FIRST + 2 * MINUTE_MS * len(kiosk.records) + 1_000, value=1)
        kiosk.press(FIRST + 2 * MINUTE_MS * (len(kiosk.records) - 1) + 2_000, value=1)
    answer(world, "A")
    alice = world.sign_in("alice@example.org")
    path = f"/results/places/{world.places['A']}"
    without, with_filtered = (text_of(alice.get(path + query).text) for query in ("", "?filtered=with"))
    assert "5 visitors" in without
    assert "5 visitors" in with_filtered


def test_the_county_may_show_each_answer_at_once_and_says_so(world: World) -> None:
    answer(world, "A", 5, 1)
    with world.database.write() as session:
        county.change(
            session,
            "test",
            second_person=False,
            required_languages=["fi"],
            least_respondents="1",
            now=world.now,
        )
    answer(world, "A")
    page = text_of(world.sign_in("alice@example.org").get(f"/results/units/{world.units['A']}").text)
    assert "2 visitors" in page
    assert "The county shows each answer at once." in page


def test_the_unit_above_is_compared_with_and_chance_is_named(world: World) -> None:
    answer(world, "A", *[5] * 40)
    answer(world, "B", *[1] * 40)
    page = text_of(world.sign_in("alice@example.org").get(f"/results/units/{world.units['A']}").text)
    assert "The county: 50 % (39 … 61 %) , better than that" in page


def test_results_go_with_the_place_and_the_unit_that_are_hung_elsewhere(world: World) -> None:
    answer(world, "A", 5, 5, 5, 4, 1)
    answer(world, "B", 1, 1, 1, 1, 1)
    with world.database.read() as session:
        before = {
            unit.id or 0: totals(session, Where(UNIT, unit.id or 0), *EVER)
            for unit in session.exec(select(Unit))
        }
    clinic_a, clinic_b = world.units["A"], world.units["B"]
    root = next(unit for unit in before if unit not in (clinic_a, clinic_b))
    (series,) = before[root]
    with world.database.write() as session:
        place = session.get_one(Place, world.places["A"])
        places.change_place(session, "test", place, unit_id=clinic_b, name=place.name, now=world.now)
    assert of_unit(world, clinic_a, series).answers == 0
    assert of_unit(world, clinic_b, series) == of_unit(world, root, series) == before[root][series]
    with world.database.write() as session:
        unit = session.get_one(Unit, clinic_b)
        places.change_unit(
            session, "test", unit, parent_id=clinic_a, name_fi="B", name_sv="B", name_en="B", oid=None,
            sector="health", now=world.now,
        )  # fmt: skip
    for unit_id in (root, clinic_a, clinic_b):
        assert of_unit(world, unit_id, series) == before[root][series]


def of_unit(world: World, unit_id: int, series: int) -> Figures:
    with world.database.read() as session:
        return totals(session, Where(UNIT, unit_id), *EVER).get(series, NONE)

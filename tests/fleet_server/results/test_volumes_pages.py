"""How many pressed, when, beside what is usual; how complete that is; over what it came; and who stands out below."""

from fleet_server.accounts import service as accounts
from fleet_server.accounts.models import Role
from fleet_server.devices.models import Device
from fleet_server.instants import DAY_MS, HOUR_MS, MINUTE_MS
from fleet_server.places import service as places
from tests.conftest import MONDAY_10
from tests.fleet_server.pages.world import World, a_busy_morning
from tests.fleet_server.results.test_result_pages import answer, text_of

WEEK_MS = 7 * DAY_MS


def seen(world: World, path: str, person: str = "alice@example.org") -> str:
    response = world.sign_in(person).get(path)
    assert response.status_code == 200, path
    return text_of(response.text)


def coordinator(world: World) -> str:
    """Somebody who reads the whole county's results."""
    email = "cilla@example.org"
    with world.database.write() as session:
        roles: list[tuple[Role, int | None]] = [(Role.COORDINATOR, None)]
        accounts.create_user(session, email=email, name="Cilla", language="en", roles=roles, now=world.now)
    return email


def test_volumes_of_a_unit_and_a_place_are_for_those_who_read_its_results(world: World) -> None:
    a_busy_morning(world)
    place, unit = f"/results/places/{world.places['A']}", f"/results/units/{world.units['A']}"
    for path in (f"{place}/volumes", f"{unit}/volumes", f"{unit}/compare"):
        assert world.sign_in("alice@example.org").get(path).status_code == 200
        assert world.sign_in("charlie@example.org").get(path).status_code == 404
        assert world.sign_in("tuula@example.org").get(path).status_code == 403
        assert world.stranger().get(path).status_code == 303
    assert world.sign_in("alice@example.org").get("/results/units/999/volumes").status_code == 404


def test_presses_stand_by_device_and_hour_over_the_chosen_days(world: World) -> None:
    a_busy_morning(world)
    path = f"/results/places/{world.places['A']}/volumes"
    page = seen(world, path)
    assert "12 presses today" in page
    assert "12 this week" in page
    assert "Kiosk A Kiosk, button5 12 12 12" in page
    assert "8–9 7 0 0 0 0 0 0" in page  # from Monday on
    assert "9–10 5 0 0 0 0 0 0" in page
    assert "12 presses in these days" in seen(world, f"{path}?from=2026-03-02&to=2026-03-02")
    assert "Nobody has pressed in these days" in seen(world, f"{path}?from=2026-02-27&to=2026-03-01")
    unit = seen(world, f"/results/units/{world.units['A']}/volumes")
    assert "Exit A 12 12 12" in unit
    assert "Kiosk 12 12 12" in unit
    assert "12 presses today" in seen(world, f"/results/units/{world.units['A']}/volumes?part=today")


def test_days_that_make_no_sense_are_refused_with_what_was_typed(world: World) -> None:
    alice = world.sign_in("alice@example.org")
    path = f"/results/places/{world.places['A']}/volumes"
    for query, said in (
        ("from=yesterday", "“yesterday” is no date"),
        ("to=2026-13-01", "“2026-13-01” is no date"),
        ("from=2026-03-02&to=2026-03-01", "“2026-03-02” is after the last day"),
        ("to=2026-03-03", "“2026-03-03” has not come yet"),
        ("from=2019-01-01", "“2019-01-01” is too long ago"),
        ("from=0001-01-01", "“0001-01-01” is no date"),
    ):
        response = alice.get(f"{path}?{query}")
        assert response.status_code == 422, query
        assert said in text_of(response.text)
        assert query.split("=")[-1].split("&")[0] in response.text


def test_today_stands_beside_the_same_hours_of_earlier_weeks(world: World) -> None:
    a_busy_morning(world)  # seven from eight on, five from nine on; three wait, of the same hour
    path = f"/results/places/{world.places['A']}/volumes"
    assert "What is usual here is shown beside it after a week" in seen(world, path)
    kiosk = world.kiosks["A"]
    kiosk.learn_time(MONDAY_10 + WEEK_MS - 2 * HOUR_MS)
    for minute in (70, 80):
        kiosk.press(MONDAY_10 + WEEK_MS + (minute - 120) * MINUTE_MS)
    world.now = MONDAY_10 + WEEK_MS + 5 * MINUTE_MS
    kiosk.send(world.now)
    page = seen(world, path)
    assert (
        "Until 10:00: 2 . Usual here by then is 15 (15 to 15 on the same weekday of the last week)." in page
    )
    assert "Fewer than in any of them." in page
    assert "08:00 0 7 7 … 7" in page
    assert "09:00 2 8 8 … 8" in page
    assert "Usual here by then is 15" in seen(world, f"/results/units/{world.units['A']}/volumes")


def test_the_page_says_up_to_when_it_is_complete_and_who_is_silent(world: World) -> None:
    kiosk = world.kiosks["A"]
    path = f"/results/places/{world.places['A']}"
    assert "a kiosk was never heard. Not here: Kiosk A (never heard)." in seen(world, path)
    kiosk.say("ready", MONDAY_10 - HOUR_MS)
    assert "Complete until 10:00." in seen(world, path)
    a_busy_morning(world)
    page = seen(world, path)
    assert "Complete until 10:00; one kiosk has 3 answers waiting." in page
    world.now += 40 * MINUTE_MS
    assert "Complete until 10:00; one kiosk has 3 answers waiting." in seen(world, path)
    kiosk.send(world.now)
    kiosk.say("lost", world.now)
    with world.database.write() as session:
        session.get_one(Device, kiosk.id).contact_at = world.now
    world.now += 2 * HOUR_MS
    page = seen(world, path)
    assert "Complete until 10:40. Not here: Kiosk A (silent since 2 Mar 2026 10:40)." in page


def test_presses_without_an_hour_are_counted_and_said(world: World) -> None:
    kiosk = world.kiosks["A"]
    for step in range(4):
        kiosk.press(MONDAY_10 - (step + 3) * MINUTE_MS)
    kiosk.send(MONDAY_10)
    for path in (f"places/{world.places['A']}", f"units/{world.units['A']}"):
        assert "4 presses without hour" in seen(world, f"/results/{path}/volumes")


def test_devices_and_their_models_are_named_and_compared_with_care(world: World) -> None:
    with world.database.write() as session:
        place = world.places["A"]
        since = MONDAY_10 - DAY_MS
        places.install(session, "test", device_id=world.kiosks["store"].id, place_id=place, now=since)
    answer(world, "A", *[5] * 10)
    answer(world, "store", *[1] * 5)
    page = seen(world, f"/results/places/{world.places['A']}")
    assert "Kiosk A (Kiosk, button5), 10 visitors; Kiosk store (Kiosk, button5), 5 visitors" in page
    assert "Kiosk A (Kiosk, button5): 100 % (72 … 100 %, n = 10)" in page
    assert "Kiosk store (Kiosk, button5): 0 % (0 … 43 %, n = 5)" in page
    assert "With care" in page
    unit = seen(world, f"/results/units/{world.units['A']}")
    assert "These answers came over: Kiosk, 15 visitors. Kiosk models here now: button5 (2)." in unit
    assert "With care" not in unit


def test_parts_are_told_apart_only_beyond_chance_and_stand_by_name(world: World) -> None:
    reader = coordinator(world)
    answer(world, "A", *[5] * 40)
    answer(world, "B", *[1] * 40)
    root = next(iter(unit for unit in range(1, 4) if unit not in world.units.values()))
    page = seen(world, f"/results/units/{root}/compare", reader)
    above, alike, below = (
        page.index(heading) for heading in ("Above the whole", "Not to be told apart", "Below the whole")
    )
    assert above < page.index("Clinic A") < alike < below < page.index("Clinic B")
    assert above < seen(world, f"/results/units/{root}/compare?below=places", reader).index("Exit A")
    alone = seen(world, f"/results/units/{world.units['A']}/compare")
    assert "Nearly all chose the best answer of this question" in alone
    assert "Demo" not in alone

"""The first page of results: few places are listed at once, many are opened unit by unit; nobody sees another's."""

import re

from starlette.testclient import TestClient

from fleet_server.accounts import service as accounts
from fleet_server.accounts.models import Role
from fleet_server.places import service as places
from tests.fleet_server.pages.world import World


def more_places(world: World, key: str, amount: int) -> None:
    with world.database.write() as session:
        for number in range(amount):
            places.create_place(
                session,
                "test",
                unit_id=world.units[key],
                name=f"Door {key}{number}",
                demo=False,
                now=world.now,
            )


def the_county(world: World) -> TestClient:
    """Somebody who reads all of it."""
    with world.database.write() as session:
        accounts.create_user(
            session,
            email="rita@example.org",
            name="Rita",
            language="en",
            roles=[(Role.SUPERVISOR, None)],
            now=world.now,
        )
    return world.sign_in("rita@example.org")


def doors(html: str) -> set[str]:
    return set(re.findall(r"Door ([AB])\d", html))


def test_a_few_places_are_listed_without_being_asked_for(world: World) -> None:
    more_places(world, "A", 12)
    page = the_county(world).get("/results").text
    assert doors(page) == {"A"}
    assert "?open=" not in page


def test_many_places_are_opened_unit_by_unit_or_all_at_once(world: World) -> None:
    more_places(world, "A", 25)
    more_places(world, "B", 25)
    rita = the_county(world)
    a, b = world.units["A"], world.units["B"]
    page = rita.get("/results").text
    assert doors(page) == set()
    assert f'href="/results?open={a}#unit-{a}" aria-expanded="false">27 places<' in page
    page = rita.get(f"/results?open={a}").text
    assert doors(page) == {"A"}
    assert f'href="/results#unit-{a}" aria-expanded="true">Hide places<' in page
    assert f'href="/results?open={b}#unit-{b}" aria-expanded="false"' in page
    assert doors(rita.get("/results?open=all").text) == {"A", "B"}
    for nonsense in ("x", "-1", "99999999999999999999", "9999", "²"):
        page = rita.get("/results", params={"open": nonsense})
        assert (page.status_code, doors(page.text)) == (200, set())


def test_nobody_opens_the_places_of_a_unit_that_is_not_hers(world: World) -> None:
    more_places(world, "A", 45)
    more_places(world, "B", 5)
    alice = world.sign_in("alice@example.org")
    assert doors(alice.get(f"/results?open={world.units['B']}").text) == set()
    assert doors(alice.get("/results?open=all").text) == {"A"}

"""Who may see and do what follows from roles and units alone."""

from fleet_server.accounts.access import (
    WHOLE_COUNTY,
    Grant,
    Person,
    may,
    visible_devices,
    visible_places,
    visible_units,
)
from fleet_server.accounts.models import Role
from fleet_server.places import service as places
from fleet_server.places.models import Unit
from tests.fleet_server.accounts.county import County


def test_a_role_holds_for_its_unit_and_all_below_and_nowhere_else(county: County) -> None:
    bob = county.person("bob")
    with county.database.read() as session:
        path = {key: session.get_one(Unit, number).path for key, number in county.units.items()}
    assert may(bob, Role.COORDINATOR)
    assert may(bob, Role.COORDINATOR, path["health"])
    assert may(bob, Role.COORDINATOR, path["clinic"])
    assert not may(bob, Role.COORDINATOR, path["county"])
    assert not may(bob, Role.COORDINATOR, path["social"])
    assert not may(bob, Role.COORDINATOR, WHOLE_COUNTY)
    assert not may(bob, Role.OPERATOR)
    assert not may(None, Role.SUPERVISOR)


def test_the_number_of_a_unit_that_begins_like_another_is_not_below_it() -> None:
    person = Person("user", 1, "x", "x@example.org", "fi", (Grant(Role.SUPERVISOR, "/1/"),))
    assert may(person, Role.SUPERVISOR, "/1/7/")
    assert not may(person, Role.SUPERVISOR, "/11/")
    assert not may(person, Role.SUPERVISOR, "/11/1/")


def test_an_administrator_may_everything_everywhere(county: County) -> None:
    alice = county.person("alice")
    assert all(may(alice, role, WHOLE_COUNTY) for role in Role)


def test_each_sees_the_own_units_places_and_devices(county: County) -> None:
    with county.database.write() as session:
        places.install(session, "t", device_id="real00000001", place_id=county.places["exit"], now=county.now)
        places.install(session, "t", device_id="virt00000001", place_id=county.places["demo"], now=county.now)

    def seen(name: str) -> tuple[set[int], set[int], set[str]]:
        person = county.person(name)
        with county.database.read() as session:
            return (
                set(session.exec(visible_units(person))),
                set(session.exec(visible_places(person))),
                set(session.exec(visible_devices(person))),
            )

    everything = (
        set(county.units.values()),
        set(county.places.values()),
        {"real00000001", "real00000002", "virt00000001"},
    )
    assert seen("alice") == seen("tuula") == seen("otto") == everything
    assert seen("charlie") == ({county.units["social"]}, {county.places["lobby"]}, set())
    # A technician of a part sees the devices there, and those in store, which he may install.
    assert seen("bob") == (
        {county.units["health"], county.units["clinic"]},
        {county.places["exit"], county.places["demo"]},
        {"real00000001", "real00000002", "virt00000001"},
    )
    with county.database.write() as session:
        places.install(
            session, "t", device_id="real00000001", place_id=county.places["lobby"], now=county.now + 1
        )
    assert seen("bob")[2] == {"real00000002", "virt00000001"}
    assert seen("charlie")[2] == {"real00000001"}


def test_who_has_no_role_sees_nothing(county: County) -> None:
    nobody = Person("user", 99, "n", "n@example.org", "fi", ())
    with county.database.read() as session:
        assert not session.exec(visible_units(nobody)).all()
        assert not session.exec(visible_places(nobody)).all()
        assert not session.exec(visible_devices(nobody)).all()

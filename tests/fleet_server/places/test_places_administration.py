"""The tree, the places in it, and which device stands where: changed on pages, within one's own units."""

import re
from typing import Any

import pytest
from sqlmodel import col, select

from fleet_server.places import service as places
from fleet_server.places.fields import DEEPEST
from fleet_server.places.models import Installation, Place, Unit
from fleet_server.refusals import Refused
from tests.fleet_server.accounts.county import County

UNIT = {"name_fi": "Uusi", "name_sv": "Ny", "name_en": "New", "oid": "", "sector": "health"}


def unit(county: County, key: str) -> Unit:
    with county.database.read() as session:
        return session.get_one(Unit, county.units[key])


def stands(county: County) -> dict[str, int]:
    with county.database.read() as session:
        rows = session.exec(select(Installation).where(col(Installation.to_at).is_(None)))
        return {row.device_id: row.place_id for row in rows}


def test_a_units_path_is_its_parents_path_and_its_own_number(county: County) -> None:
    top, health, clinic = unit(county, "county"), unit(county, "health"), unit(county, "clinic")
    assert top.path == f"/{top.id}/"
    assert clinic.path == f"/{top.id}/{health.id}/{clinic.id}/"


def test_a_unit_moves_with_all_below_it(county: County) -> None:
    health = unit(county, "health")
    form = UNIT | {"parent_id": str(county.units["social"])}
    assert county.browser("alice").post(f"/units/{health.id}", data=form).status_code == 303
    social = unit(county, "social")
    assert unit(county, "health").path == f"{social.path}{health.id}/"
    assert unit(county, "clinic").path == f"{social.path}{health.id}/{county.units['clinic']}/"


def test_a_unit_cannot_hang_below_itself(county: County) -> None:
    form = UNIT | {"parent_id": str(county.units["clinic"])}
    page = county.browser("alice").post(f"/units/{county.units['health']}", data=form)
    assert page.status_code == 422
    assert 'id="parent_id-error"' in page.text
    assert unit(county, "health").parent_id == county.units["county"]


def test_a_tree_too_deep_for_its_column_is_refused(county: County) -> None:
    with county.database.write() as session:
        parent = county.units["clinic"]
        fields: dict[str, Any] = UNIT | {"oid": None}
        while session.get_one(Unit, parent).path.count("/") - 1 < DEEPEST:
            parent = places.create_unit(session, "t", parent_id=parent, now=county.now, **fields).id or 0
        with pytest.raises(Refused, match="deeper than 12"):
            places.create_unit(session, "t", parent_id=parent, now=county.now, **fields)


@pytest.mark.parametrize(
    ("field", "change", "named"),
    [
        ("name_fi", {"name_fi": ""}, "empty"),
        ("name_sv", {"name_sv": "x" * 300}, "300"),
        ("oid", {"oid": "1.2.x"}, "1.2.x"),
        ("sector", {"sector": "army"}, "army"),
        ("parent_id", {"parent_id": "999"}, "999"),
        ("parent_id", {"parent_id": "top"}, "top"),
    ],
)
def test_a_bad_unit_form_names_field_and_value_and_loses_nothing(
    county: County, field: str, change: dict[str, str], named: str
) -> None:
    typed = UNIT | {"parent_id": str(county.units["county"]), "name_en": "Kept & safe"} | change
    page = county.browser("alice").post("/units/new", data=typed)
    assert page.status_code == 422
    error = re.search(rf'id="{field}-error">([^<]*)<', page.text)
    assert error
    assert named in error[1]
    assert 'value="Kept &amp; safe"' in page.text


def test_an_identifier_belongs_to_one_unit(county: County) -> None:
    alice = county.browser("alice")
    form = UNIT | {"parent_id": str(county.units["county"]), "oid": "1.2.246.10.1234567.10.0"}
    assert alice.post("/units/new", data=form).status_code == 303
    again = alice.post("/units/new", data=form | {"name_fi": "Toinen"})
    assert again.status_code == 422
    assert "Uusi already" in again.text


def test_only_an_empty_unit_can_be_removed(county: County) -> None:
    alice = county.browser("alice")
    for key in ("health", "clinic"):
        page = alice.post(f"/units/{county.units[key]}/delete")
        assert page.status_code == 422
        assert "error-text" in page.text
    made = alice.post("/units/new", data=UNIT | {"parent_id": str(county.units["county"])})
    assert made.status_code == 303
    with county.database.read() as session:
        empty = session.exec(select(Unit).where(Unit.name_fi == "Uusi")).one()
    assert alice.post(f"/units/{empty.id}/delete").status_code == 303
    assert alice.get(f"/units/{empty.id}").status_code == 404


def test_who_keeps_a_part_of_the_tree_cannot_leave_it(county: County) -> None:
    bob = county.browser("bob")
    page = bob.get("/units").text
    assert "clinic en" in page
    assert "social en" not in page
    assert bob.get(f"/units/{county.units['social']}").status_code == 404
    for parent, code in (("clinic", 303), ("social", 422), ("county", 422), ("", 422)):
        number = str(county.units[parent]) if parent else ""
        assert bob.post("/units/new", data=UNIT | {"parent_id": number}).status_code == code
    top = bob.post(f"/units/{county.units['health']}", data=UNIT | {"parent_id": str(county.units["county"])})
    assert top.status_code == 303, "the top of his part may be renamed where it hangs"
    assert unit(county, "health").parent_id == county.units["county"]
    lobby = county.places["lobby"]
    assert bob.get(f"/places/{lobby}/edit").status_code == 404
    assert bob.post(f"/places/{lobby}/edit", data={"name": "x", "unit_id": "3"}).status_code == 404
    exit_ = county.places["exit"]
    given = bob.post(f"/places/{exit_}/edit", data={"name": "exit", "unit_id": str(county.units["social"])})
    assert given.status_code == 422


@pytest.mark.parametrize("name", ["charlie", "otto"])
def test_supervisors_and_operators_administer_no_places(county: County, name: str) -> None:
    browser = county.browser(name)
    lobby = county.places["lobby"]
    for address in (
        "/units",
        "/units/new",
        f"/units/{county.units['social']}",
        "/places/new",
        f"/places/{lobby}/edit",
    ):
        assert browser.get(address).status_code == 403
    for address in (
        f"/places/{lobby}/device",
        f"/places/{lobby}/delete",
        f"/units/{county.units['social']}/delete",
    ):
        assert browser.post(address, data={"device_id": "real00000001"}).status_code == 403


def test_a_place_is_made_renamed_and_removed(county: County) -> None:
    bob = county.browser("bob")
    made = bob.post("/places/new", data={"name": " North  exit ", "unit_id": str(county.units["clinic"])})
    address = made.headers["location"].split("?")[0]
    assert 'value="North  exit"' in bob.get(address).text
    clash = bob.post(address, data={"name": "EXIT", "unit_id": str(county.units["clinic"])})
    assert clash.status_code == 422
    assert "“EXIT”" in clash.text
    assert bob.post(address.replace("/edit", "/delete")).status_code == 303
    assert bob.get(address).status_code == 404


def test_a_place_without_name_or_unit_is_sent_back_with_what_was_typed(county: County) -> None:
    page = county.browser("bob").post("/places/new", data={"name": "", "unit_id": "", "demo": "yes"})
    assert page.status_code == 422
    assert 'id="name-error"' in page.text
    assert 'id="unit_id-error"' in page.text
    assert re.search(r'name="demo"[^>]*checked', page.text)


def test_a_device_is_put_moved_and_taken_away_without_gap_or_overlap(county: County) -> None:
    tuula = county.browser("tuula")
    exit_, lobby = county.places["exit"], county.places["lobby"]
    start = county.now
    for minute, address in enumerate((f"/places/{exit_}/device", f"/places/{lobby}/device")):
        county.now = start + minute * 60_000
        assert tuula.post(address, data={"device_id": "real00000001"}).status_code == 303
    county.now = start + 120_000
    assert tuula.post(f"/places/{lobby}/device/real00000001/take-away").status_code == 303
    with county.database.read() as session:
        rows = session.exec(select(Installation).order_by(col(Installation.id))).all()
    assert [(row.place_id, row.from_at - start, (row.to_at or 0) - start) for row in rows] == [
        (exit_, 0, 60_000),
        (lobby, 60_000, 120_000),
    ]
    assert [entry.action for entry in county.audit()[-3:]] == [
        "install device",
        "move device",
        "take device away",
    ]
    assert "Stood here earlier" in tuula.get(f"/places/{exit_}/edit").text


def test_a_clock_that_was_set_back_makes_no_interval_that_ends_before_it_began(county: County) -> None:
    with county.database.write() as session:
        for place, at in (("exit", 10_000), ("lobby", 4_000)):
            places.install(session, "t", device_id="real00000001", place_id=county.places[place], now=at)
        places.take_away(session, "t", device_id="real00000001", now=1_000)
        rows = session.exec(select(Installation).order_by(col(Installation.id))).all()
    assert [(row.from_at, row.to_at) for row in rows] == [(10_000, 10_001), (10_001, 10_002)]


def test_a_virtual_device_stands_only_at_a_demo_place(county: County) -> None:
    tuula = county.browser("tuula")
    page = tuula.post(f"/places/{county.places['exit']}/device", data={"device_id": "virt00000001"})
    assert page.status_code == 422
    assert "Virtual one is a virtual device" in page.text
    assert (
        tuula.post(f"/places/{county.places['demo']}/device", data={"device_id": "virt00000001"}).status_code
        == 303
    )
    assert stands(county) == {"virt00000001": county.places["demo"]}


@pytest.mark.parametrize("typed", ["", "nothing", "real0000000' OR 1=1"])
def test_a_device_that_is_none_is_named(county: County, typed: str) -> None:
    page = county.browser("tuula").post(f"/places/{county.places['exit']}/device", data={"device_id": typed})
    assert page.status_code == 422
    assert 'id="device_id-error"' in page.text


def test_a_technician_of_one_part_cannot_take_anothers_device(county: County) -> None:
    tuula, bob = county.browser("tuula"), county.browser("bob")
    tuula.post(f"/places/{county.places['lobby']}/device", data={"device_id": "real00000001"})
    assert (
        bob.post(f"/places/{county.places['exit']}/device", data={"device_id": "real00000001"}).status_code
        == 422
    )
    assert bob.post(f"/places/{county.places['lobby']}/device/real00000001/take-away").status_code == 404
    assert stands(county) == {"real00000001": county.places["lobby"]}


def test_taking_away_what_stands_elsewhere_by_now_changes_nothing(county: County) -> None:
    tuula = county.browser("tuula")
    tuula.post(f"/places/{county.places['exit']}/device", data={"device_id": "real00000001"})
    tuula.post(f"/places/{county.places['lobby']}/device", data={"device_id": "real00000001"})
    assert tuula.post(f"/places/{county.places['exit']}/device/real00000001/take-away").status_code == 409
    assert stands(county) == {"real00000001": county.places["lobby"]}


def test_a_place_with_a_history_is_kept(county: County) -> None:
    tuula = county.browser("tuula")
    exit_ = county.places["exit"]
    tuula.post(f"/places/{exit_}/device", data={"device_id": "real00000001"})
    tuula.post(f"/places/{exit_}/device/real00000001/take-away")
    assert tuula.post(f"/places/{exit_}/delete").status_code == 422
    with county.database.read() as session:
        assert session.get(Place, exit_) is not None


def test_open_pages_are_told_of_a_move(county: County) -> None:
    told: list[tuple[str, ...]] = []
    county.app.state.changes.notify = lambda *topics: told.append(topics)
    tuula = county.browser("tuula")
    exit_, lobby = county.places["exit"], county.places["lobby"]
    tuula.post(f"/places/{exit_}/device", data={"device_id": "real00000001"})
    tuula.post(f"/places/{lobby}/device", data={"device_id": "real00000001"})
    assert set(told[-1]) == {f"place:{exit_}", f"place:{lobby}", "device:real00000001"}

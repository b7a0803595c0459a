"""A technician's token is for the tool alone, and asks for one device with each key, however often it asks."""

import re
from typing import Any

import pytest
from sqlmodel import select

from fleet_server.accounts import service as accounts
from fleet_server.accounts.access import STATION, Rule
from fleet_server.accounts.models import ApiToken
from fleet_server.devices import contact, credentials
from fleet_server.devices.models import Device
from fleet_server.instants import HOUR_MS
from fleet_server.places import service as places
from tests.fleet_server.accounts.county import County
from tests.fleet_server.technician.conftest import Tool, both, token_of
from tests.fleet_server.web.test_every_route_has_a_rule import routes, rules

KEY = "0123456789abcdef" * 2
HALL = {"key": KEY, "name": "Hall", "model": "button5", "serial": "24:6f:28:aa:bb:cc"}
FOR_THE_TOOL = {
    ("GET", "/api/v1/station"),
    ("GET", "/api/v1/devices"),
    ("POST", "/api/v1/devices"),
    ("GET", "/api/v1/devices/{device_id}"),
    ("GET", "/api/v1/places"),
    ("POST", "/api/v1/devices/{device_id}/place"),
    ("POST", "/api/v1/devices/{device_id}/swap"),
    ("GET", "/api/v1/devices/{device_id}/acceptance"),
    ("POST", "/api/v1/devices/{device_id}/acceptance"),
    ("POST", "/api/v1/devices/{device_id}/harvest"),
}


def secret_is(county: County, device: str, secret: str) -> bool:
    with county.database.read() as session:
        return credentials.check(session, device, secret)


def test_the_token_opens_what_the_tool_needs_and_nothing_else(county: County, token: str) -> None:
    opened = set()
    headers = {"authorization": f"Bearer {token}"}
    for path, route in routes(county.app):
        if not path.startswith("/api/"):
            continue
        for method in route.methods or ():
            address = re.sub(r"{[^}]*}", "1", path)
            if county.stranger().request(method, address, headers=headers).status_code != 403:
                opened.add((method, path))
    public = {("GET", "/api/v1/openapi.json")}
    assert opened == FOR_THE_TOOL | public
    named = {
        path
        for path, route in routes(county.app)
        for rule in rules(route.dependant)
        if isinstance(rule, Rule) and rule.scope == STATION
    }
    assert named == {path for _method, path in FOR_THE_TOOL}, "what joins does so on purpose"


@pytest.mark.parametrize("end", ["hours", "revoked", "role", "shut out"])
def test_the_token_ends_with_its_hours_its_maker_and_her_role(county: County, tool: Tool, end: str) -> None:
    status, said = tool("/station")
    assert (status, said["technician"]) == (200, "tuula@example.org")
    with county.database.write() as session:
        user = accounts.by_email(session, "tuula@example.org")
        if end == "shut out":
            accounts.disable(session, county.person("alice"), user, now=county.now)
        elif end == "role":
            who = {"email": user.email, "name": user.name, "language": "en"}
            roles = [("supervisor", county.units["clinic"])]
            accounts.change_user(session, "test", user, roles=_roles(roles), now=county.now, **who)
        row = session.exec(select(ApiToken)).one()
        number = row.id
    if end == "revoked":
        assert county.browser("alice").post(f"/technician/token/{number}/revoke").status_code == 404
        assert county.browser("tuula").post(f"/technician/token/{number}/revoke").status_code == 303
    if end == "hours":
        county.now += 8 * HOUR_MS
    assert tool("/station")[0] == (403 if end == "role" else 401)


def _roles(pairs: list[tuple[str, int]]) -> list[Any]:
    from fleet_server.accounts.models import Role

    return [(Role(name), unit) for name, unit in pairs]


def test_who_is_no_technician_makes_no_token_and_no_page_takes_hours_that_are_none(county: County) -> None:
    for name in ("charlie", "otto"):
        assert county.browser(name).post("/technician/token", data={"hours": "8"}).status_code == 403
        assert county.browser(name).get("/technician").status_code == 403
    for hours in ("0", "25", "-1", "eight", ""):
        answer = county.browser("tuula").post("/technician/token", data={"hours": hours})
        assert answer.status_code in (422, 200), hours
        if answer.status_code == 200:
            assert hours == "", "an empty field takes the usual eight"
        else:
            assert f"“{hours}” is not a number of hours from 1 to 24." in answer.text
            assert f'value="{hours}"' in answer.text


@both
def test_asked_again_it_is_the_same_device_with_a_fresh_secret_until_it_was_heard(
    county: County, tool: Tool
) -> None:
    status, first = tool("/devices", HALL | {"place": county.places["exit"]})
    assert (status, first["new"], first["place_id"]) == (201, True, county.places["exit"])
    _, again = tool("/devices", HALL)
    assert (again["id"], again["new"]) == (first["id"], False)
    assert not secret_is(county, first["id"], first["secret"]), "its answer may have got lost on the way"
    assert secret_is(county, first["id"], again["secret"])
    with county.database.write() as session:
        contact.take_state(session, first["id"], {"state": "ready", "conn": 1, "next": 900}, now=county.now)
    _, heard = tool("/devices", HALL)
    assert (heard["id"], heard["secret"]) == (first["id"], None)
    assert secret_is(county, first["id"], again["secret"])
    actions = [(one.action, one.actor) for one in county.audit()[-3:]]
    who = "token:tuula@example.org (station)"
    assert actions == [("create device", who), ("install device", who), ("renew identity", who)]
    assert tool("/devices", HALL | {"model": "touch"})[1] == {
        "error": "With this key Hall was asked for, model button5. Begin anew for another device.",
        "code": "conflict",
        "field": "key",
        "value": None,
        "faults": ["key: With this key Hall was asked for, model button5. Begin anew for another device."],
    }


FAULTS: list[tuple[dict[str, Any], str, str, str]] = [
    ({"serial": ""}, "duplicate", "name", "There is a device of this name already: Hall ({id})."),
    ({"name": "hALL", "serial": ""}, "duplicate", "name", "already: Hall ({id})."),
    ({"name": "Other"}, "duplicate", "serial", "This board is a device already: Hall ({id})."),
    ({"name": "New", "serial": "", "model": "tv"}, "invalid", "model", "“tv” is not a model"),
    ({"name": "New", "serial": "", "place": 999}, "invalid", "place", "There is no place 999."),
    ({"name": " ", "serial": ""}, "invalid", "name", "This is empty."),
    ({"name": "New", "serial": "a b"}, "invalid", "serial", "should match pattern"),
    ({"name": "V", "serial": "", "virtual": True, "place": 1}, "invalid", "place", "is no demo place"),
]


@both
def test_what_cannot_be_made_is_named_and_nothing_is_made(county: County, tool: Tool) -> None:
    _, hall = tool("/devices", HALL)
    for changed, code, field, words in FAULTS:
        status, said = tool("/devices", HALL | {"key": "f" * 32} | changed)
        assert (status, said["code"], said["field"]) == (422, code, field), changed
        assert words.format(id=hall["id"]) in said["error"]
    with county.database.read() as session:
        assert session.exec(select(Device.name).where(Device.name != "Hall")).all() == [
            "Real one", "Real two", "Virtual one",
        ]  # fmt: skip


def test_a_technician_of_one_unit_places_nothing_elsewhere_and_sees_no_other_units_ids(
    county: County, tool: Tool
) -> None:
    _, hall = tool("/devices", HALL | {"place": county.places["lobby"]})
    bob = token_of(county, "bob")
    status, said = tool("/devices", HALL | {"key": "b" * 32, "serial": ""}, bob)
    assert (status, said["code"]) == (422, "duplicate")
    assert hall["id"] not in said["error"]
    assert tool("/devices", HALL, bob)[0] == 403, "her key does not help him: the device is not his to see"
    new = {"key": "b" * 32, "name": "Bob's", "model": "touch"}
    assert tool("/devices", new | {"place": county.places["lobby"]}, bob)[0] == 422
    _, made = tool("/devices", new | {"place": county.places["exit"]}, bob)
    assert tool(f"/devices/{hall['id']}/place", {"place": county.places["exit"]}, bob)[0] == 404
    assert tool(f"/devices/{made['id']}/place", {"place": county.places["lobby"]}, bob)[0] == 422
    assert tool(f"/devices/{made['id']}/place", {"place": county.places["lobby"]})[0] == 200
    assert tool(f"/devices/{made['id']}/acceptance", {}, bob)[0] == 422
    with county.database.read() as session:
        assert places.standing_of(session, made["id"]).place_id == county.places["lobby"]

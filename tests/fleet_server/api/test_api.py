"""The API answers like the pages, in numbers: what a token may not see does not exist for it."""

import re
from typing import Any

import pytest

from fleet_server.accounts.models import Role
from fleet_server.instants import HOUR_MS
from tests.conftest import MONDAY_10
from tests.fleet_server.pages.world import SET_TO_ASK, World, a_busy_morning

MORNING = {"from": "2026-03-02T00:00:00+02:00", "to": "2026-03-03T00:00:00+02:00"}


def _get(world: World, path: str, role: Role = Role.OPERATOR, unit: str | None = None, **query: Any) -> Any:
    answer = world.stranger().get(f"/api/v1{path}", params=query, headers=world.token(role, unit))
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_device_comes_with_its_two_books(world: World) -> None:
    a_busy_morning(world)
    world.publish(SET_TO_ASK, "A")
    device = _get(world, f"/devices/{world.kiosks['A'].id}")
    books = device["books"]
    assert (books["pressed"], books["received"], books["waiting"]) == (15, 12, 3)
    assert (books["counted"], books["filtered"], books["rejected"], books["lost"]) == (12, 0, 0, 0)
    assert (books["records"], books["balanced"], books["faults"]) == (16, True, [])
    assert books["as_of"] == "2026-03-02T08:00:00Z"
    assert (device["running_set"], device["wished_set"], device["place_id"]) == (None, 5, world.places["A"])
    (epoch,) = device["epochs"]
    assert (epoch["next"], epoch["received"], epoch["held"]) == (16, 12, True)


def test_books_of_a_device_that_was_never_heard_are_not_said_to_balance(world: World) -> None:
    assert _get(world, f"/devices/{world.kiosks['B'].id}")["books"]["balanced"] is None


def test_lists_are_given_in_pages_until_next_is_null(world: World) -> None:
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = _get(world, "/devices", after=after, limit=1)
        seen += [device["id"] for device in page["devices"]]
        after = page["next"]
    assert seen == sorted(kiosk.id for kiosk in world.kiosks.values())
    assert [place["id"] for place in _get(world, "/places", limit=2)["places"]] == [1, 2]
    assert _get(world, "/places", limit=2)["next"] == 2
    assert _get(world, "/places", after=2)["next"] is None


def test_counts_of_a_place_by_hour_and_by_day(world: World) -> None:
    a_busy_morning(world)
    path = f"/places/{world.places['A']}/counts"
    hours = _get(world, path, **MORNING)
    assert [(one["start"], one["counted"]) for one in hours["counts"]] == [
        ("2026-03-02T06:00:00Z", 7),
        ("2026-03-02T07:00:00Z", 5),
    ]
    assert hours["not_placed"] == {"day": 0, "month": 0, "unknown": 0}
    days = _get(world, path, grain="day", **MORNING)
    assert [(one["start"], one["counted"]) for one in days["counts"]] == [("2026-03-01T22:00:00Z", 12)]
    months = _get(world, path, grain="month", **(MORNING | {"from": "2026-03-01T00:00:00+02:00"}))
    assert [(one["start"], one["counted"]) for one in months["counts"]] == [("2026-02-28T22:00:00Z", 12)]


def test_a_press_of_unknown_time_is_in_no_hour_but_not_forgotten(world: World) -> None:
    world.kiosks["A"].press(MONDAY_10 - HOUR_MS)
    world.kiosks["A"].send(MONDAY_10)
    counts = _get(world, f"/places/{world.places['A']}/counts", **MORNING)
    assert counts["counts"] == []
    assert counts["not_placed"]["unknown"] == 1


def test_question_sets_with_their_texts(world: World) -> None:
    sets = _get(world, "/question-sets")["question_sets"]
    assert [one["number"] for one in sets] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    one = _get(world, f"/question-sets/{SET_TO_ASK}")
    assert one["body"]["questions"][0]["text"]["sv"]
    assert one["hash"] == sets[4]["hash"]


def test_no_value_of_an_answer_is_among_the_volumes(world: World) -> None:
    a_busy_morning(world)
    shapes = world.stranger().get("/api/v1/openapi.json").json()["components"]["schemas"]
    named = {name for name, shape in shapes.items() if "value" in shape.get("properties", {})}
    assert named == {"Fault", "Estimate"}, "the value of a field, and a figure of results with its interval"
    texts = [
        world.stranger().get(f"/api/v1{path}", params=MORNING, headers=world.token(Role.ADMIN)).text
        for path in ("/devices", f"/devices/{world.kiosks['A'].id}", f"/places/{world.places['A']}/counts")
    ]
    assert not any("value" in text for text in texts)


@pytest.mark.parametrize(
    "path", ["/devices/{A}", "/places/{place}/counts?from=2026-03-02T00:00:00Z&to=2026-03-03T00:00:00Z"]
)
def test_what_lies_in_another_unit_does_not_exist(world: World, path: str) -> None:
    address = "/api/v1" + path.format(A=world.kiosks["A"].id, place=world.places["A"])
    charlie = world.token(Role.SUPERVISOR, "B")
    answer = world.stranger().get(address, headers=charlie)
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "code"}
    assert world.stranger().get(address, headers=world.token(Role.SUPERVISOR, "A")).status_code == 200


def test_lists_hold_what_the_token_may_see(world: World) -> None:
    devices = _get(world, "/devices", Role.SUPERVISOR, "B")["devices"]
    assert [device["id"] for device in devices] == [world.kiosks["B"].id]
    places = _get(world, "/places", Role.SUPERVISOR, "B")["places"]
    assert [(place["id"], place["device_ids"]) for place in places] == [
        (world.places["B"], [world.kiosks["B"].id])
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/devices",
        "/devices/aaaaaaaaaaaa",
        "/places",
        "/places/1/counts",
        "/question-sets",
        "/question-sets/1",
    ],
)
@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer hymio_wrong"}, {"authorization": "Basic eDp5"}]
)
def test_without_a_good_token_nothing_is_answered(world: World, path: str, headers: dict[str, str]) -> None:
    answer = world.stranger().get(f"/api/v1{path}", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "error" in answer.json()


def test_a_signed_in_browser_may_ask_too(world: World) -> None:
    answer = world.sign_in("alice@example.org").get("/api/v1/devices")
    assert {device["name"] for device in answer.json()["devices"]} == {"Kiosk A", "Kiosk demo"}


@pytest.mark.parametrize(
    ("query", "field", "value"),
    [
        ({"from": "2026-03-02T00:00:00", "to": "2026-03-03T00:00:00Z"}, "from", "2026-03-02T00:00:00"),
        ({"from": "2026-03-02T00:00:00Z", "to": "yesterday"}, "to", "yesterday"),
        ({"from": "2026-03-02T00:00:00Z", "to": "2026-03-02T00:00:00Z"}, "to", "2026-03-02T00:00:00+00:00"),
        ({"from": "2020-01-01T00:00:00Z", "to": "2026-03-02T00:00:00Z"}, "to", "2026-03-02T00:00:00+00:00"),
        (
            {"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z", "grain": "minute"},
            "grain",
            "minute",
        ),
        (
            {"from": "0001-01-01T00:00:00+14:00", "to": "2026-03-03T00:00:00Z"},
            "to",
            "2026-03-03T00:00:00+00:00",
        ),
    ],
)
def test_a_wrong_field_is_named_with_its_value(
    world: World, query: dict[str, str], field: str, value: str
) -> None:
    answer = world.stranger().get(
        f"/api/v1/places/{world.places['A']}/counts", params=query, headers=world.token(Role.OPERATOR)
    )
    assert answer.status_code == 422
    assert (answer.json()["field"], answer.json()["value"]) == (field, value)


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 501}, {"limit": "many"}, {"after": "x" * 13}])
def test_pages_have_bounds(world: World, query: dict[str, Any]) -> None:
    answer = world.stranger().get("/api/v1/devices", params=query, headers=world.token(Role.OPERATOR))
    assert answer.status_code == 422


@pytest.mark.parametrize("number", ["0", "-1", "x", "99999999999999999999", "65000"])
def test_a_question_set_that_is_none(world: World, number: str) -> None:
    answer = world.stranger().get(f"/api/v1/question-sets/{number}", headers=world.token(Role.OPERATOR))
    assert answer.status_code in (404, 422)
    assert "error" in answer.json()


READ_ONLY = {
    "/devices",
    "/devices/{device_id}",
    "/places",
    "/places/{place_id}/counts",
    "/places/{place_id}/results",
    "/places/{place_id}/texts",
    "/units/{unit_id}/results",
    "/units/{unit_id}/texts",
    "/question-sets",
    "/question-sets/{number}",
    "/question-sets/{number}/compare/{other}",
    "/question-sets/{number}/kiosks",
    "/drafts/{draft_id}",
    "/drafts/{draft_id}/history",
    "/drafts/{draft_id}/compare",
    "/drafts/{draft_id}/texts",
    "/drafts/{draft_id}/preview/{model}/{key}.png",
    "/library",
    "/units",
    "/rollouts/{rollout_id}",
}
WRITTEN = {
    "/question-sets/{number}/archive",
    "/question-sets/{number}/restore",
    "/question-sets/{number}/label",
    "/drafts/{draft_id}/ops",
    "/drafts/{draft_id}/undo",
    "/drafts/{draft_id}/redo",
    "/drafts/{draft_id}/ask",
    "/drafts/{draft_id}/approve",
    "/drafts/{draft_id}/send-back",
    "/drafts/{draft_id}/publish",
    "/rollouts/{rollout_id}/{step}",
    "/schedules/{schedule_id}",
    "/schedules/{schedule_id}/end",
    "/drafts/{draft_id}/drop",
    "/drafts/{draft_id}/restore",
}
BOTH = {
    "/drafts",
    "/drafts/{draft_id}/preview",
    "/drafts/{draft_id}/texts.xlsx",
    "/rollouts",
    "/schedules",
}
PUT = {"/drafts/{draft_id}/texts/{language}", "/holidays"}
BY_TECHNICIANS = {  # see tests/fleet_server/technician
    "/station": {"get"},
    "/devices": {"get", "post"},
    "/devices/{device_id}/place": {"post"},
    "/devices/{device_id}/swap": {"post"},
    "/devices/{device_id}/harvest": {"post"},  # see test_harvesting.py
    "/devices/{device_id}/acceptance": {"get", "post"},
}


def test_the_description_is_public_and_names_every_path_with_what_it_may_do(world: World) -> None:
    paths = world.stranger().get("/api/v1/openapi.json").json()["paths"]
    methods = {path.removeprefix("/api/v1"): set(found) for path, found in paths.items()}
    assert methods == (
        dict.fromkeys(READ_ONLY, {"get"})
        | dict.fromkeys(WRITTEN, {"post"})
        | dict.fromkeys(BOTH, {"get", "post"})
        | dict.fromkeys(PUT, {"get", "put"})
        | {"/places/{place_id}/labels": {"put"}}
        | BY_TECHNICIANS
    )


def test_places_and_sets_are_not_written_through_it(world: World) -> None:
    for path in ("/places", "/question-sets", "/question-sets/1"):
        for method in ("post", "put", "patch", "delete"):
            answer = world.stranger().request(method, f"/api/v1{path}", headers=world.token(Role.ADMIN))
            assert answer.status_code == 405


def test_what_is_written_is_written_by_coordinators_alone(world: World) -> None:
    for path in sorted(WRITTEN | BOTH | PUT):
        address = "/api/v1" + path.replace("{language}", "sv").replace("{step}", "pause")
        address = re.sub(r"{\w+}", "1", address)
        for role in (Role.OPERATOR, Role.SUPERVISOR, Role.TECHNICIAN):
            method = "put" if path in PUT else "post"
            answer = world.stranger().request(method, address, json={}, headers=world.token(role))
            assert answer.status_code == 403, (address, role)

"""Administrators invite people, give them roles and shut them out; bad input loses nothing that was typed."""

import json
import re

import pytest

from fleet_server.accounts import service as accounts
from fleet_server.accounts.models import Role
from fleet_server.instants import DAY_MS
from fleet_server.refusals import Refused
from fleet_server.settings import Settings
from tests.fleet_server.accounts.county import PASSWORD, County

NEW = {"email": "dora@example.org", "name": "Dora", "language": "sv", "role": ["supervisor"], "unit": [""]}


def link_in(page: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:8000(/invitation/[\w-]+)", page)
    assert found, page
    return found[1]


def test_an_invited_person_sets_a_password_and_is_in(county: County) -> None:
    page = county.browser("alice").post("/people/new", data=NEW)
    assert page.status_code == 200
    link = link_in(page.text)
    browser = county.stranger()
    assert "Dora" in browser.get(link).text
    accepted = browser.post(link, data={"password": PASSWORD, "password_again": PASSWORD})
    assert accepted.headers["location"] == "/"
    account = browser.get("/account").text
    assert '<html lang="sv">' in account
    assert "dora@example.org" in account


@pytest.mark.parametrize(
    ("public", "host", "begins"),
    [
        ("", "evil.example", "http://127.0.0.1:8000/"),
        ("", "localhost:8080", "http://localhost:8080/"),  # a tunnel to this machine
        ("", "localhost@evil.example", "http://127.0.0.1:8000/"),
        ("https://hymio.county.example", "evil.example", "https://hymio.county.example/"),
        ("https://hymio.county.example", "localhost", "https://hymio.county.example/"),
    ],
)
def test_an_invitation_leads_to_this_server_whatever_host_was_asked_for(
    county: County, public: str, host: str, begins: str
) -> None:
    """Once it took over any Host header: the new person's password would have gone there."""
    county.app.state.settings = Settings(public_url=public)
    page = county.browser("alice").post("/people/new", data=NEW, headers={"host": host}).text
    assert f"{begins}invitation/" in page
    assert "evil.example" not in page


def test_an_invitation_works_once(county: County) -> None:
    link = link_in(county.browser("alice").post("/people/new", data=NEW).text)
    form = {"password": PASSWORD, "password_again": PASSWORD}
    assert county.stranger().post(link, data=form).status_code == 303
    assert county.stranger().post(link, data=form).status_code == 410
    assert county.stranger().get(link).status_code == 410


def test_an_invitation_ends_after_seven_days_and_with_the_next_one(county: County) -> None:
    alice = county.browser("alice")
    bob = f"/people/{county.people['bob']}/invite"
    first = link_in(alice.post(bob).text)
    second = link_in(alice.post(bob).text)
    assert county.stranger().get(first).status_code == 410
    assert county.stranger().get(second).status_code == 200
    county.now += 7 * DAY_MS
    assert county.stranger().get(second).status_code == 410


def test_a_made_up_invitation_is_told_as_such(county: County) -> None:
    for secret in ("nothing", "x" * 5000):
        assert county.stranger().get(f"/invitation/{secret}").status_code == 410


def test_a_bad_password_does_not_use_the_invitation_up(county: County) -> None:
    link = link_in(county.browser("alice").post("/people/new", data=NEW).text)
    browser = county.stranger()
    for password, again in (
        ("short", "short"),
        ("dora@example.org", "dora@example.org"),
        (PASSWORD, "x"),
        ("aaaaaaaaaaaaaa", "aaaaaaaaaaaaaa"),
        ("x1y2z3" * 100, "x1y2z3" * 100),
    ):
        page = browser.post(link, data={"password": password, "password_again": again})
        assert page.status_code == 422
        assert 'class="error"' in page.text
    assert browser.post(link, data={"password": PASSWORD, "password_again": PASSWORD}).status_code == 303


@pytest.mark.parametrize(
    ("field", "change", "named"),
    [
        ("email", {"email": "dora at example"}, "dora at example"),
        ("email", {"email": "BOB@example.org"}, "bob@example.org"),
        ("email", {"email": ""}, "empty"),
        ("name", {"name": "   "}, "empty"),
        ("name", {"name": "D" * 201}, "201"),
        ("name", {"name": "Do\x00ra"}, "Do\ufffdra"),
        ("language", {"language": "de"}, "de"),
        ("roles", {"role": ["king"]}, "king"),
        ("roles", {"role": [""]}, "at least one role"),
        ("roles", {"unit": ["999"]}, "999"),
        ("roles", {"unit": ["one"]}, "one"),
        ("roles", {"role": ["admin"], "unit": ["1"]}, "admin"),
    ],
)
def test_bad_input_is_named_at_its_field_and_nothing_typed_is_lost(
    county: County, field: str, change: dict[str, object], named: str
) -> None:
    typed = {**NEW, **change}
    page = county.browser("alice").post("/people/new", data=typed)
    assert page.status_code == 422
    error = re.search(rf'id="{field}-error">([^<]*)<', page.text)
    assert error, page.text
    assert named in error[1]
    if not isinstance(typed["name"], str) or "\x00" not in typed["name"]:
        assert f'value="{typed["name"]}"' in page.text
    assert f'value="{typed["email"]}"' in page.text
    with county.database.read() as session:
        assert accounts.by_email(session, "dora@example.org") is None


def test_roles_are_changed_and_the_change_is_audited(county: County) -> None:
    number = county.people["charlie"]
    form = {"email": "charlie@example.org", "name": "Charlie", "language": "en"}
    rows = {"role": ["supervisor", "coordinator", ""], "unit": [str(county.units["social"]), "", ""]}
    alice = county.browser("alice")
    assert (
        alice.post(f"/people/{number}", data=form | rows).headers["location"]
        == f"/people/{number}?done=changed"
    )
    entry = county.audit()[-1]
    assert (entry.actor, entry.action) == ("alice@example.org", "change person")
    assert json.loads(entry.before or "") == {"roles": [["supervisor", county.units["social"]]]}
    length = len(county.audit())
    alice.post(f"/people/{number}", data=form | rows)
    assert len(county.audit()) == length, "saving without a change is none"


def test_the_last_administrator_cannot_be_lost(with_passwords: County) -> None:
    alice = with_passwords.browser("alice")
    number = with_passwords.people["alice"]
    page = alice.post(f"/people/{number}/disable")
    assert page.status_code == 422
    assert "Alice is the last administrator" in page.text
    form = {
        "email": "alice@example.org",
        "name": "Alice",
        "language": "en",
        "role": ["operator"],
        "unit": [""],
    }
    assert "Alice is the last administrator" in alice.post(f"/people/{number}", data=form).text
    bob = with_passwords.people["bob"]
    alice.post(
        f"/people/{bob}",
        data={"email": "bob@example.org", "name": "Bob", "language": "en", "role": ["admin"], "unit": [""]},
    )
    assert alice.post(f"/people/{number}/disable").status_code == 303


def test_who_may_come_back_needs_a_new_password(with_passwords: County) -> None:
    alice = with_passwords.browser("alice")
    bob = with_passwords.people["bob"]
    alice.post(f"/people/{bob}/disable")
    assert alice.post(f"/people/{bob}/invite").status_code == 409
    assert alice.post(f"/people/{bob}/enable").status_code == 303
    old = with_passwords.stranger().post("/sign-in", data={"email": "bob@example.org", "password": PASSWORD})
    assert old.status_code == 422
    assert link_in(alice.post(f"/people/{bob}/invite").text)


@pytest.mark.parametrize("name", ["bob", "charlie", "tuula", "otto"])
def test_only_administrators_administer_people(county: County, name: str) -> None:
    browser = county.browser(name)
    other = county.people["alice"]
    for address in ("/people", "/people/new", f"/people/{other}", "/people/tokens"):
        assert browser.get(address).status_code == 403
    for address in ("/people/new", f"/people/{other}", f"/people/{other}/disable", f"/people/{other}/enable",
                    f"/people/{other}/invite", "/people/tokens", "/people/tokens/1/revoke"):  # fmt: skip
        assert browser.post(address, data=NEW).status_code == 403
    assert county.audit()[-1].action == "create person"


def test_a_token_is_shown_once_and_can_be_revoked(county: County) -> None:
    alice = county.browser("alice")
    page = alice.post(
        "/people/tokens", data={"name": "Warehouse", "role": "supervisor", "unit": "", "days": "30"}
    )
    token = re.search(r"hymio_[\w-]+", page.text)
    assert token
    headers = {"authorization": f"Bearer {token[0]}"}
    assert county.stranger().get("/api/v1/devices", headers=headers).status_code == 200
    assert token[0] not in alice.get("/people/tokens").text
    assert county.stranger().get("/people", headers=headers).status_code == 303, "a token opens no page"
    county.now += 31 * DAY_MS
    assert county.stranger().get("/api/v1/devices", headers=headers).status_code == 401
    county.now -= 31 * DAY_MS
    assert alice.post("/people/tokens/1/revoke").status_code == 303
    assert county.stranger().get("/api/v1/devices", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("field", "change"),
    [("name", {"name": ""}), ("role", {"role": "king"}), ("days", {"days": "many"}), ("days", {"days": "731"}),
     ("unit", {"unit": "999"}), ("unit", {"unit": "all"}), ("unit", {"role": "operator", "unit": "1"})],
)  # fmt: skip
def test_a_bad_token_form_names_its_field(county: County, field: str, change: dict[str, str]) -> None:
    form = {"name": "Warehouse", "role": "supervisor", "unit": "", "days": "30"} | change
    page = county.browser("alice").post("/people/tokens", data=form)
    assert page.status_code == 422
    assert f'id="{field}-error"' in page.text


def test_the_command_line_gets_every_fault_in_one_line(county: County) -> None:
    with county.database.write() as session, pytest.raises(Refused) as caught:
        accounts.create_user(
            session, email="x", name="", language="de", roles=[(Role.ADMIN, 1)], now=county.now
        )
    for part in ("email: “x” is not an e-mail address", "name: ", "language: “de”", "roles: The role admin"):
        assert part in str(caught.value)

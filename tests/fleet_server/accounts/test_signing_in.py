"""Signing in: who has the password gets in, who guesses is slowed, and a session ends when it should."""

from typing import Any

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from fleet_server.accounts import limits, passwords, sessions
from fleet_server.accounts import service as accounts
from fleet_server.instants import HOUR_MS, MINUTE_MS
from fleet_server.serving import uvicorn_server
from fleet_server.settings import Settings
from tests.fleet_server.accounts.county import PASSWORD, County


def sign_in(county: County, email: str = "alice@example.org", password: str = PASSWORD, **more: str) -> Any:
    """Send the form from the test client's own address."""
    return county.stranger().post("/sign-in", data={"email": email, "password": password, **more})


def test_the_right_password_opens_the_page_that_was_asked_for(with_passwords: County) -> None:
    browser = with_passwords.stranger()
    asked = browser.get("/people?done=x")
    assert asked.status_code == 303
    assert asked.headers["location"] == "/sign-in?next=/people%3Fdone%3Dx"
    assert 'value="/people?done=x"' in browser.get(asked.headers["location"]).text
    answer = browser.post(
        "/sign-in", data={"email": "Alice@Example.org ", "password": PASSWORD, "next": "/people?done=x"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/people?done=x")
    assert browser.get("/people").status_code == 200


def test_the_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites(with_passwords: County) -> None:
    cookie = sign_in(with_passwords).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    with_passwords.app.state.settings = with_passwords.app.state.settings.model_copy(
        update={"secure_cookies": True}
    )
    cookie = sign_in(with_passwords).headers["set-cookie"].lower()
    assert cookie.startswith("__host-hymio_session=")
    assert "secure" in cookie


@pytest.mark.parametrize(
    "address",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "/a\r\nb", "evil"],
)
def test_the_sign_in_leads_to_no_other_site(with_passwords: County, address: str) -> None:
    assert sign_in(with_passwords, next=address).headers["location"] == "/"


def test_a_wrong_password_says_so_at_the_field_and_keeps_the_address(with_passwords: County) -> None:
    page = sign_in(with_passwords, password="wrong password")
    assert page.status_code == 422
    assert 'id="password-error"' in page.text
    assert 'value="alice@example.org"' in page.text
    assert "wrong password" not in page.text, "a password is never sent back"


def test_empty_fields_are_named(with_passwords: County) -> None:
    page = sign_in(with_passwords, email=" ", password="")
    assert page.status_code == 422
    assert 'id="email-error"' in page.text
    assert 'id="password-error"' in page.text


def test_an_unknown_address_takes_as_long_as_a_wrong_password(
    with_passwords: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = []
    real = passwords._argon2.verify
    monkeypatch.setattr(passwords._argon2, "verify", lambda *a: verified.append(1) or real(*a))
    known = sign_in(with_passwords, password="not this one")
    unknown = sign_in(with_passwords, email="nobody@example.org", password="not this one")
    assert len(verified) == 2
    assert known.status_code == unknown.status_code
    assert known.text.replace("alice@", "X@") == unknown.text.replace("nobody@", "X@")


def test_guessing_is_stopped_and_the_window_passes(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []
    monkeypatch.setattr(passwords, "matches", lambda password, kept: tried.append(password) or False)
    for _ in range(limits.PER_PAIR):
        assert sign_in(county, password="guess").status_code == 422
    county.now += 5 * MINUTE_MS
    stopped = sign_in(county, password="guess")
    assert stopped.status_code == 429
    assert "10 minutes" in stopped.text
    assert len(tried) == limits.PER_PAIR, "the password is not even looked at"
    assert sign_in(county, email="bob@example.org", password="guess").status_code == 422, "others may go on"
    county.now += 10 * MINUTE_MS
    assert sign_in(county, password="guess").status_code == 422


def test_one_address_cannot_try_everybody(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "matches", lambda password, kept: False)
    monkeypatch.setattr(limits, "PER_ADDRESS", 3)
    codes = [sign_in(county, email=f"p{n}@example.org", password="x").status_code for n in range(4)]
    assert codes == [422, 422, 422, 429]


def from_address(county: County, address: str, password: str, **headers: str) -> int:
    """The status when Alice's form comes from this address, through uvicorn's settings for proxies."""
    application = uvicorn_server(county.app, county.app.state.settings).config
    application.load()
    client = TestClient(application.loaded_app, client=(address, 50_000), follow_redirects=False)
    form = {"email": "alice@example.org", "password": password}
    return client.post("/sign-in", data=form, headers=headers).status_code


def test_strangers_do_not_easily_lock_out_the_right_person(
    with_passwords: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "matches", lambda password, kept: password == PASSWORD)
    stranger = [from_address(with_passwords, "192.0.2.1", "guess") for _ in range(limits.PER_PAIR + 5)]
    assert stranger == [422] * limits.PER_PAIR + [429] * 5
    assert from_address(with_passwords, "192.0.2.9", PASSWORD) == 303
    many = [
        from_address(with_passwords, f"198.51.100.{n // limits.PER_PAIR}", "guess")
        for n in range(limits.PER_EMAIL)
    ]
    assert many.count(422) == limits.PER_EMAIL - limits.PER_PAIR, (
        "a right password forgets no stranger's guesses"
    )
    assert from_address(with_passwords, "203.0.113.1", "guess") == 429, "together they are stopped, too"


@pytest.mark.parametrize("sender", ["127.0.0.1", "192.0.2.1"])
def test_nobody_chooses_the_address_that_is_counted(
    county: County, monkeypatch: pytest.MonkeyPatch, sender: str
) -> None:
    monkeypatch.setattr(passwords, "matches", lambda password, kept: False)
    monkeypatch.setattr(limits, "PER_ADDRESS", 3)
    made_up = [{"x-forwarded-for": f"203.0.113.{n}"} for n in range(4)]
    assert [from_address(county, sender, "x", **header) for header in made_up] == [422, 422, 422, 429]


def test_behind_the_trusted_proxy_each_browser_is_counted_by_itself(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "matches", lambda password, kept: False)
    monkeypatch.setattr(limits, "PER_ADDRESS", 2)
    county.app.state.settings = Settings(trusted_proxy="192.0.2.1")
    told = {"x-forwarded-for": "198.51.100.7, 203.0.113.1"}
    assert [from_address(county, "192.0.2.1", "x", **told) for _ in range(3)] == [422, 422, 429]
    assert from_address(county, "192.0.2.1", "x", **{"x-forwarded-for": "203.0.113.2"}) == 422
    assert from_address(county, "192.0.2.2", "x", **{"x-forwarded-for": "203.0.113.1"}) == 422, (
        "that is no proxy"
    )


@pytest.mark.parametrize("address", ["*", "proxy.example", "127.0.0.1,", "10.0.0.1/8"])
def test_a_proxy_that_is_no_address_stops_the_start(address: str) -> None:
    with pytest.raises(ValidationError, match="trusted_proxy"):
        Settings(trusted_proxy=address)


def test_a_right_password_forgets_the_wrong_ones(
    with_passwords: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "matches", lambda password, kept: password == PASSWORD)
    for _ in range(limits.PER_PAIR - 1):
        sign_in(with_passwords, password="guess")
    assert sign_in(with_passwords).status_code == 303
    assert sign_in(with_passwords, password="guess").status_code == 422


def test_every_sign_in_is_a_new_session_and_the_browsers_old_one_ends(with_passwords: County) -> None:
    browser = with_passwords.stranger()
    secrets = []
    for _ in range(2):
        browser.post("/sign-in", data={"email": "alice@example.org", "password": PASSWORD})
        secrets.append(browser.cookies["hymio_session"])
    assert secrets[0] != secrets[1]
    old = with_passwords.stranger()
    old.cookies.set("hymio_session", secrets[0])
    assert old.get("/account").status_code == 303
    assert browser.get("/account").status_code == 200


def test_signing_out_ends_the_session_itself(county: County) -> None:
    browser = county.browser("alice")
    copy = county.stranger()
    copy.cookies.set("hymio_session", browser.cookies["hymio_session"])
    assert browser.post("/sign-out").headers["location"] == "/sign-in"
    assert copy.get("/account").status_code == 303


def test_a_session_ends_after_twelve_idle_hours(county: County) -> None:
    browser = county.browser("alice")
    for _ in range(3):
        county.now += sessions.IDLE_MS - HOUR_MS
        assert browser.get("/account").status_code == 200, "each use keeps it alive"
    county.now += sessions.IDLE_MS
    assert browser.get("/account").status_code == 303


def test_a_session_ends_after_seven_days_however_busy(county: County) -> None:
    browser = county.browser("alice")
    end = county.now + sessions.ABSOLUTE_MS
    while county.now < end - 8 * HOUR_MS:
        county.now += 8 * HOUR_MS
        assert browser.get("/account").status_code == (200 if county.now < end else 303)
    county.now = end
    assert browser.get("/account").status_code == 303


def test_who_is_shut_out_is_out_at_once(with_passwords: County) -> None:
    bob = with_passwords.browser("bob")
    assert bob.get("/account").status_code == 200
    assert (
        with_passwords.browser("alice").post(f"/people/{with_passwords.people['bob']}/disable").status_code
        == 303
    )
    assert bob.get("/account").status_code == 303
    assert sign_in(with_passwords, email="bob@example.org").status_code == 422


def test_changing_the_password_needs_the_present_one_and_ends_other_sessions(with_passwords: County) -> None:
    browser, other = with_passwords.browser("bob"), with_passwords.browser("bob")
    wrong = browser.post(
        "/account/password", data={"current": "no", "password": "short", "password_again": "shorter"}
    )
    assert wrong.status_code == 422
    for name in ("current", "password", "password_again"):
        assert f'id="{name}-error"' in wrong.text
    new = "lantern seven ferry"
    changed = browser.post(
        "/account/password", data={"current": PASSWORD, "password": new, "password_again": new}
    )
    assert changed.headers["location"] == "/account?done=password"
    assert browser.get("/account").status_code == 200
    assert other.get("/account").status_code == 303
    assert sign_in(with_passwords, email="bob@example.org", password=new).status_code == 303


def test_a_stranger_with_a_made_up_cookie_is_a_stranger(county: County) -> None:
    for secret in ("x", "x" * 5000, "ä€"):
        browser = county.stranger()
        assert (
            browser.get("/account", headers={"cookie": f"hymio_session={secret}".encode()}).status_code == 303
        )


def test_only_the_hash_of_a_password_and_of_a_session_is_kept(with_passwords: County) -> None:
    secret = with_passwords.browser("alice").cookies["hymio_session"]
    with with_passwords.database.read() as session:
        dump = "\n".join(session.connection().connection.driver_connection.iterdump())  # type: ignore[union-attr]
        assert accounts.by_email(session, "alice@example.org").password_hash.startswith("$argon2id$")  # type: ignore[union-attr]
    assert secret not in dump
    assert PASSWORD not in dump

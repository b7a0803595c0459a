"""What an attacker, a broken phone or a curious person can do at a place's public address: nothing to others."""

from collections.abc import Iterator

import pytest
from sqlmodel import Session, select

from fleet_server.instants import DAY_MS, HOUR_MS
from fleet_server.phone import limits, numbers
from fleet_server.phone.models import SentForm
from fleet_server.places.codes import ALPHABET, new_code, read_code
from fleet_server.places.models import Place
from fleet_server.questions import service as questions
from tests.conftest import MONDAY_10
from tests.fleet_server.phone.visitors import Exit, checked, hidden, written


def test_no_place_is_found_by_guessing_and_the_answer_tells_nothing(exit_: Exit) -> None:
    pages = {
        exit_.phone().get(f"/p/{code}").text
        for code in ("bbbbbbbb", "x", exit_.place.code[:-1], "%00", "a" * 3000, "öööööööö", "1'or'1")
    }
    assert len(pages) == 1
    page = pages.pop()
    assert "There is no such page" in page
    assert exit_.place.name not in page
    for path in ("/p/bbbbbbbb", "/p/bbbbbbbb/thanks"):
        assert exit_.phone().get(path).status_code == 404
    assert exit_.phone().post("/p/bbbbbbbb", data={"nps-NPS": "1"}).status_code == 404


def test_a_code_may_be_typed_in_capitals_off_a_poster(exit_: Exit) -> None:
    assert exit_.phone().get(f"/p/{exit_.place.code.upper()}").status_code == 200


def test_without_a_public_address_or_a_question_it_says_so_calmly(exit_: Exit) -> None:
    state = exit_.county.app.state
    lobby = exit_.county.places["lobby"]
    with exit_.county.database.read() as session:
        code = session.get_one(Place, lobby).code
    answer = exit_.phone().get(f"/p/{code}")
    assert (answer.status_code, "No feedback is collected here" in answer.text) == (200, True)
    state.settings = state.settings.model_copy(update={"public_address": ""})
    fields = {"nps-NPS": "9", "number": numbers.new_number(exit_.county.now), "set": "1", "lang": "en"}
    for answer in (exit_.phone().get(exit_.path), exit_.phone().post(exit_.path, data=fields)):
        assert "No feedback is collected here" in answer.text
    assert exit_.records() == []


def test_no_cookie_is_set_and_none_is_read(exit_: Exit) -> None:
    phone = exit_.county.browser("alice")
    seen = []
    person_of = exit_.county.app.state.database.read
    exit_.county.app.state.database.read = lambda: seen.append(1) or person_of()
    page = phone.get(exit_.path)
    sent = phone.post(exit_.path, data=hidden(page.text) | {"nps-NPS": "1"})
    assert not {"set-cookie"} & {*page.headers, *sent.headers}
    assert "Alice" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert len(seen) == 3, "the place twice and the set: nobody asked who it is"


@pytest.mark.parametrize("number", ["", "x", "0" * 32, "f" * 32, "A" * 32, "0123", "%00", "ä" * 32])
def test_a_made_up_form_number_books_nothing_and_loses_nothing(exit_: Exit, number: str) -> None:
    phone = exit_.phone()
    fields = exit_.open(phone) | {"number": number, "nps-NPS": "2", "text-OPEN": "<b>&amp;"}
    answer = phone.post(exit_.path, data=fields)
    assert answer.status_code == 409
    assert (checked(answer.text, "nps-NPS"), written(answer.text, "text-OPEN")) == (["2"], "<b>&amp;")
    assert exit_.records() == []


def test_a_set_of_another_place_books_nothing_and_what_fits_comes_back(exit_: Exit) -> None:
    with exit_.county.database.write() as session:
        questions.publish(session, 2, ["real00000002"], actor="test", now=exit_.county.now)
    for number in ("2", "5", "0", "99999", "-1", "1e3", "²", ""):
        fields = exit_.open(exit_.phone()) | {"set": number, "nps-NPS": "2", "text-OPEN": "keep me"}
        answer = exit_.phone().post(exit_.path, data=fields)
        assert answer.status_code == 409
        assert hidden(answer.text)["set"] == "1"
        assert (checked(answer.text, "nps-NPS"), written(answer.text, "text-OPEN")) == (["2"], "keep me")
    assert exit_.records() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"nps-NPS": "11"},
        {"nps-NPS": ["1", "2"]},
        {"agree5-K1": "0"},
        {"agree5-K1": "x"},
        {"pei-PEI-H": "3"},
        {"nps-NPS": "255"},
    ],
)
def test_a_value_that_was_not_offered_is_not_booked(exit_: Exit, fields: dict[str, str]) -> None:
    answer = exit_.answer(**fields)
    assert answer.status_code == 422
    assert "Please choose again" in answer.text
    assert exit_.records() == []


def test_a_language_of_no_set_is_not_booked(exit_: Exit) -> None:
    assert exit_.answer(**{"lang": "xx", "nps-NPS": "1"}).status_code == 409
    assert exit_.records() == []


def test_a_huge_body_is_not_read_to_its_end(exit_: Exit) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b"text-OPEN="
        while sent < 10_000_000:
            sent += 65_536
            yield b"x" * 65_536

    answer = exit_.phone().post(
        exit_.path, content=endless(), headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code == 413
    many = "&".join(f"a{number}=1" for number in range(5_000))
    assert exit_.phone().post(exit_.path, content=many).status_code == 413
    assert exit_.phone().post(exit_.path, content=b"\xff\x00\xfe").status_code == 413
    assert exit_.phone().post(exit_.path, files={"nps-NPS": b"1"}).status_code in (409, 413)
    assert exit_.records() == []


def test_another_site_cannot_send_a_form(exit_: Exit) -> None:
    fields = exit_.open(exit_.phone()) | {"nps-NPS": "9"}
    answer = exit_.phone(**{"sec-fetch-site": "cross-site"}).post(exit_.path, data=fields)
    assert answer.status_code == 403
    assert exit_.records() == []


def test_a_flood_from_one_address_is_stopped_and_its_last_form_keeps_its_answers(exit_: Exit) -> None:
    for _ in range(limits.PER_ADDRESS):
        assert exit_.answer(**{"nps-NPS": "0"}).status_code == 303
    phone = exit_.phone()
    fields = exit_.open(phone) | {"nps-NPS": "8", "text-OPEN": "still here"}
    refused = phone.post(exit_.path, data=fields)
    assert refused.status_code == 429
    assert "in 10 minutes" in refused.text
    assert int(refused.headers["retry-after"]) == 600
    assert (checked(refused.text, "nps-NPS"), written(refused.text, "text-OPEN")) == (["8"], "still here")
    assert exit_.counted() == limits.PER_ADDRESS
    exit_.county.now += limits.WINDOW_MS
    assert phone.post(exit_.path, data=hidden(refused.text) | fields).status_code == 303
    assert exit_.counted() == limits.PER_ADDRESS + 2
    exit_.balances()


def test_many_addresses_are_stopped_by_the_place_and_other_places_go_on() -> None:
    guard = limits.Limits()
    waits = [guard.take(1, f"10.0.{number // 250}.{number % 250}", now=5) for number in range(400)]
    assert waits.count(0) == limits.PER_PLACE
    assert guard.take(2, "10.9.9.9", now=6) == 0
    assert len(guard._sent) <= 2 * (limits.PER_PLACE + 1) + 2 + 400, (
        "what is refused is remembered once at most"
    )


def test_a_phone_that_changes_its_ipv6_address_is_one_phone() -> None:
    guard = limits.Limits()
    waits = [guard.take(1, f"2001:db8:1:2::{number:x}", now=5) for number in range(1, 50)]
    assert waits.count(0) == limits.PER_ADDRESS
    assert guard.take(1, "2001:db8:1:3::1", now=5) == 0
    assert guard.take(1, "testclient", now=5) == 0


def test_an_address_cannot_be_told_from_what_is_remembered() -> None:
    guard, other = limits.Limits(), limits.Limits()
    for one in (guard, other):
        one.take(1, "192.0.2.7", now=5)
    assert not guard._sent.keys() & other._sent.keys(), "each process has a salt of its own"
    before = set(guard._sent)
    guard.take(1, "192.0.2.7", now=5 + limits.WINDOW_MS)
    assert not before & guard._sent.keys(), "each window has a salt of its own, and forgets the one before"
    assert guard.take(1, "192.0.2.7", now=0) == 0, "a clock that was set back stops nobody"


def test_form_numbers_are_forgotten_once_they_are_refused_anyway(database: object, exit_: Exit) -> None:
    exit_.answer(**{"nps-NPS": "1"})
    exit_.county.now += numbers.OPEN_MS + DAY_MS + 2 * HOUR_MS
    exit_.answer(**{"nps-NPS": "1"})
    with exit_.county.database.read() as session:
        assert len(kept(session)) == 1


def kept(session: Session) -> list[str]:
    """Numbers that are remembered."""
    return list(session.exec(select(SentForm.number)).all())


def test_a_number_is_open_for_a_week() -> None:
    number = numbers.new_number(MONDAY_10)
    assert numbers.is_open(number, MONDAY_10)
    assert numbers.is_open(number, MONDAY_10 + numbers.OPEN_MS - HOUR_MS)
    assert not numbers.is_open(number, MONDAY_10 + numbers.OPEN_MS + HOUR_MS)
    assert numbers.is_open(number, MONDAY_10 - HOUR_MS), "a clock that was set back"
    assert not numbers.is_open(number, MONDAY_10 - 3 * HOUR_MS)


def test_codes_are_read_off_paper_without_doubt() -> None:
    assert not set(ALPHABET) & set("ilo01ua")
    codes = {new_code() for _ in range(1_000)}
    assert len(codes) == 1_000
    assert {read_code(code.upper()) for code in codes} == codes
    assert read_code("bcdfghj") is None
    assert read_code("bcdfghjk\n") is None

"""The page with every screen of a set: for whoever may see sets, in each language and mode, as real pictures."""

import copy
import html
import re
import struct

import pytest

from fleet_server.devices.models import Device
from fleet_server.places import service as places
from fleet_server.questions import service
from fleet_server.questions.national import national_sets
from tests.fleet_server.accounts.county import County

TOUCH = "touch0000001"


@pytest.fixture
def fleet(county: County) -> County:
    """The county with the ready sets, one set that does not fit (77), and a touchscreen at the clinic's exit."""
    body = copy.deepcopy(national_sets()[8]) | {"number": 77}
    body["questions"][0]["text"]["sv"] = "Omhändertagandeplaneringsmöte " * 6
    with county.database.write() as session:
        service.add_national(session, now=county.now)
        service.add(session, body, source="test", now=county.now)
        session.add(Device(id=TOUCH, name="Touch", model="touch", secret_sha256="0", created_at=county.now))
        session.flush()
        places.install(session, "test", device_id=TOUCH, place_id=county.places["exit"], now=county.now)
    return county


def pictures(page: str) -> list[tuple[str, str]]:
    """[(address, alternative text)]"""
    found = re.findall(r'<img src="([^"]+/screens/[^"]+)"[^>]* alt="([^"]*)"', page)
    return [(html.unescape(address), html.unescape(alt)) for address, alt in found]


def size(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])


@pytest.mark.parametrize("number", range(1, 10))
def test_every_ready_set_has_all_its_screens_and_every_text_is_told_in_words(
    fleet: County, number: int
) -> None:
    browser = fleet.browser("charlie")
    assert f'href="/question-sets/{number}/screens"' in browser.get(f"/question-sets/{number}").text
    answer = browser.get(f"/question-sets/{number}/screens")
    assert answer.status_code == 200
    assert "Everything has room" in answer.text
    shown = pictures(answer.text)
    body = national_sets()[number - 1]
    told = " ".join(alt for _, alt in shown)
    for question in body["questions"]:
        assert question["text"]["fi"] in told
        for label in question.get("labels", {}).get("fi", ()):
            assert label in told
    assert body["thanks"]["fi"] in told
    picture = browser.get(shown[0][0])
    assert size(picture.content) == (480, 320)
    assert picture.headers["content-type"] == "image/png"
    assert picture.headers["cache-control"].startswith("private")


def test_every_picture_of_a_page_is_there_and_no_two_questions_look_alike(fleet: County) -> None:
    browser = fleet.browser("alice")
    page = browser.get("/question-sets/9/screens?language=sv&mode=contrast,large").text
    drawn = {}
    for address, _ in pictures(page):
        answer = browser.get(address)
        assert answer.status_code == 200
        assert size(answer.content) == (480, 320)
        drawn[address] = answer.content
    assert len(set(drawn.values())) == len(drawn) > 15


def test_languages_modes_and_models_are_links_that_keep_what_else_was_chosen(fleet: County) -> None:
    browser = fleet.browser("alice")
    page = html.unescape(browser.get("/question-sets/1/screens?language=sv&mode=large").text)
    assert 'href="/question-sets/1/screens?model=touch&language=en&mode=large"' in page
    assert 'href="/question-sets/1/screens?model=touch&language=sv&mode=contrast,large"' in page
    assert 'href="/question-sets/1/screens?model=touch&language=sv" aria-current="true">Large text' in page
    assert 'href="/question-sets/1/screens?model=button5&language=sv&mode=large">button5' in page
    assert "Jag fick hjälp när jag behövde den" in page
    assert '<html lang="en"' in page, "the page itself is in its reader's language"
    paper = browser.get("/question-sets/1/screens?model=button5&language=sv").text
    shown = pictures(paper)
    assert size(browser.get(shown[0][0]).content) == (400, 300)
    assert "Large text" not in paper


def test_a_mode_changes_the_picture(fleet: County) -> None:
    browser = fleet.browser("alice")
    address = "/question-sets/7/screens/touch/ask-1.png?language=en"
    drawn = [
        browser.get(address + more).content for more in ("", "&mode=contrast", "&mode=large", "&mode=low")
    ]
    assert len(set(drawn)) == 4


def test_what_does_not_fit_is_said_and_framed(fleet: County) -> None:
    browser = fleet.browser("alice")
    page = browser.get("/question-sets/77/screens?language=sv").text
    assert "Not to be published to model touch" in page
    assert "Everything has room" not in page
    assert "has no room</span>" in page
    (address,) = re.findall(r'<a href="([^"]+\.png[^"]*)">See it', page)
    assert size(browser.get(html.unescape(address)).content) == (480, 320)


def test_publishing_what_does_not_fit_shows_the_screen(fleet: County) -> None:
    browser = fleet.browser("alice")
    answer = browser.post("/question-sets/77/publish", data={"device": [TOUCH]})
    assert answer.status_code == 422
    text = html.unescape(answer.text)
    assert "(Swedish) has no room on the screen of model touch" in text
    (address,) = re.findall(r'<img class="misfit" src="([^"]+)"', text)
    assert size(browser.get(address).content) == (480, 320)
    browser.post("/account/language", data={"language": "fi"})
    text = html.unescape(browser.post("/question-sets/77/publish", data={"device": [TOUCH]}).text)
    assert "(ruotsi) ei mahdu mallin touch näytölle" in text
    assert browser.post("/question-sets/9/publish", data={"device": [TOUCH]}).status_code == 303


@pytest.mark.parametrize("path", ["", "/touch/rest.png?language=fi"])
def test_nobody_sees_it_without_signing_in(fleet: County, path: str) -> None:
    answer = fleet.stranger().get(f"/question-sets/1/screens{path}")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize(
    "path",
    [
        "/question-sets/99/screens",
        "/question-sets/99/screens/touch/rest.png?language=fi",
        "/question-sets/7/screens/button5/question.png?language=fi",
        "/question-sets/7/screens/card5/rest.png?language=fi",
        "/question-sets/7/screens/none/rest.png?language=fi",
        "/question-sets/7/screens/touch/ask-99.png?language=fi",
        "/question-sets/7/screens/touch/rest.png?language=sme",
    ],
)
def test_what_there_is_not_is_not_found(fleet: County, path: str) -> None:
    assert fleet.browser("alice").get(path).status_code == 404


@pytest.mark.parametrize(
    "query", ["?model=x&language=xx&mode=loud", "?mode=large,large,,low", "?language=sme"]
)
def test_an_odd_address_shows_the_first_of_each(fleet: County, query: str) -> None:
    answer = fleet.browser("alice").get(f"/question-sets/7/screens{query}")
    assert answer.status_code == 200
    assert "Kuinka todennäköisesti" in answer.text


def test_a_set_with_faults_has_no_screens_but_its_faults(fleet: County) -> None:
    body = copy.deepcopy(national_sets()[8]) | {"number": 78, "idle_s": 1}
    with fleet.database.write() as session:
        service.add(session, body, source="test", now=fleet.now)
    page = fleet.browser("alice").get("/question-sets/78/screens").text
    assert "idle_s is 1, must be 10 to 120 seconds" in page
    assert pictures(page) == []
    assert (
        fleet.browser("alice").get("/question-sets/78/screens/touch/rest.png?language=fi").status_code == 404
    )

"""A set that cannot be read on its screen is refused before it is published, and says what to shorten."""

import copy
import time

import pytest

from fleet_server.db import Database
from fleet_server.devices.models import Device
from fleet_server.questions import service
from fleet_server.questions.national import national_sets
from fleet_server.questions.schema import MAX_TEXT_CHARACTERS, faults_of
from fleet_server.questions.views import view, view_faults
from fleet_server.screens import check
from fleet_server.screens.check import ScreenFault, misfits, screen_faults
from fleet_server.screens.scenes import scenes
from provisioning.models import MODELS
from tests.conftest import MONDAY_10

WITH_SCREEN = [name for name, model in MODELS.items() if model.size]


@pytest.fixture
def health() -> dict:
    """Set 7, for touchscreens."""
    return copy.deepcopy(national_sets()[6])


def question(body: dict, code: str) -> dict:
    return next(entry for entry in body["questions"] if entry["code"] == code)


@pytest.mark.parametrize("body", national_sets(), ids=lambda body: f"set{body['number']}")
def test_every_ready_set_fits_every_screen_that_may_ask_it(body):
    able = [model for model in WITH_SCREEN if not view_faults(body, model)]
    assert "touch" in able
    for model in able:
        assert screen_faults(body, model) == []


def test_the_check_of_the_longest_ready_set_takes_no_more_than_a_moment(health):
    """Layout only: no pixel is drawn. The bound is generous for a busy computer; alone it is some 0.3 s."""
    check._misfits.cache_clear()
    began = time.process_time()
    assert misfits(health, "touch") == ()
    assert time.process_time() - began < 5
    began = time.process_time()
    misfits(health, "touch")
    assert time.process_time() - began < 0.05, "it is remembered"


def test_a_text_without_room_names_itself_its_language_and_the_model_once(health):
    long = "Pitkäänkestäväsairaalahoitojakso " * 5
    question(health, "K1")["text"]["fi"] = long.strip()
    assert len(long) <= MAX_TEXT_CHARACTERS
    assert faults_of(health) == []
    faults = screen_faults(health, "touch")
    assert all(isinstance(fault, ScreenFault) for fault in faults)
    (fault,) = faults
    assert fault.startswith("question set 7: “Pitkäänkestävä")
    assert "(Finnish) has no room on the screen of model touch" in fault
    assert fault.key.endswith("-1")
    assert (fault.model, fault.language) == ("touch", "fi")


def test_a_word_of_the_screen_that_the_set_says_too_long_is_refused_too(health):
    health["words"] = {"notice": {"fi": "x" * 90, "sv": "Inga namn.", "en": "No names."}}
    assert faults_of(health) == []
    (fault,) = screen_faults(health, "touch")
    assert "“" + "x" * 79 + "…” (Finnish) has no room" in fault


def test_what_fits_only_without_large_text_says_so(health):
    """Shortened until it fits as a visitor first sees it: then it is the large text that has no room, or nothing."""
    labels = question(health, "KTI")["labels"]["fi"]
    for length in range(60, 4, -1):
        labels[0] = "n" * length
        found = misfits(health, "touch")
        if not any(one.mode == () for one in found):
            break
    faults = screen_faults(health, "touch")
    assert all("large text" in fault or "low reach" in fault for fault in faults)
    assert length < 60


@pytest.mark.parametrize("letter", ["ж", "漢", "\U0001f600", "\u0301"])
def test_a_letter_that_no_font_has_is_named_with_its_language(health, letter):
    question(health, "PEI-H")["labels"]["sv"][0] += letter
    health["thanks"]["en"] += letter
    faults = screen_faults(health, "touch")
    for language in ("Swedish", "English"):
        wanted = (
            f"{language} has the letter {letter!r} (U+{ord(letter):04X}), which no font of model touch has"
        )
        assert any(wanted in fault for fault in faults), faults


def test_sami_letters_can_be_drawn(health):
    health["thanks"]["fi"] = "Áâčđŋšŧžõǥǧǩʒǯåäö"
    assert screen_faults(health, "touch") == []


def test_a_button_kiosk_is_judged_by_what_its_paper_shows():
    body = copy.deepcopy(national_sets()[0])
    question(body, "NPS")["text"]["fi"] = "ж"  # not asked by buttons
    assert screen_faults(body, "button5") == []
    for language in ("fi", "sv", "en"):
        question(body, "K1")["text"][language] = "Sain apua silloin kun sitä todella tarvitsin " * 4
    assert faults_of(body) == []
    faults = screen_faults(body, "button5")
    assert any("has no room on the screen of model button5" in fault for fault in faults)
    assert screen_faults(body, "card5") == []


def test_every_question_and_every_screen_between_is_laid_out(health):
    laid_out = view(health, "touch")
    shown = scenes(laid_out, MODELS["touch"])
    assert len({one.key for one in shown}) == len(shown)
    assert {one.question for one in shown} >= set(range(len(laid_out["questions"])))
    assert {one.kind for one in shown} == {
        "rest", "ask", "chosen", "countdown", "text", "written", "phone", "thanks",
    }  # fmt: skip
    steps = {one.question: (one.scene["step"], one.scene["steps"]) for one in shown if one.kind == "ask"}
    codes = [entry["code"] for entry in laid_out["questions"]]
    assert steps[codes.index("NPS")] == (1, 7)
    assert {steps[codes.index(code)] for code in ("K1", "K5-H", "K7-H")} == {(2, 7), (3, 7)}
    assert steps[codes.index("PEI-H")] == (4, 7)


def test_a_set_that_does_not_fit_is_sent_to_nobody(database: Database, health):
    health["number"] = 77
    question(health, "KTI")["labels"]["sv"][1] = ("Klagomålshanteringsärende" * 3)[:60]
    with database.write() as session:
        session.add(Device(id="a" * 12, name="a", model="touch", secret_sha256="", created_at=MONDAY_10))
        service.add(session, health, source="test", now=MONDAY_10)
        session.flush()
        faults = service.publish(session, 77, ["a" * 12], actor="test", now=MONDAY_10)
        assert any("(Swedish) has no room on the screen of model touch" in fault for fault in faults)
        assert service.published_to(session, "a" * 12) is None

"""Question sets: what is good goes out, what is not is refused with every fault."""

import copy
import json

import pytest

from fleet_server.db import Database
from fleet_server.devices.models import Device
from fleet_server.questions import service
from fleet_server.questions.national import national_sets
from fleet_server.questions.schema import faults_of
from fleet_server.questions.types import CANT_SAY
from fleet_server.questions.views import (
    MAX_BUTTON_VIEW_BYTES,
    MAX_TOUCH_VIEW_BYTES,
    hash_of,
    view_bytes,
    view_faults,
)

MONDAY_10 = 1_772_438_400_000


@pytest.fixture
def health() -> dict:
    return national_sets()[0]


def device(id_: str, model: str = "button5") -> Device:
    return Device(id=id_, name=id_, model=model, secret_sha256="0" * 64, created_at=MONDAY_10)


@pytest.mark.parametrize("body", national_sets(), ids=lambda body: f"set{body['number']}")
def test_every_ready_set_is_good_and_fits_its_kiosks(body):
    assert faults_of(body) == []
    assert view_faults(body, "touch") == []
    assert len(view_bytes(body, "touch")) <= MAX_TOUCH_VIEW_BYTES
    if body["button"] is None:
        return
    model = "button4" if body["number"] == 6 else "button5"
    assert view_faults(body, model) == []
    assert len(view_bytes(body, model)) <= MAX_BUTTON_VIEW_BYTES


def test_each_national_text_says_where_it_comes_from():
    for body in national_sets():
        for question in body["questions"]:
            for language in body["languages"]:
                assert question["status"][language] in {"verbatim", "reconstructed", "own"}
                assert question["source"][language]


def test_a_set_with_many_faults_names_every_one_of_them(health):
    del health["questions"][1]["text"]["sv"]
    health["questions"][2]["labels"]["en"] = ["yes", "no"]
    health["questions"][3]["type"] = "stars"
    health["thanks"]["fi"] = "x" * 201
    health["button"] = "K9"
    health["idle_s"] = 3
    faults = faults_of(health)
    assert "question set 1: text 'K1' has no Swedish" in faults
    assert "question set 1: 'K2' has 2 labels in English, agree5 needs 5" in faults
    assert any("'K3-H' has type 'stars'" in fault for fault in faults)
    assert "question set 1: text 'thanks' in Finnish has 201 characters, at most 200 fit" in faults
    assert "question set 1: button asks 'K9', which is none of its questions" in faults
    assert "question set 1: idle_s is 3, must be 10 to 120 seconds" in faults
    assert len(faults) == 6


@pytest.mark.parametrize(
    "body", [None, [], "x", {}, {"number": True}, {"number": 70000}, {"questions": [1, None]}]
)
def test_whatever_comes_in_has_faults_and_raises_nothing(body):
    assert faults_of(body)


def test_a_code_of_spaces_is_none(health):
    health["questions"][2]["code"] = "   "
    assert faults_of(health) == ["question set 1: question 3 has code '   ', must be a text"]


@pytest.mark.parametrize("language", [["fi"], {"fi": 1}])
def test_a_language_that_is_no_text_is_a_fault(health, language):
    health["languages"] = [*health["languages"], language]
    assert any(f"language {language!r} is unknown" in fault for fault in faults_of(health))


def test_half_of_a_character_is_a_fault_and_keeps_the_set_out(database: Database, health):
    health["thanks"]["fi"] = json.loads('"Kiitos \\ud83d"')
    wanted = "question set 1: has '\\ud83d', half of a character, in one of its texts"
    assert faults_of(health) == [wanted]
    with database.write() as session, pytest.raises(service.SetRefused) as refusal:
        service.add(session, health, source="test", now=MONDAY_10)
    assert str(refusal.value) == wanted


def test_a_set_over_16_kib_is_refused(health):
    health["questions"] = [
        {**copy.deepcopy(health["questions"][1]), "code": f"Q{n}", "source": {"fi": "s" * 1000}}
        for n in range(20)
    ]
    health["button"] = "Q0"
    assert any("must be at most 16384" in fault for fault in faults_of(health))


def test_a_view_names_the_position_in_the_whole_set(health):
    view = json.loads(view_bytes(health, "button5"))
    assert [question["position"] for question in view["questions"]] == [1]
    assert view["button"] == {"question": 1}
    assert view["questions"][0]["text"]["sv"] == "Jag fick hjälp när jag behövde den"


def test_publishing_wishes_the_set_of_each_device_and_finds_its_view_by_hash(database: Database, health):
    with database.write() as session:
        service.add_national(session, now=MONDAY_10)
        session.add(device("aaaaaaaaaaaa"))
        session.add(device("bbbbbbbbbbbb"))
        session.flush()
        assert (
            service.publish(session, 1, ["aaaaaaaaaaaa", "bbbbbbbbbbbb"], actor="test", now=MONDAY_10) == []
        )
        assert service.publish(session, 3, ["aaaaaaaaaaaa"], actor="test", now=MONDAY_10) == []
    with database.read() as session:
        assert service.published_to(session, "aaaaaaaaaaaa").number == 3
        assert service.published_to(session, "bbbbbbbbbbbb").number == 1
        view = view_bytes(health, "button5")
        assert service.view_for_hash(session, "aaaaaaaaaaaa", hash_of(view)) == view
        assert service.view_for_hash(session, "bbbbbbbbbbbb", "0" * 64) is None


def test_a_model_that_cannot_ask_the_question_is_refused_by_name_and_nobody_gets_it(database: Database):
    with database.write() as session:
        service.add_national(session, now=MONDAY_10)
        session.add(device("aaaaaaaaaaaa"))
        session.add(device("bbbbbbbbbbbb", "button4"))
        session.flush()
        faults = service.publish(
            session, 1, ["aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"], actor="test", now=MONDAY_10
        )
        assert (
            "question set 1: 'K1' (five steps of agreement) cannot be asked by a button kiosk (model button4); "
            "it can ask smiley4" in faults
        )
        assert "device 'cccccccccccc' does not exist" in faults
        assert service.published_to(session, "aaaaaaaaaaaa") is None


def test_a_faulty_set_can_be_kept_but_not_published(database: Database, health):
    health["number"] = 77
    del health["questions"][1]["text"]["sv"]
    with database.write() as session:
        session.add(device("aaaaaaaaaaaa"))
        service.add(session, health, source="test", now=MONDAY_10)
        faults = service.publish(session, 77, ["aaaaaaaaaaaa"], actor="test", now=MONDAY_10)
        assert faults == ["question set 77: text 'K1' has no Swedish"]


def test_a_number_is_never_given_to_another_set(database: Database, health):
    with database.write() as session:
        service.add(session, health, source="test", now=MONDAY_10)
        service.add(session, copy.deepcopy(health), source="test", now=MONDAY_10)
        health["name"] = "another"
        with pytest.raises(service.SetRefused, match="number is taken"):
            service.add(session, health, source="test", now=MONDAY_10)


def test_the_values_that_a_record_may_carry_come_from_its_question(database: Database):
    with database.write() as session:
        service.add_national(session, now=MONDAY_10)
        assert service.known_values(session, 1, 1) == {1, 2, 3, 4, 5, CANT_SAY}
        assert service.known_values(session, 1, 99) is None
        assert service.known_values(session, 999, 0) is None

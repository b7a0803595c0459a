"""A visitor's form: what it asks, that its answers are booked like a kiosk's, that one form counts once."""

import asyncio
import json
import re
from collections import Counter

import httpx
import pytest
from sqlmodel import select

from fleet_server.accounts import county as rules
from fleet_server.answers.wire import MAX_TEXT_BYTES
from fleet_server.devices.models import QR, Device
from fleet_server.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from fleet_server.places import hours
from fleet_server.places import service as places
from fleet_server.places.models import OpeningHours
from fleet_server.questions import service as questions
from tests.fleet_server.phone.visitors import Exit, checked, hidden, written


def test_the_answers_of_a_form_are_booked_at_its_place(exit_: Exit) -> None:
    answer = exit_.answer(**{"nps-NPS": "9", "agree5-K1": "255", "text-OPEN": "Kiitos!\r\nHyvä henkilökunta"})
    assert answer.status_code == 303
    page = exit_.phone().get(answer.headers["location"]).text
    assert "Thank you for your feedback!" in page
    assert "Your answers have arrived" in page
    records = exit_.records()
    assert [(one.question, one.value, one.body) for one in records] == [
        (0, 9, b""),
        (1, 255, b""),
        (9, 0, "Kiitos!\nHyvä henkilökunta".encode()),
    ]
    assert [one.session for one in records] == [0, 1, 2]
    assert {(one.set_number, one.language, one.place_id, one.grain, one.filtered) for one in records} == {
        (1, 2, exit_.place.id, "hour", None)
    }
    assert exit_.counted() == 3
    exit_.balances()


def test_the_form_asks_every_question_of_the_set_in_each_of_its_languages(exit_: Exit) -> None:
    with exit_.county.database.read() as session:
        row = questions.all_sets(session)[0]
        body = questions.body_of(row)
    for code in ("fi", "sv", "en"):
        page = exit_.phone().get(f"{exit_.path}?lang={code}").text
        assert f'<html lang="{code}">' in page
        for question in body["questions"]:
            assert f'data-question="{question["code"]}"' in page
            assert question["text"][code].split("?")[0][:30] in page.replace("&#39;", "'")


@pytest.mark.parametrize(
    ("accepted", "shown"), [("sv-FI,sv;q=0.9", "sv"), ("de, en;q=0.5", "en"), ("de", "fi"), ("", "fi")]
)
def test_the_phone_chooses_the_language(exit_: Exit, accepted: str, shown: str) -> None:
    assert f'<html lang="{shown}">' in exit_.phone(**{"accept-language": accepted}).get(exit_.path).text


def test_another_language_keeps_what_was_filled_in(exit_: Exit) -> None:
    phone = exit_.phone()
    fields = exit_.open(phone)
    page = phone.post(exit_.path, data=fields | {"nps-NPS": "3", "text-OPEN": "hi", "to": "sv"}).text
    assert '<html lang="sv">' in page
    assert (checked(page, "nps-NPS"), written(page, "text-OPEN")) == (["3"], "hi")
    assert hidden(page) == fields | {"lang": "sv"}
    assert exit_.records() == []


def test_a_form_that_is_sent_twice_counts_once(exit_: Exit) -> None:
    phone = exit_.phone()
    fields = exit_.open(phone) | {"nps-NPS": "9"}
    first = phone.post(exit_.path, data=fields)
    again = phone.post(exit_.path, data=fields | {"nps-NPS": "0"})
    assert "again" not in first.headers["location"]
    assert "it counts once" in phone.get(again.headers["location"]).text
    exit_.county.now += 6 * DAY_MS
    assert "again=1" in phone.post(exit_.path, data=fields).headers["location"]
    assert [one.value for one in exit_.records()] == [9]


def test_a_double_click_counts_once(exit_: Exit) -> None:
    fields = exit_.open(exit_.phone()) | {"nps-NPS": "9"}

    async def eight_times() -> list[httpx.Response]:
        transport = httpx.ASGITransport(exit_.county.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as phone:
            return await asyncio.gather(*(phone.post(exit_.path, data=fields) for _ in range(8)))

    answers = asyncio.run(eight_times())
    assert [answer.status_code for answer in answers] == [303] * 8
    assert sum("again" not in answer.headers["location"] for answer in answers) == 1
    assert len(exit_.records()) == 1
    exit_.balances()


def test_what_is_not_booked_may_be_sent_again(exit_: Exit, monkeypatch: pytest.MonkeyPatch) -> None:
    from fleet_server.phone import receiving

    fields = exit_.open(exit_.phone()) | {"nps-NPS": "9"}

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(receiving.journal, "write_down", fails)
        with pytest.raises(RuntimeError):
            exit_.phone().post(exit_.path, data=fields)
    assert exit_.phone().post(exit_.path, data=fields).headers["location"].count("again") == 0
    assert len(exit_.records()) == 1


def test_a_whole_waiting_room_may_give_the_same_answer_at_once(exit_: Exit) -> None:
    for _ in range(25):
        assert exit_.answer(**{"nps-NPS": "9"}).status_code == 303
        exit_.county.now += SECOND_MS // 2
    assert exit_.counted() == 25
    assert {one.filtered for one in exit_.records()} == {None}
    exit_.balances()


def test_an_answer_of_the_evening_counts(exit_: Exit) -> None:
    weekly = json.dumps({day: [["08:00", "16:00"]] for day in hours.DAYS})
    with exit_.county.database.write() as session:
        session.add(OpeningHours(place_id=exit_.place.id or 0, from_at=0, weekly=weekly))
    exit_.county.now += 12 * HOUR_MS
    exit_.answer(**{"nps-NPS": "9"})
    assert exit_.counted() == 1
    exit_.balances()


def test_one_answer_is_enough_and_none_is_not_sent(exit_: Exit) -> None:
    empty = exit_.answer(**{"text-OPEN": "  \r\n "})
    assert empty.status_code == 422
    assert "One answer is enough" in empty.text
    assert exit_.answer(**{"smiley4-NOTHING": "1", "pei-PEI-H": "2"}).status_code == 303
    assert [one.value for one in exit_.records()] == [2]


def test_a_text_that_is_too_long_comes_back_whole(exit_: Exit) -> None:
    text = "ä" * (MAX_TEXT_BYTES // 2) + "bcd"
    answer = exit_.answer(**{"nps-NPS": "4", "text-OPEN": text})
    assert answer.status_code == 422
    assert "3 characters too long" in answer.text
    assert (checked(answer.text, "nps-NPS"), written(answer.text, "text-OPEN")) == (["4"], text)
    assert exit_.records() == []
    fitting = hidden(answer.text) | {"nps-NPS": "4", "text-OPEN": text[:-3]}
    assert exit_.phone().post(exit_.path, data=fitting).status_code == 303
    assert len(exit_.records()[1].body) == MAX_TEXT_BYTES


def test_a_form_that_was_opened_before_a_new_set_is_booked_by_the_questions_its_giver_read(
    exit_: Exit,
) -> None:
    fields = exit_.open(exit_.phone()) | {"nps-NPS": "8", "text-OPEN": "long thought over"}
    with exit_.county.database.write() as session:
        assert questions.publish(session, 5, ["real00000001"], actor="test", now=exit_.county.now + 1) == []
    assert exit_.open(exit_.phone())["set"] == "5"
    assert exit_.phone().post(exit_.path, data=fields).status_code == 303
    assert {one.set_number for one in exit_.records()} == {1}
    assert len(exit_.records()) == 2


def test_a_form_that_was_open_too_long_comes_back_filled_in_and_can_be_sent(exit_: Exit) -> None:
    phone = exit_.phone()
    fields = exit_.open(phone) | {"nps-NPS": "8", "text-OPEN": "from last month"}
    exit_.county.now += 8 * DAY_MS
    answer = phone.post(exit_.path, data=fields)
    assert answer.status_code == 409
    assert "open for a long time" in answer.text
    assert (checked(answer.text, "nps-NPS"), written(answer.text, "text-OPEN")) == (["8"], "from last month")
    assert exit_.records() == []
    again = {name: value for name, value in fields.items() if "-" in name}
    assert phone.post(exit_.path, data=hidden(answer.text) | again).status_code == 303
    assert len(exit_.records()) == 2


def test_the_place_asks_what_is_wished_of_its_device_else_what_it_asked_last(exit_: Exit) -> None:
    county = exit_.county
    with county.database.write() as session:
        questions.publish(session, 5, ["real00000002"], actor="test", now=county.now)
        places.install(
            session, "test", device_id="real00000002", place_id=exit_.place.id or 0, now=county.now + 2
        )
        places.take_away(session, "test", device_id="real00000001", now=county.now + MINUTE_MS)
    assert exit_.open(exit_.phone())["set"] == "5"
    with county.database.write() as session:
        places.take_away(session, "test", device_id="real00000002", now=county.now + 2 * MINUTE_MS)
        questions.publish(session, 4, ["real00000002"], actor="test", now=county.now + 3 * MINUTE_MS)
    assert exit_.open(exit_.phone())["set"] == "5", "a set for a device that has left is none of this place"


def test_months_hours_and_clocks_that_go_back_leave_the_books_in_balance(exit_: Exit) -> None:
    county = exit_.county
    start = county.now
    for now in (0, 58 * MINUTE_MS, HOUR_MS, 40 * DAY_MS, 39 * DAY_MS, 400 * DAY_MS, 2 * DAY_MS):
        county.now = start + now
        assert exit_.answer(**{"nps-NPS": "7", "text-OPEN": "x" * 900}).status_code == 303
        exit_.balances()
    assert exit_.counted() == 14
    assert {one.grain for one in exit_.records()} == {"hour"}


def test_a_visit_with_many_long_texts_is_booked_whole(exit_: Exit) -> None:
    text = {"fi": "Kerro", "sv": "Berätta", "en": "Tell us"}
    body = {
        "number": 90,
        "name": "Texts",
        "version": "1",
        "languages": ["fi", "sv", "en"],
        "questions": [
            {"code": "V", "type": "smiley5", "text": text, "labels": {c: list("abcde") for c in text}}
        ]
        + [{"code": f"T{number}", "type": "text", "text": text} for number in range(19)],
        "thanks": text,
        "button": "V",
    }
    with exit_.county.database.write() as session:
        questions.add(session, body, source="test", now=exit_.county.now)
        assert questions.publish(session, 90, ["real00000001"], actor="test", now=exit_.county.now) == []
    written_texts = {f"text-T{number}": f"{number} " + "ö" * 490 for number in range(19)}
    assert exit_.answer(**written_texts).status_code == 303
    assert [one.body.decode() for one in exit_.records()] == list(written_texts.values())
    assert [one.session for one in exit_.records()] == list(range(19))
    exit_.balances()


def test_a_demo_place_answers_too_and_its_phones_are_virtual(exit_: Exit) -> None:
    county = exit_.county
    with county.database.write() as session:
        questions.publish(session, 5, ["virt00000001"], actor="test", now=county.now)
        places.install(
            session, "test", device_id="virt00000001", place_id=county.places["demo"], now=county.now
        )
        demo = Exit(county, session.get_one(places.Place, county.places["demo"]))
    assert "Demo" in demo.phone().get(demo.path).text
    assert demo.answer(**{"smiley5-VISIT-5": "5"}).status_code == 303
    with county.database.read() as session:
        assert session.exec(select(Device.virtual).where(Device.channel == QR)).all() == [True]
    assert demo.counted() == 1
    demo.balances()


def test_a_set_with_a_rotation_asks_each_form_some_and_keeps_to_them(exit_: Exit) -> None:
    with exit_.county.database.write() as session:
        assert session.get_one(Device, "real00000001").model == "button5"
        session.get_one(Device, "real00000001").model = "touch"
        session.flush()
        assert questions.publish(session, 7, ["real00000001"], actor="test", now=exit_.county.now + 1) == []
    drawn: Counter[str] = Counter()
    for _ in range(40):
        phone = exit_.phone()
        page = phone.get(exit_.path).text
        shown = re.findall(r'data-question="([^"]+)"', page)
        some = [code for code in shown if re.fullmatch(r"K\d(-H)?", code)]
        assert len(some) == 2
        assert [code for code in shown if code not in some] == ["NPS", "PEI-H", "KTI", "OPEN", "BETTER"]
        drawn.update(some)
        other = phone.post(exit_.path, data=hidden(page) | {"to": "sv"}).text
        assert re.findall(r'data-question="([^"]+)"', other) == shown
    assert len(drawn) == 7, "all seven have their turn"
    answer = exit_.answer(**{"agree5-K1": "4", "agree5-K2": "3", "agree5-K7-H": "1", "choice-KTI": "2"})
    assert answer.status_code == 303, "what another form showed is booked, too"
    assert [one.value for one in exit_.records()] == [4, 3, 1, 2]
    exit_.balances()


def test_a_form_that_comes_back_under_a_new_number_still_shows_what_was_filled_in(exit_: Exit) -> None:
    with exit_.county.database.write() as session:
        session.get_one(Device, "real00000001").model = "touch"
        session.flush()
        assert questions.publish(session, 7, ["real00000001"], actor="test", now=exit_.county.now + 1) == []
    fields = exit_.open(exit_.phone())
    every = {f"agree5-{code}": "5" for code in ("K1", "K2", "K3-H", "K4-H", "K5-H", "K6-H", "K7-H")}
    exit_.county.now += 9 * DAY_MS
    page = exit_.phone().post(exit_.path, data=fields | every).text
    assert all(checked(page, name) == ["5"] for name in every)


def test_several_choices_are_one_answer(exit_: Exit) -> None:
    words = {"fi": "a", "sv": "b", "en": "c"}
    labels = {code: ["one", "two", "three"] for code in words}
    body = {
        "number": 91,
        "name": "Several",
        "version": "1",
        "languages": ["fi", "sv", "en"],
        "questions": [
            {"code": "V", "type": "smiley5", "text": words, "labels": {c: list("abcde") for c in words}},
            {"code": "S", "type": "choice", "several": True, "text": words, "labels": labels},
        ],
        "thanks": words,
        "button": "V",
    }
    with exit_.county.database.write() as session:
        questions.add(session, body, source="test", now=exit_.county.now)
        assert questions.publish(session, 91, ["real00000001"], actor="test", now=exit_.county.now) == []
    assert 'type="checkbox"' in exit_.phone().get(exit_.path).text
    assert exit_.answer(**{"choice-S": ["4", "1", "4"]}).status_code == 303
    assert [one.value for one in exit_.records()] == [5]
    assert exit_.answer(**{"choice-S": ["8"]}).status_code == 422


def test_the_thanks_lead_to_the_results_once_everybody_may_see_them(exit_: Exit) -> None:
    thanks = f"{exit_.path}/thanks?lang=en&set=1"
    assert "/results" not in exit_.phone().get(thanks).text
    with exit_.county.database.write() as session:
        rules.change(
            session, "test", second_person=False, required_languages=["fi"], public_results=True, now=exit_.county.now
        )  # fmt: skip
    assert f'href="{exit_.path}/results?lang=en"' in exit_.phone().get(thanks).text

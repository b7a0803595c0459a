"""Questions that take turns on button kiosks: from the draft's page to what the kiosk's own program asks on a date."""

import html
import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from fleet_server.devices import desired
from fleet_server.devices.models import Device
from fleet_server.drafts import service as drafts
from fleet_server.instants import DAY_MS, HOUR_MS, local
from fleet_server.places import service as places
from fleet_server.questions import service as questions
from fleet_server.questions.compare import compare
from fleet_server.questions.schema import faults_of
from fleet_server.questions.turns import MOST_THEN, codes_in_turn, turn_on
from fleet_server.questions.views import view_faults
from fleet_server.schedules import service as schedules
from fleet_server.screens.check import screen_faults
from fleet_server.screens.gallery import gallery_of, png_of
from tests.fleet_server.accounts.county import County
from tests.fleet_server.faults.asking_kiosk import AskingKiosk

DEVICE = "real00000001"
TURNS, SEASONAL, BIG = 80, 81, 82
WISH_BYTES = 4096  # what a kiosk takes


def in_turns(number: int, every: str, count: int) -> dict[str, Any]:
    """The ready set with one question of five faces, asked in turn with copies of that question."""
    from fleet_server.questions.national import national_sets

    body = json.loads(json.dumps(national_sets()[4])) | {"number": number, "name": f"In turn {number}"}
    [first, *_rest] = body["questions"]
    body["questions"] = [first]
    for place in range(2, count + 1):
        body["questions"].append(json.loads(json.dumps(first)) | {"code": f"OWN-{place}"})
    body["button"] = first["code"]
    body["turns"] = {"every": every, "then": [f"OWN-{place}" for place in range(2, count + 1)]}
    return body


class Exit:
    """The kiosk at the exit, which was published the set in turns."""

    def __init__(self, county: County, root: Path) -> None:
        self.county = county
        self.kiosk = AskingKiosk(DEVICE, root, county.database, lambda: county.now)

    def publish(self, body: dict[str, Any]) -> None:
        with self.county.database.write() as session:
            questions.add(session, body, source="test", now=self.county.now)
            number = body["number"]
            assert questions.publish(session, number, [DEVICE], actor="test", now=self.county.now) == []
            desired.refresh(session, DEVICE, now=self.county.now)
        self.kiosk.exchange()

    def position(self) -> int:
        """The position, in the set, of the question that a visitor meets now."""
        self.kiosk.sets.switch()
        active = self.kiosk.sets.active
        assert active is not None
        return int(active["button"]["question"])

    def wish(self) -> dict[str, Any]:
        with self.county.database.read() as session:
            kept = session.get_one(Device, DEVICE).desired or ""
        assert len(kept.encode()) <= WISH_BYTES
        found: dict[str, Any] = json.loads(kept)
        return found


@pytest.fixture
def exit_(county: County, tmp_path: Path) -> Exit:
    with county.database.write() as session:
        questions.add_national(session, now=county.now)
        places.install(session, "test", device_id=DEVICE, place_id=county.places["exit"], now=county.now)
    return Exit(county, tmp_path / "kiosk")


@pytest.mark.parametrize(("every", "count"), [("day", 2), ("day", 4), ("week", 2), ("week", 3)])
def test_the_kiosk_asks_whose_turn_it_is_for_two_months_without_a_network(
    exit_: Exit, every: str, count: int
) -> None:
    body = in_turns(TURNS, every, count)
    assert faults_of(body) == []
    exit_.publish(body)
    assert [number for number, _hash in exit_.kiosk.sets.held()] == [TURNS] * count, "all are here beforehand"
    start, asked = exit_.county.now, []
    for days in range(60):
        for hours in (-9, 0, 13):  # 01:00, 10:00 and 23:00 in Finland
            exit_.county.now = start + days * DAY_MS + hours * HOUR_MS
            today = local(exit_.county.now).date()
            assert exit_.position() == turn_on(body, today), today
        asked.append(turn_on(body, local(start + days * DAY_MS).date()))
    fair = Counter(asked)
    assert max(fair.values()) - min(fair.values()) <= (1 if every == "day" else 7)
    exit_.county.now = start + 400 * DAY_MS
    assert exit_.position() == 0, "longer away than the dates reach: the first question"


def test_the_midnights_at_which_the_clocks_change_are_midnights_too(exit_: Exit) -> None:
    body = in_turns(TURNS, "day", 2)
    exit_.publish(body)
    before = exit_.county.now + 26 * DAY_MS + 11 * HOUR_MS  # Saturday 28 March, 21:00
    for half_hours in range(60):
        exit_.county.now = before + half_hours * HOUR_MS // 2
        assert exit_.position() == turn_on(body, local(exit_.county.now).date())


def test_the_wish_changes_once_a_month_and_reaches_two_months_ahead(exit_: Exit) -> None:
    exit_.publish(in_turns(TURNS, "day", 4))
    wishes = set()
    start = exit_.county.now
    for days in range(0, 120):
        exit_.county.now = start + days * DAY_MS
        exit_.kiosk.exchange()
        sets = exit_.wish()["sets"]
        wishes.add(json.dumps(sets))
        last = max(day for entry in sets[1:] for day in entry["hours"]["only"])
        assert date.fromisoformat(last) - local(exit_.county.now).date() >= timedelta(days=55)
    assert len(wishes) == 4, "March, April, May, June"


def test_a_kiosk_without_a_clock_goes_on_with_the_question_that_it_asked_last(exit_: Exit) -> None:
    body = in_turns(TURNS, "day", 2)
    exit_.publish(body)
    while exit_.position() != 1:
        exit_.county.now += DAY_MS
    exit_.kiosk.restart_without_clock()
    assert exit_.position() == 1


def test_a_schedule_goes_before_the_turns_and_has_turns_of_its_own(exit_: Exit) -> None:
    exit_.publish(in_turns(TURNS, "day", 3))
    seasonal = in_turns(SEASONAL, "day", 2)
    with exit_.county.database.write() as session:
        questions.add(session, seasonal, source="test", now=exit_.county.now)
        schedules.save(
            session, exit_.county.person("alice"), None, name="Flu season", set_number=SEASONAL,
            choice={"places": [exit_.county.places["exit"]]}, first_day="", last_day="2026-03-22",
            weekly='{"mon": [["08:00", "16:00"]], "tue": [["08:00", "16:00"]]}', holidays="not",
            now=exit_.county.now,
        )  # fmt: skip
        desired.refresh(session, DEVICE, now=exit_.county.now)
    exit_.kiosk.exchange()
    exit_.wish()
    met = Counter()
    for _day in range(28):
        today = local(exit_.county.now).date()
        position, running = exit_.position(), exit_.kiosk.asks
        is_seasonal = today.weekday() < 2 and today <= date(2026, 3, 22)
        wanted = seasonal if is_seasonal else in_turns(TURNS, "day", 3)
        assert (running, position) == (wanted["number"], turn_on(wanted, today)), today
        met[running, position] += 1
        exit_.county.now += DAY_MS
    assert {place for number, place in met if number == SEASONAL} == {0, 1}


def test_a_printed_card_knows_no_turns_and_its_model_is_named() -> None:
    body = in_turns(TURNS, "week", 2)
    [fault] = view_faults(body, "card5")
    assert "model card5 has a printed card and asks one question" in fault
    assert view_faults(body, "button5") == []
    assert view_faults(body, "touch") == view_faults(body | {"turns": None}, "touch")
    body["questions"][1] |= {"type": "nps", "labels": {}}
    body["questions"][1]["labels"] = {one: ["a", "b"] for one in body["languages"]}
    assert "'OWN-2'" in view_faults(body, "button5")[0], "each of them must fit the buttons"


@pytest.mark.parametrize(
    ("turns", "why"),
    [
        ("daily", "must hold `every`"),
        ({"every": "month", "then": ["OWN-2"]}, "must hold `every`"),
        ({"every": "day", "then": []}, "has 0 questions after the first one"),
        ({"every": "day", "then": ["OWN-2"] * 4}, f"must be 1 to {MOST_THEN}"),
        ({"every": "day", "then": ["OWN-2", "OWN-2"]}, "asks 'OWN-2' twice"),
        ({"every": "day", "then": ["K9"]}, "asks 'K9', which is none of its questions"),
        ({"every": "day", "then": [7]}, "must hold `every`"),
    ],
)
def test_turns_that_are_none_are_a_fault_that_names_them(turns: Any, why: str) -> None:
    assert any(why in fault for fault in faults_of(in_turns(TURNS, "day", 2) | {"turns": turns}))


def test_turns_without_a_first_question_are_a_fault() -> None:
    body = in_turns(TURNS, "day", 2) | {"button": None}
    assert any("needs a first question" in fault for fault in faults_of(body))


def test_each_question_in_turn_is_checked_on_the_screen_and_shown(exit_: Exit) -> None:
    body = in_turns(TURNS, "day", 2)
    assert screen_faults(body, "button5") == []
    shown = gallery_of(body, "/x", "80", "button5", "fi", "")
    assert [picture.question for picture in shown["pictures"]][:2] == codes_in_turn(body)
    keys = [picture.address.rpartition("/")[2].partition(".png")[0] for picture in shown["pictures"]]
    assert keys[:2] == ["question", "question-2"]
    body["questions"][1]["text"]["fi"] = "Pitkäsana" * 22
    [fault, *_more] = screen_faults(body, "button5")
    assert "has no room" in fault
    assert getattr(fault, "key", "") == "question-2"
    assert png_of(body, "button5", "question", "fi", "") != png_of(body, "button5", "question-2", "fi", "")


def test_the_comparison_says_that_the_turns_are_others() -> None:
    old, new = in_turns(TURNS, "day", 2), in_turns(TURNS, "week", 2)
    found = compare(old, new)
    assert "in turn on button kiosks: OWN-2 (week), before OWN-2 (day)" in map(str, found.other)


def test_turns_are_chosen_on_the_drafts_page_taken_back_and_follow_a_removed_question(exit_: Exit) -> None:
    county = exit_.county
    bob = county.browser("alice")
    with county.database.write() as session:
        questions.add(session, in_turns(BIG, "day", 3) | {"turns": None}, source="test", now=county.now)
        row = drafts.new(session, county.person("alice"), "Autumn", copy_of=BIG, now=county.now)
        draft_id = row.id or 0

    def body() -> dict[str, Any]:
        with county.database.read() as session:
            found = drafts.get(session, draft_id)
            assert found is not None
            return drafts.body(found)

    def send(**fields: str) -> Any:
        with county.database.read() as session:
            found = drafts.get(session, draft_id)
            assert found is not None
            revision = found.revision
        sent = {"revision": str(revision)} | {key.replace("_", "/"): value for key, value in fields.items()}
        return bob.post(f"/drafts/{draft_id}", data=sent)

    assert 'name="turns/0"' in bob.get(f"/drafts/{draft_id}").text
    answer = send(turns_0="OWN-2", turns_1="OWN-3", turns_every="week")
    assert answer.status_code == 303
    assert body()["turns"] == {"every": "week", "then": ["OWN-2", "OWN-3"]}
    assert "in turn on button kiosks" in html.unescape(bob.get(f"/drafts/{draft_id}/history").text)
    send(do="remove:OWN-2")
    assert body()["turns"] == {"every": "week", "then": ["OWN-3"]}
    send(do="undo")
    assert body()["turns"] == {"every": "week", "then": ["OWN-2", "OWN-3"]}
    send(turns_0="", turns_1="")
    assert "turns" not in body()
    ops = [{"do": "set", "path": "turns", "to": {"every": "hour", "then": ["OWN-2"]}}]
    refused = bob.post(f"/api/v1/drafts/{draft_id}/ops", json={"revision": 4, "ops": ops})
    assert (refused.status_code, refused.json()["field"]) == (422, "turns")

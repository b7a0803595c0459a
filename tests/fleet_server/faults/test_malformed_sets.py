"""Whatever is malformed on a set's way, the kiosk goes on with the last good questions, and the desk says why."""

import html
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from fleet_server.answers.models import Quarantine
from fleet_server.devices import desired
from fleet_server.devices.models import Device
from fleet_server.places import service as places
from fleet_server.questions import service as questions
from fleet_server.questions.models import Publication, QuestionSet
from fleet_server.questions.schema import canonical
from fleet_server.questions.views import hash_of
from fleet_server.schedules.models import Schedule
from tests.firmware.net.support import set_view
from tests.fleet_server.accounts.county import County, county
from tests.fleet_server.faults.asking_kiosk import AskingKiosk, OnTheWay

__all__ = ["county"]

OLD, NEW = 3, 5
DEVICE = "real00000001"


@dataclass
class Desk:
    """A coordinator's browser, and one kiosk that asks OLD."""

    county: County
    kiosk: AskingKiosk
    root: Path

    def publish(self, number: int, *, told: bool = True) -> None:
        with self.county.database.write() as session:
            assert questions.publish(session, number, [DEVICE], actor="test", now=self.county.now) == []
            if told:
                desired.refresh(session, DEVICE, now=self.county.now)

    def edit(self, number: int, change: Callable[[str], str]) -> None:
        """Somebody at the database itself."""
        with self.county.database.write() as session:
            row = session.get_one(QuestionSet, number)
            row.body = change(row.body)

    def page(self, path: str) -> str:
        answer = self.county.browser("alice").get(path)
        assert answer.status_code == 200
        return html.unescape(answer.text)

    def api(self, path: str) -> Any:
        answer = self.county.browser("alice").get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def reason(self, number: int = NEW) -> str:
        """Why the kiosk does not ask the set: the same on the set's page, the device's page and in the API."""
        [kiosk] = self.api(f"/question-sets/{number}/kiosks")["kiosks"]
        reason = kiosk["reason"]
        assert reason
        assert reason in self.page(f"/question-sets/{number}")
        assert reason in self.page(f"/devices/{DEVICE}")
        device = self.api(f"/devices/{DEVICE}")
        assert (device["wish"], device["reason"]) == (kiosk["state"], reason)
        return str(reason)

    def no_message_was_lost(self) -> None:
        """The server took each report, and the kiosk refused none of its own accord that it could not say."""
        with self.county.database.read() as session:
            assert session.exec(select(Quarantine)).all() == []
            device = session.get_one(Device, DEVICE)
            assert (device.running_set, device.contact_at) == (self.kiosk.asks, self.county.now)


@pytest.fixture
def desk(county: County, tmp_path: Path) -> Desk:
    with county.database.write() as session:
        questions.add_national(session, now=county.now)
        places.install(session, "test", device_id=DEVICE, place_id=county.places["exit"], now=county.now)
    kiosk = AskingKiosk(DEVICE, tmp_path / "kiosk", county.database, lambda: county.now)
    made = Desk(county, kiosk, tmp_path)
    made.publish(OLD)
    kiosk.exchange()
    assert kiosk.asks == OLD
    county.now += 1000
    return made


EDITS: dict[str, Callable[[str], str]] = {
    "reworded": lambda body: body.replace("?", "!", 1),
    "no JSON": lambda body: body[: len(body) // 2],
    "no object": lambda body: "[]",
    "nothing in it": lambda body: "{}",
    "empty": lambda body: "",
    "no Swedish": lambda body: body.replace('"sv":', '"xx":'),
    "too large": lambda body: body.replace('"name":"', '"name":"' + "x" * 20_000, 1),
    "nested too deeply": lambda body: "[" * 100_000,
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("told", [True, False], ids=["after it was wished", "before"])
def test_a_set_edited_by_hand_reaches_no_kiosk_and_its_page_says_so(
    desk: Desk, edit: str, told: bool
) -> None:
    desk.publish(NEW, told=told)
    desk.edit(NEW, EDITS[edit])
    desk.kiosk.exchange()
    assert desk.kiosk.asks == OLD
    assert "is not what it was when it got its number" in desk.reason()
    desk.no_message_was_lost()


@pytest.mark.parametrize("edit", EDITS)
def test_a_kiosk_that_has_the_good_set_goes_on_asking_it(desk: Desk, edit: str) -> None:
    desk.publish(NEW)
    desk.kiosk.exchange()
    assert desk.kiosk.asks == NEW
    desk.edit(NEW, EDITS[edit])
    desk.county.now += 1000
    desk.kiosk.exchange()
    assert desk.kiosk.asks == NEW
    assert "is not what it was when it got its number" in desk.page(f"/question-sets/{NEW}")
    assert "is not what it was" in desk.api(f"/question-sets/{NEW}/kiosks")["faults"][0]
    desk.no_message_was_lost()
    for path in ("", "/screens", "/walk", "/manage", f"/compare/{OLD}"):
        desk.page(f"/question-sets/{NEW}{path}")
    for path in ("/question-sets", "/rollouts/new", "/schedules/new", "/drafts/new"):
        desk.page(path)


def test_a_set_edited_by_hand_is_neither_published_nor_rolled_out_nor_scheduled(desk: Desk) -> None:
    desk.edit(NEW, EDITS["reworded"])
    browser = desk.county.browser("alice")
    everything: dict[str, Any] = {"choice": {}, "set_number": NEW}
    for answer in (
        browser.post(f"/question-sets/{NEW}/publish", data={"device": [DEVICE]}),
        browser.post("/api/v1/rollouts", json=everything | {"stages": [{"all": True}]}),
        browser.post(
            "/api/v1/schedules", json=everything | {"choice": {"models": ["button5"]}, "name": "flu"}
        ),
    ):
        assert answer.status_code == 422
        assert "is not what it was when it got its number" in answer.text


def test_a_set_put_in_by_hand_without_one_language_is_named_and_not_sent(desk: Desk) -> None:
    with desk.county.database.write() as session:
        body = json.loads(session.get_one(QuestionSet, NEW).body) | {"number": 77}
        for question in body["questions"]:
            del question["text"]["sv"]
        content = canonical(body)
        session.add(
            QuestionSet(
                number=77, name="by hand", version="1", body=content.decode(), hash=hash_of(content),
                created_at=0, family=77,
            )
        )  # fmt: skip
        session.flush()
        session.add(
            Publication(device_id=DEVICE, set_number=77, published_at=desk.county.now, published_by="nobody")
        )
    desk.kiosk.exchange()
    assert desk.kiosk.asks == OLD
    assert desk.reason(77).endswith("has no Swedish")
    desk.no_message_was_lost()


def as_desired(change: Callable[[dict[str, Any]], None]) -> OnTheWay:
    """Changes each desired document."""

    def on_the_way(topic: str, payload: bytes) -> bytes | None:
        if not topic.endswith("/desired"):
            return payload
        document = json.loads(payload)
        change(document)
        return json.dumps(document).encode()

    return on_the_way


def sets_become(change: Callable[[bytes], bytes]) -> OnTheWay:
    """Changes what comes as a set."""
    return lambda topic, payload: change(payload) if topic.endswith("/set") else payload


def hours_become(hours: Any) -> OnTheWay:
    """Garbage where the published set's hours are."""

    def change(document: dict[str, Any]) -> None:
        document["sets"][0]["hours"] = hours

    return as_desired(change)


def without_swedish() -> bytes:
    body = json.loads(set_view(NEW))
    del body["questions"][0]["text"]["sv"]
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    ("on_the_way", "reason"),
    [
        (sets_become(lambda view: view[:-20]), "question set: arrived damaged"),
        (sets_become(lambda view: view[:1]), "question set: arrived damaged"),
        (sets_become(lambda view: view.replace(b"?", b"!", 1)), "question set: arrived damaged"),
        (sets_become(lambda view: set_view(9)), "question set: arrived damaged"),
        (sets_become(lambda view: view + b" " * 4096), "this kiosk takes 4096"),
        (hours_become({"weekly": {"mon": [["8", "16"]]}}), "mon: '8' is not a time HH:MM"),
        (hours_become({"only": ["2026-02-30"]}), "'2026-02-30' is not a date"),
        (hours_become("always"), "'hours' is not an object"),
        (as_desired(lambda document: document.pop("sets")), "desired: sets is not a list"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_was_garbled_on_its_way_is_refused_by_the_kiosk_with_its_reason(
    desk: Desk, on_the_way: OnTheWay, reason: str
) -> None:
    desk.publish(NEW)
    desk.kiosk.exchange(on_the_way)
    assert desk.kiosk.asks == OLD
    assert reason in desk.reason()
    the_way_is_clear_again(desk)


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (without_swedish(), "question set 5: question 'K4-H' has no text in 'sv'"),
        (b'{"number": 5', "question set: no JSON"),
        (b"[" * 4000, "question set: no JSON"),
        (set_view(NEW, scale="smiley4"), "has 4 answers, this kiosk 5 faces"),
    ],
    ids=["no Swedish", "cut off", "nested too deeply", "other faces"],
)
def test_what_fits_its_name_but_not_the_kiosk_is_refused_with_its_reason(
    desk: Desk, view: bytes, reason: str
) -> None:
    def wish(document: dict[str, Any]) -> None:
        document["sets"][0]["hash"] = hash_of(view)

    desk.publish(NEW)
    desk.kiosk.exchange(as_desired(wish))
    desk.kiosk.take("set", view)
    desk.kiosk.sets.switch()
    desk.kiosk.exchange()
    assert desk.kiosk.asks == OLD
    assert reason in desk.reason()
    the_way_is_clear_again(desk)


def the_way_is_clear_again(desk: Desk) -> None:
    """The next wish has a new version, under which the same set arrives."""
    desk.no_message_was_lost()
    desk.county.now += 1000
    desk.publish(OLD)
    desk.publish(NEW)
    desk.kiosk.exchange()
    assert desk.kiosk.asks == NEW


def test_an_older_wish_replayed_changes_nothing(desk: Desk) -> None:
    [old] = [payload for what, payload in desk.kiosk.got if what == "desired"]
    desk.publish(NEW)
    report = desk.kiosk.exchange()
    desk.kiosk.take("desired", old)
    again = desk.kiosk.exchange()
    assert (desk.kiosk.asks, again["desired"]) == (NEW, report["desired"])
    assert again["update"]["result"] == "ok"
    assert desk.api(f"/devices/{DEVICE}")["wish"] == "met"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("weekly", "garbage"),
        ("weekly", '{"mon": [["8", "16"]]}'),
        ("weekly", "[]"),
        ("choice", "garbage"),
        ("choice", '{"units": "all"}'),
        ("holidays", "some"),
        ("from_at", 10**17),
        ("to_at", 10**17),
    ],
)
def test_a_schedule_with_garbage_is_followed_by_no_kiosk_and_its_page_says_so(
    desk: Desk, field: str, value: Any
) -> None:
    with desk.county.database.write() as session:
        schedule = Schedule(
            name="Flu season", set_number=NEW, choice="{}", created_at=0, created_by="test", from_at=0
        )
        session.add(schedule)
        session.flush()
        desired.refresh(session, DEVICE, now=desk.county.now)
    desk.kiosk.exchange()
    assert desk.kiosk.asks == NEW
    desk.county.now += 1000
    with desk.county.database.write() as session:
        setattr(session.get_one(Schedule, 1), field, value)
    desk.kiosk.exchange()
    assert desk.kiosk.asks == OLD, "what was published"
    desk.no_message_was_lost()
    [told] = desk.api("/schedules")["schedules"]
    assert f"schedule Flu season: {field} was changed in the database to" in told["fault"]
    assert told["fault"] in desk.page("/schedules")
    desk.page("/schedules/1")
    assert desk.county.browser("alice").post("/schedules/1/end").status_code == 303
    assert "Flu season" not in desk.page("/schedules")


def test_a_scheduled_set_edited_by_hand_goes_on_being_asked_as_it_was(desk: Desk) -> None:
    with desk.county.database.write() as session:
        session.add(
            Schedule(name="Flu", set_number=NEW, choice="{}", created_at=0, created_by="test", from_at=0)
        )
        session.flush()
        desired.refresh(session, DEVICE, now=desk.county.now)
    desk.kiosk.exchange()
    desk.edit(NEW, EDITS["no JSON"])
    desk.county.now += 1000
    desk.kiosk.exchange()
    assert desk.kiosk.asks == NEW
    desk.no_message_was_lost()
    desk.page("/schedules")
    desk.page("/schedules/1")

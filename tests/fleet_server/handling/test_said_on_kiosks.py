"""“You said, we did” on touch kiosks: bounded, where it belongs, as it looks, and gone when it is taken back."""

import json
import re
from typing import Any

import pytest
from sqlmodel import Session

from fleet_server.accounts.access import Grant, Person
from fleet_server.accounts.models import Role
from fleet_server.db import Database
from fleet_server.devices import credentials, desired
from fleet_server.devices.models import Device
from fleet_server.handling import on_kiosks, said
from fleet_server.handling.models import SaidAndDid
from fleet_server.instants import DAY_MS, MINUTE_MS
from fleet_server.places import service as places
from fleet_server.questions import service as questions
from fleet_server.questions.national import national_sets
from fleet_server.refusals import Refused
from fleet_server.results.models import PLACE, UNIT
from fleet_server.results.scores import Where
from tests.conftest import MONDAY_10
from tests.fleet_server.pages.world import World

from kiosk.said_rules import MOST_NOTES, pack  # isort: skip

NOW = MONDAY_10 + DAY_MS
ALICE = Person("user", 1, "Alice", "alice@example.org", "en", (Grant(Role.SUPERVISOR),))
SHORT = {"said_fi": "Aula oli kylmä.", "did_fi": "Ovi on tiivistetty.", "on_kiosks": "yes"}
LONG = "Avasimme toisen ilmoittautumispisteen, ja jonossa odotetaan nyt enintään kymmenen minuuttia. "


def publish(session: Session, where: Where, at: int = NOW, **typed: str) -> SaidAndDid:
    row = said.save(session, ALICE, where, None, {**SHORT, **typed}, now=at)
    said.publish(session, ALICE, row, now=at)
    return row


def new_kiosk(session: Session, place_id: int, model: str = "touch") -> str:
    row, _secret = credentials.create(session, name=f"Kiosk at {place_id}", model=model, virtual=False, now=0)
    places.install(session, "test", device_id=row.id, place_id=place_id, now=1)
    return row.id


def wished(session: Session, device_id: str, now: int = NOW) -> list[dict[str, Any]]:
    """The notes in the document of a kiosk, which is one that it takes."""
    desired.refresh(session, device_id, now=now)
    document = session.get_one(Device, device_id).desired or ""
    assert len(document.encode()) <= desired.MOST_BYTES
    notes: list[dict[str, Any]] = json.loads(document)["settings"].get("said", [])
    assert not notes or pack(json.loads(json.dumps(notes)))
    return notes


def test_a_kiosk_is_wished_the_newest_of_its_place_and_the_units_around_it(shared_database: Database) -> None:
    with shared_database.write() as session:
        kiosk, buttons = new_kiosk(session, 2), new_kiosk(session, 2, "button5")
        assert wished(session, kiosk) == []
        of_unit = publish(session, Where(UNIT, 1), said_sv="Kall aula.", did_sv="Varmt nu.")
        mine = publish(session, Where(PLACE, 2), NOW + 1, last_day="2026-03-31")
        publish(session, Where(PLACE, 3), NOW + 2)
        publish(session, Where(PLACE, 2), NOW + 3, on_kiosks="")
        said.save(session, ALICE, Where(PLACE, 2), None, SHORT, now=NOW)  # a draft
        notes = wished(session, kiosk, NOW + 4)
        assert [note["id"] for note in notes] == [mine.id, of_unit.id]
        assert notes[1] == {"id": of_unit.id, "until": None, "fi": ["Aula oli kylmä.", "Ovi on tiivistetty."]}
        assert notes[0]["until"] == mine.ends_at
        assert said.last_day_of(mine) == "2026-03-31"
        assert wished(session, buttons) == [], "e-paper has no room for news"

        places.take_away(session, "test", device_id=kiosk, now=NOW + 5)
        assert wished(session, kiosk, NOW + 5) == []
        places.install(session, "test", device_id=kiosk, place_id=3, now=NOW + 6)
        assert [note["id"] for note in wished(session, kiosk, NOW + 6)] != [mine.id, of_unit.id]

        other = new_kiosk(session, 2)
        said.withdraw(session, ALICE, of_unit, now=NOW + 7)
        assert [note["id"] for note in wished(session, other, NOW + 7)] == [mine.id]
        assert mine.ends_at is not None
        assert wished(session, other, mine.ends_at) == [], "over"
        assert said.published(session, 2, "fi", now=mine.ends_at - 1)[1].did == "Ovi on tiivistetty."
        assert len(said.published(session, 2, "fi", now=mine.ends_at)) == 1

        for number in range(5):
            publish(session, Where(PLACE, 2), NOW + 10 + number)
        newest = wished(session, other, NOW + 20)
        assert len(newest) == MOST_NOTES
        device = session.get_one(Device, other)
        device.report = json.dumps({"said": {"ids": [newest[0]["id"], "x"], "reason": ""}})
        rows = said.of_subject(session, Where(PLACE, 2))
        kiosks = on_kiosks.kiosks_of(session, Where(PLACE, 2))
        assert [one.id for one in kiosks] == [other]
        assert other in [one.id for one in on_kiosks.kiosks_of(session, Where(UNIT, 1))]
        states = on_kiosks.showing(session, kiosks, rows, now=NOW + 20)
        assert states[newest[0]["id"]] == on_kiosks.Showing((device.name,), ())
        assert states[newest[1]["id"]] == on_kiosks.Showing((), (device.name,))
        assert on_kiosks.setting_of(session, other, [], room=100, now=NOW + 20) == newest[:1]
        assert on_kiosks.setting_of(session, other, [], room=50, now=NOW + 20) is None


def test_a_kiosk_whose_question_needs_all_the_room_is_told_apart(shared_database: Database) -> None:
    with shared_database.write() as session:
        device = session.get_one(Device, new_kiosk(session, 3))
        row = publish(session, Where(PLACE, 3), NOW + 30)
        body = json.loads(json.dumps(next(one for one in national_sets() if one["number"] == 1)))
        for language, text in body["questions"][0]["text"].items():
            body["questions"][0]["text"][language] = f"{text} {text}"[:200]
        questions.add(session, body | {"number": 77}, source="test", now=0)
        for number, crowded in ((77, True), (None, False)):
            device.running_set, device.report = number, json.dumps({"said": {"ids": [row.id]}})
            (state,) = on_kiosks.showing(session, [device], [row], now=NOW + 31).values()
            assert (state.crowded == (device.name,), state.shown == (device.name,)) == (crowded, not crowded)


def test_each_note_is_sent_in_the_language_in_which_its_kiosk_rests(shared_database: Database) -> None:
    with shared_database.write() as session:
        kiosk = new_kiosk(session, 1)
        publish(session, Where(PLACE, 1), NOW + 1)
        publish(session, Where(PLACE, 1), NOW + 2, said_sv="Kall aula.", did_sv="Varmt nu.")
        questions.add_national(session, now=0)
        body = questions.body_of(questions.all_sets(session)[0])
        first = body["languages"][0]
        notes = on_kiosks.setting_of(session, kiosk, [body["number"]], room=999, now=NOW + 3)
        assert notes is not None
        assert [set(note) & {"fi", "sv", "en"} for note in notes] == [{first}, {first}]
        rows = said.published_rows(session, 1, now=NOW + 3, on_kiosks=True)
        swedish = [on_kiosks.note_of(row, ["sv"]) for row in rows][:2]
        assert [set(note) & {"fi", "sv", "en"} for note in swedish] == [{"sv"}, {"fi"}]


@pytest.mark.parametrize(
    ("typed", "field", "part"),
    [
        ({"did_fi": LONG * 2}, "did_fi", "has no room on the kiosks' screen"),
        ({"said_fi": LONG * 2}, "said_fi", "has no room on the kiosks' screen"),
        ({"said_sv": "Allt 漢", "did_sv": "x"}, "said_sv", "cannot draw the letter “漢” (U+6F22)"),
        ({"last_day": "2026-02-01"}, "last_day", "“2026-02-01” is over"),
        ({"last_day": "soon"}, "last_day", "“soon” is not a date"),
    ],
)
def test_what_no_kiosk_can_show_is_refused_at_its_field(
    typed: dict[str, str], field: str, part: str, shared_database: Database
) -> None:
    with shared_database.write() as session, pytest.raises(Refused) as refused:
        said.save(session, ALICE, Where(PLACE, 1), None, {**SHORT, **typed}, now=NOW)
    assert list(refused.value.faults) == [field]
    text, values = refused.value.faults[field]
    assert part in text % values
    with shared_database.write() as session:
        if "day" not in field:  # the public page has room for it
            said.save(session, ALICE, Where(PLACE, 1), None, {**SHORT, **typed, "on_kiosks": ""}, now=NOW)


class Link:
    """What a server that is linked to its kiosks has sent."""

    def __init__(self) -> None:
        self.sent: list[list[int]] = []

    def send(self, topic: str, payload: bytes) -> None:
        assert topic.endswith("/desired")
        self.sent.append([note["id"] for note in json.loads(payload)["settings"].get("said", [])])


def test_it_is_looked_at_then_published_and_each_change_reaches_the_kiosk_at_once(world: World) -> None:
    link = world.app.state.link = Link()
    place = world.places["A"]
    with world.database.write() as session:
        kiosk = new_kiosk(session, place)
    alice = world.sign_in("alice@example.org")
    address = f"/results/places/{place}/said-and-did"
    assert 'id="on_kiosks" value="yes" checked' in alice.get(f"{address}/new").text
    refused = alice.post(f"{address}/new", data={**SHORT, "did_fi": LONG * 2, "last_day": "2026-12-24"})
    assert refused.status_code == 422
    assert 'id="did_fi-error"' in refused.text
    assert 'value="yes" checked' in refused.text
    assert 'value="2026-12-24"' in refused.text
    assert alice.post(f"{address}/new", data=SHORT).status_code == 303
    page = alice.get(address).text
    (said_id,) = re.findall(r"/results/said-and-did/(\d+)/publish", page)
    (picture,) = re.findall(r'src="(/results/said-and-did/\d+/kiosk-fi\.png\?changed=\d+)"', page)
    png = alice.get(picture)
    assert png.headers["content-type"] == "image/png"
    assert alice.get(picture.replace("-fi", "-sv")).status_code == 404
    assert world.sign_in("charlie@example.org").get(picture).status_code == 404
    assert link.sent == [], "nobody else reads a draft"

    alice.post(f"/results/said-and-did/{said_id}/publish")
    assert link.sent == [[int(said_id)]]
    assert "0 of 1 show it" in alice.get(address).text
    with world.database.write() as session:
        session.get_one(Device, kiosk).report = json.dumps({"said": {"ids": [int(said_id)], "reason": ""}})
    assert "1 kiosk shows it" in alice.get(address).text
    world.now += MINUTE_MS
    alice.post(f"/results/said-and-did/{said_id}", data={**SHORT, "did_fi": "Ovi on uusi."})
    assert link.sent == [[int(said_id)]] * 2
    assert alice.get(picture).content != png.content
    alice.post(f"/results/said-and-did/{said_id}/withdraw")
    assert link.sent[2:] == [[]]
    with world.database.write() as session:
        session.get_one(SaidAndDid, int(said_id)).did_fi = LONG * 2
    again = alice.post(f"/results/said-and-did/{said_id}/publish")
    assert again.status_code == 422
    assert 'id="did_fi-error"' in again.text
    assert len(link.sent) == 3

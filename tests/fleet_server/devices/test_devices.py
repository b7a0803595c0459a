"""Kiosks as the server knows them: who they are, whether they are here, what they say and what is wished of them."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from fleet_server.db import Database
from fleet_server.devices import contact, credentials, desired, reports
from fleet_server.devices.models import CrashReport, Device, HealthSample, StatusChange
from fleet_server.instants import to_ms, utc
from fleet_server.questions import service as questions
from fleet_server.questions.views import hash_of

NOW = 1_772_438_400_000
MINUTE = 60_000


@pytest.fixture
def device(database: Database) -> str:
    with database.write() as session:
        questions.add_national(session, now=NOW)
        made, _ = credentials.create(session, name="Lobby", model="button5", virtual=False, now=NOW)
        questions.publish(session, 1, [made.id], actor="test", now=NOW)
        return made.id


def status(database: Database, device: str) -> str:
    with database.read() as session:
        return session.get(Device, device).status


def say(database: Database, device: str, body: object, now: int = NOW) -> str:
    with database.write() as session:
        return contact.take_state(session, device, body, now=now)


def report(database: Database, device: str, body: object, now: int = NOW):
    with database.write() as session:
        return reports.take(session, device, body, now=now)


def test_a_secret_opens_for_its_own_device_only_and_not_after_revocation(database: Database):
    with database.write() as session:
        one, secret = credentials.create(session, name="One", model="button5", virtual=False, now=NOW)
        two, other = credentials.create(session, name="Two", model="button4", virtual=False, now=NOW)
        assert secret not in one.model_dump_json()
        assert len(secret) == 64
        assert credentials.check(session, one.id, secret)
        assert not credentials.check(session, one.id, other)
        assert not credentials.check(session, two.id, secret)
        assert not credentials.check(session, "nobody000000", secret)
        credentials.revoke(session, one.id, now=NOW)
        assert not credentials.check(session, one.id, secret)


@pytest.mark.parametrize(("name", "model"), [("", "button5"), ("x" * 201, "button5"), ("Lobby", "button9")])
def test_a_device_that_makes_no_sense_is_refused_with_the_value(database: Database, name: str, model: str):
    with database.write() as session, pytest.raises(ValueError, match="must"):
        credentials.create(session, name=name, model=model, virtual=False, now=NOW)


def test_a_device_becomes_late_at_the_announced_instant_and_is_here_again_when_heard(
    database: Database, device: str
):
    assert say(database, device, {"state": "ready", "conn": 5, "next": 960}) == ""
    assert status(database, device) == "here"
    due = NOW + 960_000 + contact.GRACE_MS
    with database.write() as session:
        assert contact.mark_late(session, now=due - 1) == []
        assert contact.mark_late(session, now=due + 7 * MINUTE) == [device]
        assert contact.mark_late(session, now=due + 8 * MINUTE) == []
    assert status(database, device) == "late"
    with database.write() as session:
        contact.heard(session, [device], now=due + 9 * MINUTE)
    assert status(database, device) == "here"
    with database.read() as session:
        changes = session.exec(select(StatusChange).order_by(StatusChange.id)).all()
        assert [(change.old, change.new, change.at) for change in changes] == [
            ("new", "here", NOW),
            ("here", "late", due),
            ("late", "here", due + 9 * MINUTE),
        ]


def test_the_will_of_an_older_connection_is_ignored(database: Database, device: str):
    say(database, device, {"state": "ready", "conn": 6, "next": 960})
    say(database, device, {"state": "lost", "conn": 5})
    assert status(database, device) == "here"
    say(database, device, {"state": "lost", "conn": 6})
    assert status(database, device) == "lost"


def test_a_sleeping_kiosk_is_late_too_when_it_does_not_wake(database: Database, device: str):
    say(database, device, {"state": "sleeping", "conn": 6, "next": 3600})
    with database.write() as session:
        assert contact.mark_late(session, now=NOW + 3600_000 + contact.GRACE_MS) == [device]


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"state": "gone", "conn": 1}, {"state": []}, {"state": {}},
     {"state": "ready"}, {"state": "ready", "conn": True, "next": 1},
     {"state": "ready", "conn": 1, "next": -1}, {"state": "ready", "conn": 1, "next": 10**9}],
)  # fmt: skip
def test_a_state_that_makes_no_sense_changes_nothing_and_says_what_is_wrong(
    database: Database, device: str, body
):
    assert say(database, device, body).startswith("state: ")
    assert status(database, device) == "new"


def test_a_kiosk_that_lacks_what_is_wished_is_told_and_gets_the_set_that_it_asks_for(
    database: Database, device: str
):
    messages, faults = report(database, device, {"v": 1, "desired": 0, "want": None})
    assert faults == []
    (topic, payload), = messages  # fmt: skip
    assert topic == f"hymio/1/down/{device}/desired"
    wish = json.loads(payload)
    assert wish["version"] == NOW
    assert [one["number"] for one in wish["sets"]] == [1]
    messages, _ = report(database, device, {"v": 1, "desired": NOW, "want": wish["sets"][0]["hash"]}, NOW + 1)
    (topic, payload), = messages  # fmt: skip
    assert topic == f"hymio/1/down/{device}/set"
    assert hash_of(payload) == wish["sets"][0]["hash"]
    messages, _ = report(database, device, {"v": 1, "desired": NOW, "running": 1}, NOW + 2)
    assert messages == []


def test_a_version_never_falls_even_when_the_kiosk_knows_a_higher_one(database: Database, device: str):
    ahead = NOW + 999_999
    messages, _ = report(database, device, {"v": 1, "desired": ahead})
    assert json.loads(messages[0][1])["version"] == ahead + 1
    with database.write() as session:
        assert desired.refresh(session, device, now=NOW) is None
        questions.publish(session, 3, [device], actor="test", now=NOW)
        _, payload = desired.refresh(session, device, now=NOW)
        assert json.loads(payload)["version"] == ahead + 2


def test_a_report_with_bad_fields_keeps_the_good_ones_and_names_the_bad(database: Database, device: str):
    body = {
        "v": 1,
        "board": "unix",
        "firmware": 7,
        "running": 70_000,
        "desired": NOW,
        "sets": [[1, "aa"]],
        "health": {"signal": "strong", "heap": 51_000, "fill": 2.5, "temperature": 21},
        "of_the_future": {"a": 1},
    }
    _, faults = report(database, device, body)
    assert sorted(fault.split(" is ")[0] for fault in faults) == [
        "report: firmware", "report: health.fill", "report: health.signal", "report: running",
    ]  # fmt: skip
    with database.read() as session:
        row = session.get(Device, device)
        kept = json.loads(row.report)
        assert kept["board"] == "unix"
        assert kept["of_the_future"] == {"a": 1}
        assert "running" not in kept
        sample = session.exec(select(HealthSample)).one()
        assert (sample.heap_free, sample.signal_dbm, sample.temperature_c) == (51_000, None, 21)


@pytest.mark.parametrize("body", [None, 3, "x", [], {"health": 5}, {"epochs": "all"}, {"sets": [[1]]}])
def test_no_report_raises(database: Database, device: str, body):
    _, faults = report(database, device, body)
    assert len(faults) == 1


def test_health_is_sampled_once_a_minute_at_most(database: Database, device: str):
    for second in (0, 10, 59, 60, 61, 130):
        report(database, device, {"v": 1, "health": {"heap": second}}, NOW + second * 1000)
    with database.read() as session:
        assert [sample.heap_free for sample in session.exec(select(HealthSample))] == [0, 60, 130]


def test_of_crash_reports_the_last_fifty_are_kept(database: Database, device: str):
    with database.write() as session:
        for number in range(55):
            reports.take_log(session, device, f"trace {number}\0".encode(), now=NOW + number)
        kept = [one.body for one in session.exec(select(CrashReport).order_by(CrashReport.id))]
    assert len(kept) == 50
    assert kept[0].startswith("trace 5")


def test_the_offsets_are_those_of_finland_two_years_ahead(database: Database):
    zone = ZoneInfo("Europe/Helsinki")
    offsets = desired.offsets(NOW)
    assert offsets[0] == [to_ms(datetime(2025, 10, 26, 1, tzinfo=ZoneInfo("UTC"))), 120]
    assert offsets[1] == [to_ms(datetime(2026, 3, 29, 1, tzinfo=ZoneInfo("UTC"))), 180]
    assert len(offsets) == 5
    for at, minutes in offsets:
        assert utc(at).astimezone(zone).utcoffset().total_seconds() == minutes * 60

"""What a technician read out of a kiosk over USB is booked once, by those who may, and is in the audit log."""

import base64
import json
from typing import Any

import pytest
from sqlmodel import col, select

from fleet_server.accounts import service as accounts
from fleet_server.accounts import station_tokens
from fleet_server.accounts.access import Grant, Person
from fleet_server.accounts.models import AuditEntry, Role
from fleet_server.answers.models import Record
from fleet_server.instants import MINUTE_MS
from tests.conftest import MONDAY_10
from tests.firmware.whole import encode_batch
from tests.fleet_server.pages.world import PaperKiosk, World


def batch(kiosk: PaperKiosk, start: int, stop: int) -> str:
    raw = encode_batch(
        kiosk.epoch, 5, start, stop, len(kiosk.records), kiosk.pressed, 0, 1, 0, kiosk.records[start:stop]
    )
    return base64.b64encode(bytes(raw)).decode()


@pytest.fixture
def kiosk(world: World) -> PaperKiosk:
    """Kiosk A with a clock record and six answers, of which none was sent."""
    one = world.kiosks["A"]
    one.learn_time(MONDAY_10 - 60 * MINUTE_MS)
    for number in range(6):
        one.press(MONDAY_10 - (50 - number) * MINUTE_MS)
    return one


def harvest(world: World, who: dict[str, str], device: str, *batches: str) -> Any:
    return world.stranger().post(
        f"/api/v1/devices/{device}/harvest", json={"batches": list(batches)}, headers=who
    )


def test_what_was_harvested_counts_once_whoever_sends_it_first(world: World, kiosk: PaperKiosk) -> None:
    technician = world.token(Role.TECHNICIAN)
    world.changes.notify()
    answer = harvest(world, technician, kiosk.id, batch(kiosk, 0, 0), batch(kiosk, 0, 3), batch(kiosk, 3, 5))
    assert answer.status_code == 200, answer.text
    asked, first, second = answer.json()["booked"]
    assert asked["receipt"]["through"] == 0
    assert (first["received"], first["counted"], first["receipt"]["through"]) == (3, 2, 3)
    assert (second["received"], second["counted"], second["receipt"]["nonce"]) == (2, 2, 5)
    again = harvest(world, technician, kiosk.id, batch(kiosk, 0, 5)).json()["booked"][0]
    assert (again["received"], again["counted"], again["duplicates"]) == (0, 0, 5)
    # The kiosk connects: it sends all from where its own last receipt left off.
    booked = kiosk.send(MONDAY_10)
    assert (booked.received, booked.counted, booked.duplicates) == (2, 2, 5)
    with world.database.read() as session:
        rows = session.exec(select(Record.seq).where(Record.device_id == kiosk.id)).all()
        entries = session.exec(select(AuditEntry).where(AuditEntry.action == "harvest device")).all()
    assert sorted(rows) == list(range(7))
    assert [entry.actor for entry in entries] == ["token:technician None"] * 2
    assert json.loads(entries[0].after or "") == {
        "batches": 3, "received": 5, "duplicates": 0, "rejected": 0, "not booked": [],
    }  # fmt: skip
    # To ask where the server stands changes nothing and is no entry.
    assert harvest(world, technician, kiosk.id, batch(kiosk, 0, 0)).status_code == 200
    with world.database.read() as session:
        newest = session.exec(select(AuditEntry).order_by(col(AuditEntry.id).desc())).first()
    assert newest is not None
    assert newest.id == entries[-1].id


def test_only_a_technician_of_the_kiosks_unit_may_harvest(world: World, kiosk: PaperKiosk) -> None:
    one = batch(kiosk, 0, 3)
    for role, unit, status in (
        (Role.SUPERVISOR, "A", 403),
        (Role.COORDINATOR, None, 403),
        (Role.OPERATOR, None, 403),
        (Role.TECHNICIAN, "B", 404),
    ):
        assert harvest(world, world.token(role, unit), kiosk.id, one).status_code == status, role
    assert harvest(world, {}, kiosk.id, one).status_code == 401
    assert harvest(world, world.token(Role.TECHNICIAN), "nosuchdevice", one).status_code == 404
    with world.database.read() as session:
        assert session.exec(select(Record)).first() is None
    assert harvest(world, world.token(Role.TECHNICIAN, "A"), kiosk.id, one).status_code == 200
    store = world.kiosks["store"]
    store.press(MONDAY_10)
    done = harvest(world, world.token(Role.TECHNICIAN, "A"), store.id, batch(store, 0, 1))
    assert done.json()["booked"][0]["received"] == 1


def test_a_technicians_own_token_for_the_tool_harvests(world: World, kiosk: PaperKiosk) -> None:
    with world.database.write() as session:
        tuula = accounts.by_email(session, "tuula@example.org")
        assert tuula is not None
        person = Person("user", tuula.id or 0, "Tuula", "tuula@example.org", "en", (Grant(Role.TECHNICIAN),))
        secret = station_tokens.create(session, person, hours=8, now=world.now)
    answer = harvest(world, {"authorization": f"Bearer {secret}"}, kiosk.id, batch(kiosk, 0, 3))
    assert answer.status_code == 200, answer.text
    assert answer.json()["booked"][0]["received"] == 3


def test_what_is_no_batch_is_named_and_one_that_is_damaged_spoils_no_other(
    world: World, kiosk: PaperKiosk
) -> None:
    technician = world.token(Role.TECHNICIAN)
    good = batch(kiosk, 0, 3)
    bad = harvest(world, technician, kiosk.id, good, "no base64!")
    assert (bad.status_code, bad.json()["code"], bad.json()["value"]) == (422, "invalid", "no base64!")
    assert harvest(world, technician, kiosk.id).status_code == 422
    assert harvest(world, technician, kiosk.id, *[good] * 33).status_code == 422
    assert harvest(world, technician, kiosk.id, "A" * 6000).status_code == 422
    with world.database.read() as session:
        assert session.exec(select(Record)).first() is None, "nothing half done"
    damaged = base64.b64encode(base64.b64decode(good)[:-1] + b"!").decode()
    first, second = harvest(world, technician, kiosk.id, damaged, good).json()["booked"]
    assert (first["receipt"], first["note"]) == (None, "the CRC of the message is wrong")
    assert second["received"] == 3

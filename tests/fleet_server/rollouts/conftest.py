"""Six places with a kiosk each, by which a rollout's life is told; the clock is the test's."""

import json
from dataclasses import dataclass, field

import pytest
from sqlmodel import col, select

from fleet_server.db import Database
from fleet_server.devices import contact, desired, reports
from fleet_server.devices.models import Device
from fleet_server.instants import DAY_MS, MINUTE_MS
from fleet_server.places import service as places
from fleet_server.questions import service as questions
from fleet_server.rollouts import advancing, service
from fleet_server.rollouts.models import Rollout, RolloutDevice, RolloutEvent
from fleet_server.rollouts.plan import Stage, StopRule
from tests.conftest import MONDAY_10

OLD, NEW = 3, 5
STAGES = (Stage("places", 1, 60), Stage("share", 50, 60), Stage("all", 0, 60))


@dataclass
class Fleet:
    """Kiosks d1 to d6, each wished OLD and asking it."""

    database: Database
    now: int = MONDAY_10
    ids: list[str] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    unit: int = 0
    rollout_id: int = 0

    def start(self, *, stages=STAGES, rule=None, go_back=False, choice=None, number=NEW) -> int:
        with self.database.write() as session:
            rule = rule or StopRule()
            rollout = service.start(
                session, "test", number, choice or {}, stages, rule, go_back, now=self.now
            )
            self.rollout_id = rollout.id or 0
        return self.rollout_id

    def advance(self, minutes: int = 0, **more) -> advancing.Outcome:
        """Let so much time pass, then look, as often as there is more to do."""
        self.now += minutes * MINUTE_MS
        whole = advancing.Outcome(more=True)
        while whole.more:
            with self.database.write() as session:
                outcome = advancing.advance(session, now=self.now, **more)
            whole.messages += outcome.messages
            whole.topics |= outcome.topics
            whole.more = outcome.more
        return whole

    def do(self, what, *more) -> None:
        with self.database.write() as session:
            what(session, "test", *(more or (self.rollout_id,)), now=self.now)

    def say(self, device_id: str, state: str) -> None:
        with self.database.write() as session:
            contact.take_state(session, device_id, {"state": state, "conn": 1, "next": 900}, now=self.now)

    def report(self, *device_ids: str, running: int | None = NEW, **more) -> list:
        """Each says that it asks `running`, having what is wished of it."""
        answers = []
        with self.database.write() as session:
            for device_id in device_ids:
                body = {"v": 1, "model": "button5", "running": running}
                body["desired"] = session.get_one(Device, device_id).desired_version
                answers += reports.take(session, device_id, body | more, now=self.now)[0]
        return answers

    def obey(self) -> None:
        """All kiosks do as they were wished."""
        with self.database.read() as session:
            wishes = {device.id: _number(device) for device in session.exec(select(Device))}
        for device_id, number in wishes.items():
            self.report(device_id, running=number)

    def wishes(self) -> dict[str, int | None]:
        with self.database.read() as session:
            return {
                device.id: _number(device) for device in session.exec(select(Device).order_by(col(Device.id)))
            }

    def wished(self, number: int = NEW) -> list[str]:
        return [device_id for device_id, wish in self.wishes().items() if wish == number]

    def rollout(self) -> Rollout:
        with self.database.read() as session:
            return session.get_one(Rollout, self.rollout_id)

    def parts(self) -> dict[str, RolloutDevice]:
        with self.database.read() as session:
            found = select(RolloutDevice).where(RolloutDevice.rollout_id == self.rollout_id)
            return {part.device_id: part for part in session.exec(found)}

    def history(self) -> list[str]:
        with self.database.read() as session:
            found = select(RolloutEvent.what).where(RolloutEvent.rollout_id == self.rollout_id)
            return list(session.exec(found.order_by(col(RolloutEvent.id))))

    def publish(self, number: int, *device_ids: str) -> None:
        with self.database.write() as session:
            assert questions.publish(session, number, device_ids, actor="test", now=self.now) == []
            for device_id in device_ids:
                desired.refresh(session, device_id, now=self.now)


def _number(device: Device) -> int | None:
    sets = json.loads(device.desired or "{}").get("sets") or []
    return sets[0]["number"] if sets else None


@pytest.fixture
def fleet(database: Database) -> Fleet:
    """The six, here and asking the old set."""
    fleet = Fleet(database)
    since = MONDAY_10 - 60 * DAY_MS
    with database.write() as session:
        questions.add_national(session, now=since)
        unit = places.create_unit(
            session,
            "test",
            parent_id=None,
            name_fi="a",
            name_sv="a",
            name_en="a",
            oid=None,
            sector="health",
            now=since,
        )
        fleet.unit = unit.id or 0
        for number in range(1, 7):
            device = Device(
                id=f"device00000{number}",
                name=f"d{number}",
                model="button5",
                secret_sha256="0" * 64,
                created_at=since,
            )
            session.add(device)
            session.flush()
            place = places.create_place(
                session, "test", unit_id=unit.id, name=f"Place {number}", demo=False, now=since
            )
            places.install(session, "test", device_id=device.id, place_id=place.id or 0, now=since)
            fleet.ids.append(device.id)
            fleet.places.append(place.id or 0)
    fleet.now = since
    fleet.publish(OLD, *fleet.ids)
    for device_id in fleet.ids:
        fleet.say(device_id, "ready")
    fleet.now = MONDAY_10
    fleet.report(*fleet.ids, running=OLD)
    return fleet

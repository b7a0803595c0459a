"""The demonstration's virtual kiosks: registered, built, started, and found again at the next start."""

from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session, select

from fleet_server.demo.seed import demo_places
from fleet_server.devices import credentials
from fleet_server.devices.models import Device
from fleet_server.places import service as places
from fleet_server.places.models import Installation, Place
from fleet_server.questions import service as questions
from provisioning.identity import Identity
from provisioning.virtual.client import VirtualKiosk

MODEL = "button5"
FIRST_SETS = (1, 1, 2)  # health at the first two places, social services at the third


@dataclass(frozen=True)
class DemoKiosk:
    """One virtual kiosk and where it stands."""

    device_id: str
    place_id: int
    place: str
    faces: int
    kiosk: VirtualKiosk


def prepare(session: Session, folder: Path, mqtt_port: int, *, now: int) -> list[DemoKiosk]:
    """Register and build what is missing; a kiosk that exists keeps its flash. Slow at the first call (image build)."""
    prepared = []
    for index, place in enumerate(demo_places(session, now=now)):
        name = f"kiosk-{index + 1}"
        device = _device_at(session, place)
        if device is None or not (folder / name).exists():
            device = _new_device(session, place, name, folder, mqtt_port, FIRST_SETS[index], now=now)
        prepared.append(DemoKiosk(device.id, place.id or 0, place.name, 5, VirtualKiosk(folder, name)))
    return prepared


def _device_at(session: Session, place: Place) -> Device | None:
    standing = (
        select(Device).join(Installation).where(Installation.place_id == place.id, Installation.to_at == None)  # noqa: E711
    )
    return session.exec(standing).first()


def _new_device(
    session: Session, place: Place, name: str, folder: Path, mqtt_port: int, set_number: int, *, now: int
) -> Device:
    device, secret = credentials.create(session, name=name, model=MODEL, virtual=True, now=now)
    places.install(session, "fleet demo", device_id=device.id, place_id=place.id or 0, now=now)
    faults = questions.publish(session, set_number, [device.id], actor="fleet demo", now=now)
    if faults:
        raise ValueError("; ".join(faults))
    VirtualKiosk.create(
        folder, name, Identity(id=device.id, secret=secret, host="127.0.0.1", port=mqtt_port), model=MODEL
    )
    return device

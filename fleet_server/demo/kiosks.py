"""The demonstration's virtual kiosks: registered, built, started, and found again at the next start."""

from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session, col, select

from fleet_server.demo.seed import demo_places
from fleet_server.devices import credentials
from fleet_server.devices.models import Device
from fleet_server.places import service as places
from fleet_server.places.models import Installation, Place
from fleet_server.questions import service as questions
from provisioning.identity import Identity
from provisioning.models import model_of
from provisioning.virtual.client import VirtualKiosk

# (model, first question set) of each demo place: the main door, the laboratory's door, social services.
FIRST = (("button5", 1), ("touch", 7), ("button5", 2))


@dataclass(frozen=True)
class DemoKiosk:
    """One virtual kiosk and where it stands; `place_id` 0 and its own name when somebody took it away."""

    device_id: str
    place_id: int
    place: str
    faces: int
    kiosk: VirtualKiosk
    screen: str = "none"  # as in provisioning/models.py


def prepare(session: Session, folder: Path, mqtt_port: int, *, now: int) -> list[DemoKiosk]:
    """Register and build what is missing; a kiosk that exists keeps its flash and stays where people put it.

    A folder of a kiosk that this database does not know (the database was lost, or a start was cut off while it
    was built) is set aside, not deleted: its flash may hold answers.
    """
    prepared = []
    for index, (place, first) in enumerate(zip(demo_places(session, now=now), FIRST, strict=False)):
        kiosk = VirtualKiosk(folder, f"kiosk-{index + 1}")
        device = session.get(Device, kiosk.facts.id) if kiosk.exists else None
        if device is None:
            if (folder / kiosk.name).exists():
                (folder / kiosk.name).rename(folder / f"{kiosk.name}-set-aside-{now}")
            device = _new_device(session, place, kiosk.name, folder, mqtt_port, *first, now=now)
        model = model_of(kiosk.facts.model)
        stands = _place_of(session, device)
        prepared.append(
            DemoKiosk(
                device_id=device.id,
                place_id=stands.id or 0 if stands else 0,
                place=stands.name if stands else device.name,
                faces=model.faces,
                kiosk=kiosk,
                screen=model.screen,
            )
        )
    return prepared


def _place_of(session: Session, device: Device) -> Place | None:
    standing = (
        select(Place)
        .join(Installation)
        .where(Installation.device_id == device.id, col(Installation.to_at).is_(None))
    )
    return session.exec(standing).first()


def _new_device(
    session: Session,
    place: Place,
    name: str,
    folder: Path,
    mqtt_port: int,
    model: str,
    set_number: int,
    *,
    now: int,
) -> Device:
    device, secret = credentials.create(session, name=name, model=model, virtual=True, now=now)
    places.install(session, "fleet demo", device_id=device.id, place_id=place.id or 0, now=now)
    faults = questions.publish(session, set_number, [device.id], actor="fleet demo", now=now)
    if faults:
        raise ValueError("; ".join(faults))
    VirtualKiosk.create(
        folder, name, Identity(id=device.id, secret=secret, host="127.0.0.1", port=mqtt_port), model=model
    )
    return device

"""Which kiosks a choice by unit, label, model and place means, and the labels that a county gives its places.

It knows no question set. A choice is `{"units": [id], "labels": [text], "models": [name], "places": [id]}`: and-ed
between the kinds, or-ed within one; a kind that is left out or empty limits nothing. Invariant: a unit means all below
it, and nobody is given a kiosk at which he may not publish.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, delete, exists, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import WHOLE_COUNTY, Person, may, visible_places
from fleet_server.accounts.models import Role
from fleet_server.devices.models import KIOSK, Device
from fleet_server.places.models import Installation, Place, PlaceLabel, Unit
from fleet_server.refusals import N_, Faults, Refused
from provisioning.models import MODELS

Choice = dict[str, list[Any]]
KINDS = ("units", "labels", "models", "places")
LONGEST_LABEL = 40
MOST_LABELS = 12  # a place; more of them are no order any more


def read_choice(typed: Any) -> Choice:
    """The choice with all four kinds, each sorted and without doubles. Raises Refused at the kind that is wrong."""
    if not isinstance(typed, dict) or set(typed) - set(KINDS):
        raise Refused({"choice": (N_("A choice names units, labels, models and places, nothing else."), {})})
    faults = Faults()
    choice: Choice = {}
    for kind in KINDS:
        values = typed.get(kind) or []
        wanted = int if kind in ("units", "places") else str
        if not isinstance(values, list) or any(type(value) is not wanted for value in values):
            faults.add(kind, N_("“%(value)s” is not a list of what can be chosen."), value=str(values))
            continue
        choice[kind] = sorted(set(values))
    for model in choice.get("models", []):
        if model not in MODELS:
            faults.add("models", N_("There is no model “%(value)s”."), value=model)
    faults.check()
    return choice


def chosen(choice: Choice) -> Select[Any]:
    """Ids of the kiosks that a choice means now, whoever asks; those shut out are none of them."""
    found = (
        select(Device.id)
        .outerjoin(
            Installation, (col(Installation.device_id) == col(Device.id)) & col(Installation.to_at).is_(None)
        )
        .outerjoin(Place, col(Place.id) == col(Installation.place_id))
        .outerjoin(Unit, col(Unit.id) == col(Place.unit_id))
        .where(Device.channel == KIOSK, col(Device.revoked_at).is_(None))
    )
    if choice.get("units"):
        above = aliased(Unit)
        below_one = exists().where(
            col(above.id).in_(choice["units"]), col(Unit.path).like(col(above.path) + "%")
        )
        found = found.where(below_one)
    if choice.get("labels"):
        labelled = select(PlaceLabel.place_id).where(col(PlaceLabel.label).in_(choice["labels"]))
        found = found.where(col(Place.id).in_(labelled))
    if choice.get("models"):
        found = found.where(col(Device.model).in_(choice["models"]))
    if choice.get("places"):
        found = found.where(col(Place.id).in_(choice["places"]))
    return found


def devices(session: Session, person: Person | None, choice: Choice) -> list[Device]:
    """The kiosks of a choice to which this person may publish (None: the server itself), by name."""
    rows = session.exec(
        select(Device).where(col(Device.id).in_(chosen(choice))).order_by(col(Device.name), col(Device.id))
    ).all()
    if person is None:
        return list(rows)
    paths = unit_paths(session, [row.id for row in rows])
    return [row for row in rows if may(person, Role.COORDINATOR, paths.get(row.id, WHOLE_COUNTY))]


def unit_paths(session: Session, device_ids: Iterable[str]) -> dict[str, str]:
    """Path of the unit at whose place each device stands; one that stands nowhere (the whole county's) is left out."""
    standing = (
        select(Installation.device_id, Unit.path)
        .join(Place, col(Place.id) == col(Installation.place_id))
        .join(Unit, col(Unit.id) == col(Place.unit_id))
        .where(col(Installation.to_at).is_(None), col(Installation.device_id).in_(list(device_ids)))
    )
    return dict(session.exec(standing).all())


def labels_of(session: Session, place_id: int) -> list[str]:
    """The labels of a place."""
    found = select(PlaceLabel.label).where(PlaceLabel.place_id == place_id).order_by(PlaceLabel.label)
    return list(session.exec(found))


def all_labels(session: Session, person: Person) -> dict[str, int]:
    """Each label with the number of places, among those that this person sees, that bear it."""
    found = (
        select(PlaceLabel.label, func.count())
        .where(col(PlaceLabel.place_id).in_(visible_places(person)))
        .group_by(PlaceLabel.label)
        .order_by(PlaceLabel.label)
    )
    return {label: int(count) for label, count in session.exec(found)}


def read_labels(typed: str) -> list[str]:
    """The labels of what was typed: `ward, winter 2027`. Raises Refused at the field `labels`."""
    faults = Faults()
    labels = {
        faults.text("labels", label.casefold(), LONGEST_LABEL) for label in typed.split(",") if label.strip()
    }
    if len(labels) > MOST_LABELS:
        text = N_("These are %(count)s labels, at most %(most)s.")
        faults.add("labels", text, count=len(labels), most=MOST_LABELS)
    faults.check()
    return sorted(labels)


def label_place(session: Session, actor: Person | str, place: Place, labels: list[str], *, now: int) -> None:
    """Let the place bear exactly these labels (as `read_labels` gives them)."""
    before = labels_of(session, place.id or 0)
    if before == labels:
        return
    session.exec(delete(PlaceLabel).where(col(PlaceLabel.place_id) == place.id))
    session.add_all(PlaceLabel(place_id=place.id or 0, label=label) for label in labels)
    session.flush()
    audit.record(
        session,
        actor,
        "label place",
        "place",
        place.id,
        before={"labels": before},
        after={"labels": labels},
        now=now,
    )

"""What a list says of a device: who and where it is, whether it is here, what it runs, its two books.

One line per device in a fixed number of queries, however many devices there are. It knows no page, no
language.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from fleet_server.answers import books
from fleet_server.answers.books import Books
from fleet_server.devices.models import Device, StatusChange
from fleet_server.places.models import Installation
from fleet_server.questions import service as questions
from fleet_server.questions.models import Publication, QuestionSet


@dataclass(frozen=True)
class SetName:
    """A question set as lists name it. `name` is empty when the server does not know the number."""

    number: int
    name: str


@dataclass(frozen=True)
class DeviceLine:
    """A device in a list. `since`: when `status` began, UTC ms. `place_id`: where it stands now."""

    id: str
    name: str
    model: str
    virtual: bool
    status: str
    since: int
    contact_at: int | None
    late_at: int | None
    firmware: str | None
    place_id: int | None
    running: SetName | None
    wished: SetName | None
    books: Books | None
    refusal: str
    withheld: str = ""  # why it is not sent what is wished of it, a Sentence
    planned: frozenset[int] = frozenset()  # numbers of the sets that it is wished at one time or another

    @property
    def wish(self) -> str:
        """`none` (nothing wished), `met`, `refused` (see `refusal`), `withheld` (see there), or `under way` (the kiosk
        has not yet said that it runs it)."""
        if self.wished is None:
            return "none"
        if self.running is not None and self.running.number in (self.wished.number, *self.planned):
            return "met"
        if self.refusal:
            return "refused"
        return "withheld" if self.withheld else "under way"

    @property
    def alarm(self) -> bool:
        """Whether its books do not balance or need a look; what was shut out alarms nobody."""
        return self.status != "revoked" and self.books is not None and bool(self.books.faults)

    @property
    def ok(self) -> bool:
        """Whether the kiosk is where it should be: connected, or asleep or updating as announced."""
        return self.status in ("here", "sleeping", "update")


def device_lines(session: Session, devices: Iterable[Device]) -> list[DeviceLine]:
    """A line for each of these devices, in their order."""
    rows = list(devices)
    ids = [row.id for row in rows]
    since = _status_since(session, ids)
    places = dict(
        session.exec(
            select(Installation.device_id, Installation.place_id).where(
                col(Installation.device_id).in_(ids), col(Installation.to_at).is_(None)
            )
        ).all()
    )
    wishes = _wished_sets(session, ids)
    names = _set_names(
        session, {*wishes.values(), *(row.running_set for row in rows if row.running_set is not None)}
    )
    sets = {
        row.number: row
        for row in session.exec(select(QuestionSet).where(col(QuestionSet.number).in_(set(wishes.values()))))
    }
    kept = books.of_devices(session, ids)

    def named(number: int | None) -> SetName | None:
        return None if number is None else SetName(number, names.get(number, ""))

    return [
        DeviceLine(
            id=row.id,
            name=row.name,
            model=row.model,
            virtual=row.virtual,
            status="revoked" if row.revoked_at is not None else row.status,
            since=row.revoked_at or since.get(row.id, row.created_at),
            contact_at=row.contact_at,
            late_at=row.late_at,
            firmware=row.firmware,
            place_id=places.get(row.id),
            running=named(row.running_set),
            wished=named(wishes.get(row.id)),
            books=kept.get(row.id),
            refusal=refusal(row),
            withheld=_withheld(sets.get(wishes.get(row.id, 0)), row.model),
            planned=frozenset(
                entry["number"] for entry in json.loads(row.desired or "{}").get("sets", [])[1:]
            ),
        )
        for row in rows
    ]


def refusal(device: Device) -> str:
    """Why the kiosk refused what is wished of it now, as its last report gave it; '' when it did not."""
    update = (json.loads(device.report) if device.report else {}).get("update")
    if (
        not isinstance(update, dict)
        or update.get("result") != "refused"
        or update.get("version") != device.desired_version
    ):
        return ""
    return str(update.get("reason") or "–")


def _status_since(session: Session, ids: list[str]) -> dict[str, int]:
    newest = (
        select(func.max(StatusChange.id))
        .where(col(StatusChange.device_id).in_(ids))
        .group_by(col(StatusChange.device_id))
    )
    rows = session.exec(
        select(StatusChange.device_id, StatusChange.at).where(col(StatusChange.id).in_(newest))
    )
    return dict(rows.all())


def _wished_sets(session: Session, ids: list[str]) -> dict[str, int]:
    newest = (
        select(func.max(Publication.id))
        .where(col(Publication.device_id).in_(ids))
        .group_by(col(Publication.device_id))
    )
    rows = session.exec(
        select(Publication.device_id, Publication.set_number).where(col(Publication.id).in_(newest))
    )
    return dict(rows.all())


def _withheld(row: QuestionSet | None, model: str) -> str:
    return "" if row is None else questions.withheld(row, model)


def _set_names(session: Session, numbers: set[int]) -> dict[int, str]:
    rows = session.exec(
        select(QuestionSet.number, QuestionSet.name).where(col(QuestionSet.number).in_(numbers))
    )
    return dict(rows.all())

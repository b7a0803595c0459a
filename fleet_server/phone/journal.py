"""The journal of a place's phones: the server writes it as a kiosk would, and books it by `book` like any other.

Each place has one, begun with its first answer: a row of `device` with channel `qr` that stands at the place for ever,
has no secret, so that nobody connects as it, and is in no list of kiosks. A Finnish month is an epoch (and one clock
run), so that what a visit costs does not grow with the years; a clock record for each hour with a visit places it.
Invariant: a visit is received whole, in the transaction of its request, or that transaction fails.
"""

import secrets
import string
from collections.abc import Iterator, Sequence

from sqlalchemy import exists, update
from sqlmodel import Session, col, select

from fleet_server.answers import wire
from fleet_server.answers.book import Message, book_all
from fleet_server.answers.models import ClockAnchor, JournalEpoch
from fleet_server.devices.models import QR, Device
from fleet_server.instants import HOUR_MS, SECOND_MS, local
from fleet_server.phone.sheet import Answer
from fleet_server.places.models import Installation, Place
from fleet_server.places.periods import month_start

MODEL = "phone"
_ID = string.ascii_lowercase + string.digits
_TENTH_MS = 100


def write_down(
    session: Session, place: Place, answers: Sequence[Answer], *, set_number: int, language: int, now: int
) -> None:
    """Book one visit. `language`: its place among the set's languages. `place` is locked by the caller, so that no two
    requests take the same seq. Raises RuntimeError when not all of it was received."""
    device_id = journal_of(session, place) or _begin(session, place, now)
    epoch = _epoch_of(now)
    found = session.exec(
        select(JournalEpoch.next, JournalEpoch.pressed).where(
            JournalEpoch.device_id == device_id, JournalEpoch.epoch == epoch
        )
    ).first()
    start, pressed = found or (0, 0)
    if found is None:
        _close_earlier(session, device_id, epoch, now)
    uptime = max(0, now - month_start(now)) // _TENTH_MS
    records = []
    if not _has_clock(session, device_id, epoch, now):
        clock = wire.clock_bytes(now, 0)
        records.append(
            wire.record_bytes(
                wire.KIND_CLOCK, epoch=epoch, seq=start, uptime=uptime, pressed=pressed, body=clock
            )
        )
    for back, answer in enumerate(answers):
        pressed += 1
        records.append(
            wire.record_bytes(
                wire.KIND_ANSWER,
                epoch=epoch,
                seq=start + len(records),
                uptime=uptime,
                pressed=pressed,
                set_number=set_number,
                session=back,
                question=answer.position,
                language=language,
                value=answer.value,
                body=answer.body,
            )
        )
    messages = [
        Message(device_id, payload, QR) for payload in _batches(records, epoch, start, pressed=pressed)
    ]
    bookings = book_all(session, messages, now=now)
    received = sum(booking.received for booking in bookings)
    if received != len(records):
        notes = "; ".join(booking.note for booking in bookings if booking.note)
        raise RuntimeError(f"phones of place {place.id}: {received} of {len(records)} records booked {notes}")


def journal_of(session: Session, place: Place) -> str | None:
    """Id of the place's journal; None: nobody has answered there by phone yet."""
    return session.exec(
        select(Device.id)
        .join(Installation, col(Installation.device_id) == col(Device.id))
        .where(Installation.place_id == place.id, Device.channel == QR)
    ).first()


def _begin(session: Session, place: Place, now: int) -> str:
    began = now - SECOND_MS  # an answer's interval reaches a tenth of a second back from now
    device = Device(
        id="".join(secrets.choice(_ID) for _ in range(12)),
        name=f"QR {place.code}",
        model=MODEL,
        secret_sha256="",  # the hash of nothing: no secret ever fits
        virtual=place.demo,
        channel=QR,
        created_at=began,
    )
    session.add(device)
    session.flush()
    session.add(Installation(place_id=place.id or 0, device_id=device.id, from_at=began))
    session.flush()
    return device.id


def _epoch_of(now: int) -> int:
    """The month as a number such as 202603. It need not be random: journal and books are one database, so no restore
    ever finds one without the other."""
    moment = local(now)
    return moment.year * 100 + moment.month


def _close_earlier(session: Session, device_id: str, epoch: int, now: int) -> None:
    session.exec(
        update(JournalEpoch)
        .where(
            col(JournalEpoch.device_id) == device_id,
            col(JournalEpoch.epoch) != epoch,
            col(JournalEpoch.gone_at).is_(None),
        )
        .values(gone_at=now)
    )


def _has_clock(session: Session, device_id: str, epoch: int, now: int) -> bool:
    """Whether this hour has its clock record: a tenth of a second and what an hour drifts is doubt enough."""
    hour = now - now % HOUR_MS
    there = exists().where(
        col(ClockAnchor.device_id) == device_id,
        col(ClockAnchor.epoch) == epoch,
        col(ClockAnchor.boot) == 0,
        col(ClockAnchor.utc_ms).between(hour, now),
    )
    return bool(session.exec(select(there)).one())


def _batches(records: Sequence[bytes], epoch: int, start: int, *, pressed: int) -> Iterator[bytes]:
    """The records as messages that are not longer than a kiosk's."""
    next_seq = start + len(records)
    held: list[bytes] = []
    for record in records:
        if held and wire.batch_size([*held, record]) > wire.MAX_BATCH_BYTES:
            yield wire.batch_bytes(
                held, epoch=epoch, start=start, next_seq=next_seq, pressed=pressed, waiting=0
            )
            start, held = start + len(held), []
        held.append(record)
    yield wire.batch_bytes(held, epoch=epoch, start=start, next_seq=next_seq, pressed=pressed, waiting=0)

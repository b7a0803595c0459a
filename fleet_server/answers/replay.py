"""Books again what lies in quarantine, by way of the same `book`: after an update, or once a set is known.

Invariant: replaying what is booked already changes nothing.
"""

from sqlmodel import Session, col, select

from fleet_server.answers import wire
from fleet_server.answers.book import REPLAY, Booking, book
from fleet_server.answers.desk import Desk
from fleet_server.answers.ledger import REJECTED
from fleet_server.answers.models import JournalEpoch, Quarantine


def replay(session: Session, quarantine_id: int, *, now: int) -> Booking:
    """Book what is kept under this id; when nothing of it is refused any more it leaves the quarantine.

    Raises LookupError when nothing is kept under this id.
    """
    row = session.get(Quarantine, quarantine_id)
    if row is None:
        raise LookupError(f"nothing is kept in quarantine under {quarantine_id}")
    if row.what == "record":
        payload = _wrapped(session, row)
    else:
        payload = row.raw
        note = _reopen(session, row, now) if row.evidence else ""
        if note:
            return Booking(receipt=None, note=note)
    booking = book(session, row.device_id, payload, source=REPLAY, now=now)
    if booking.receipt is not None and not booking.rejected and not booking.fork:
        session.delete(row)
        session.flush()
    return booking


def _wrapped(session: Session, row: Quarantine) -> bytes:
    epoch = session.connection().execute(
        select(JournalEpoch.next, JournalEpoch.pressed, JournalEpoch.waiting).where(
            JournalEpoch.device_id == row.device_id, JournalEpoch.epoch == row.epoch
        )
    )
    next_seq, pressed, waiting = epoch.first() or (0, 0, 0)
    if row.epoch is None or row.seq is None:
        raise LookupError(f"quarantine {row.id}: a record without epoch and seq")
    return wire.wrap(
        row.raw, epoch=row.epoch, seq=row.seq, next_seq=next_seq, pressed=pressed, waiting=waiting
    )


def _reopen(session: Session, row: Quarantine, now: int) -> str:
    """Let the seqs wait again that were rejected only because nobody could read this message; why not, or ''."""
    batch = wire.read_batch(row.raw)
    if batch.version != wire.VERSION:
        return f"version {batch.version} is still unknown"
    desk = Desk(session, now)
    desk.open({row.device_id}, {(row.device_id, batch.epoch)})
    epoch = desk.devices[row.device_id].epochs[batch.epoch]
    ledger = desk.ledger_from(epoch, batch.start)
    held = session.exec(
        select(Quarantine.seq).where(
            Quarantine.device_id == row.device_id,
            Quarantine.epoch == batch.epoch,
            Quarantine.what == "record",
            col(Quarantine.evidence).is_(True),
            col(Quarantine.seq) >= batch.start,
            col(Quarantine.seq) < batch.to,
        )
    )
    refused = set(held)
    rejected = ledger.with_state(REJECTED, batch.start, batch.to)
    ledger.retract((seq, seq + 1) for a, b in rejected for seq in range(a, b) if seq not in refused)
    desk.touch(epoch)
    desk.flush()
    return ""

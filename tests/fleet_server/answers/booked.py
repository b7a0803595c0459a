"""Messages booked one after the other, and what the ledger and the quarantine then say."""

from sqlmodel import Session, col, select

from fleet_server.answers import quarantine
from fleet_server.answers.book import Booking, Message, book_all
from fleet_server.answers.models import LedgerRange
from fleet_server.db import Database
from tests.conftest import MONDAY_10
from tests.fleet_server.answers.messages import Msg

NOW = MONDAY_10 + 60_000
EPOCH = 4_000_000_000


def send(database: Database, device: str, *messages: Msg, now: int = NOW) -> list[Booking]:
    with database.write() as session:
        return book_all(session, [Message(device, message.encode(), "mqtt") for message in messages], now=now)


def one(database: Database, device: str, message: Msg, now: int = NOW) -> Booking:
    return send(database, device, message, now=now)[0]


def ledger(database: Database, device: str) -> list[tuple[int, int, str]]:
    with database.read() as session:
        rows = session.exec(
            select(LedgerRange).where(LedgerRange.device_id == device).order_by(col(LedgerRange.start))
        )
        return [(row.start, row.stop, row.state) for row in rows]


def kept(session: Session, device: str) -> list[tuple[str, str, bool]]:
    return [(row.what, row.reason, row.evidence) for row in quarantine.list_of(session, device)]

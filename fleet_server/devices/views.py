"""Everything that a device's page shows, read in one go into frozen values. It knows no words."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func
from sqlmodel import Session, col, select

from fleet_server.answers import books
from fleet_server.answers.alarms import Alarm, alarms_of
from fleet_server.answers.books import EpochBooks
from fleet_server.answers.models import Quarantine
from fleet_server.answers.newest import NewestAnswer, newest_answer
from fleet_server.devices.care import CardChange, card_change
from fleet_server.devices.lines import DeviceLine, device_lines
from fleet_server.devices.models import KIOSK, CrashReport, Device, StatusChange
from fleet_server.places.models import Installation, Place
from fleet_server.web.charts import Piece, lying_bars

HISTORY_ROWS = 20  # a flapping kiosk must not make the page long; older rows stay in the database
EPOCH_ROWS = 20  # a healthy kiosk has one or two; a mad one may have made thousands
CRASH_ROWS = 5
ALARM_ROWS = 10
CRASH_LINES = 20
QUARANTINE_ROWS = 5
MAX_TEXT = 4_000  # of a crash report's trace; a kiosk may send any text


@dataclass(frozen=True)
class Reported:
    """What the kiosk last said of itself; what it left out or what makes no sense is None or empty."""

    at: int | None
    board: str | None
    build: int | None
    slot: str | None
    desired: int | None
    wanted_hash: str | None
    card_hash: str | None
    held_sets: tuple[int, ...]
    update_result: str | None
    update_reason: str | None
    stuck_faces: tuple[int, ...]
    ignored: dict[str, int]
    slow: int | None
    dropped: int | None
    unreadable: int | None
    reset_cause: int | None


@dataclass(frozen=True)
class Stay:
    """A device stood at a place from `from_at` to `to_at` (None: it stands there now)."""

    place_id: int
    place: str
    device_id: str
    device: str
    from_at: int
    to_at: int | None


@dataclass(frozen=True)
class Change:
    """One change of status, newest first in lists."""

    at: int
    old: str
    new: str
    reason: str


@dataclass(frozen=True)
class Crash:
    """A crash report as a kiosk sent it."""

    at: int
    firmware: str
    task: str
    trace: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Kept:
    """A message or record that was not booked as it came; raw bytes stay in the database."""

    at: int
    what: str
    source: str
    reason: str
    size: int


@dataclass(frozen=True)
class DevicePage:
    """A device's page; `desired_version` is what the server wishes, `reported.desired` what the kiosk has.
    `card`: the set that waits for its printed card; `reported.card_hash`: that which the kiosk says waits.

    `epochs`: the newest EPOCH_ROWS of the device's `epoch_count`, oldest first.
    """

    line: DeviceLine
    created_at: int
    desired_version: int
    cleaning_until: int | None
    card: CardChange | None
    newest: NewestAnswer | None
    reported: Reported
    epochs: tuple[EpochBooks, ...]
    epoch_count: int
    stays: tuple[Stay, ...]
    changes: tuple[Change, ...]
    alarms: tuple[Alarm, ...]
    crashes: tuple[Crash, ...]
    crash_count: int
    quarantine: tuple[Kept, ...]
    quarantine_count: int

    @property
    def exact(self) -> bool:
        """Whether the book of answers is an equation: with records outstanding it has bounds only."""
        books = self.line.books
        return books is not None and not (books.waiting or books.rejected or books.lost)

    @property
    def answer_bars(self) -> list[list[Piece]]:
        """The book of answers as two bars: what the kiosk says, and what became of it."""
        books = self.line.books
        if books is None:
            return []
        parts = (("counted", books.counted), ("filtered", books.filtered), *self._missing)
        return lying_bars([("pressed", books.pressed)], parts)

    @property
    def record_bars(self) -> list[list[Piece]]:
        """The book of records as two bars."""
        books = self.line.books
        if books is None:
            return []
        return lying_bars([("pressed", books.next)], [("counted", books.records_received), *self._missing])

    @property
    def _missing(self) -> tuple[tuple[str, int], ...]:
        books = self.line.books
        if books is None:
            return ()
        return ("waiting", books.waiting), ("rejected", books.rejected), ("lost", books.lost)

    @property
    def stuck_texts(self) -> str:
        """Stuck faces as people count them, from 1 at the left."""
        return ", ".join(str(face + 1) for face in self.reported.stuck_faces)


def device_page(session: Session, device: Device, places: Select[tuple[int]]) -> DevicePage:
    """The page of one device, which the reader may see; of its past only the stays at `places`."""
    epochs = books.of_device(session, device.id)
    return DevicePage(
        line=device_lines(session, [device])[0],
        created_at=device.created_at,
        desired_version=device.desired_version,
        cleaning_until=device.cleaning_until,
        card=card_change(session, device),
        newest=newest_answer(session, device.id, epochs),
        reported=reported(device),
        epochs=tuple(epochs[-EPOCH_ROWS:]),
        epoch_count=len(epochs),
        stays=tuple(
            stays(
                session,
                and_(col(Installation.device_id) == device.id, col(Installation.place_id).in_(places)),
            )
        ),
        changes=_changes(session, device.id),
        alarms=alarms_of(session, device.id, ALARM_ROWS),
        crashes=_crashes(session, device.id),
        crash_count=_count(session, CrashReport, device.id),
        quarantine=_quarantine(session, device.id),
        quarantine_count=_count(session, Quarantine, device.id),
    )


def reported(device: Device) -> Reported:
    """The stored report, taken apart with distrust: it is whatever the kiosk sent."""
    body = _object(device.report)
    health, update = _dict(body.get("health")), _dict(body.get("update"))
    held = [entry[0] for entry in _list(body.get("sets")) if isinstance(entry, list) and entry]
    return Reported(
        at=device.report_at,
        board=_text(body.get("board")),
        build=_int(body.get("build")),
        slot=_text(body.get("slot")),
        desired=_int(body.get("desired")),
        wanted_hash=_text(body.get("want")),
        card_hash=_text(body.get("card")),
        held_sets=tuple(number for number in held if isinstance(number, int)),
        update_result=_text(update.get("result")),
        update_reason=_text(update.get("reason")),
        stuck_faces=tuple(face for face in _list(health.get("buttons")) if isinstance(face, int)),
        ignored={name: n for name, n in _dict(health.get("ignored")).items() if isinstance(n, int)},
        slow=_int(health.get("slow")),
        dropped=_int(health.get("dropped")),
        unreadable=_int(health.get("unreadable")),
        reset_cause=_int(health.get("reset")),
    )


def stays(session: Session, condition: Any) -> list[Stay]:
    """Installations that fulfil the condition with the names of place and device, newest first."""
    rows = session.exec(
        select(Installation, Place.name, Device.name)
        .join(Place, col(Place.id) == col(Installation.place_id))
        .join(Device, col(Device.id) == col(Installation.device_id))
        .where(condition, Device.channel == KIOSK)
        .order_by(col(Installation.from_at).desc(), col(Installation.id).desc())
        .limit(HISTORY_ROWS)
    )
    return [
        Stay(stay.place_id, place, stay.device_id, device, stay.from_at, stay.to_at)
        for stay, place, device in rows
    ]


def _changes(session: Session, device_id: str) -> tuple[Change, ...]:
    rows = session.exec(
        select(StatusChange)
        .where(StatusChange.device_id == device_id)
        .order_by(col(StatusChange.id).desc())
        .limit(HISTORY_ROWS)
    )
    return tuple(Change(row.at, row.old, row.new, row.reason) for row in rows)


def _crashes(session: Session, device_id: str) -> tuple[Crash, ...]:
    rows = session.exec(
        select(CrashReport)
        .where(CrashReport.device_id == device_id)
        .order_by(col(CrashReport.id).desc())
        .limit(CRASH_ROWS)
    )
    return tuple(_crash(row) for row in rows)


def _crash(row: CrashReport) -> Crash:
    body = _object(row.body)
    return Crash(
        at=row.at,
        firmware=_text(body.get("firmware")) or "",
        task=_text(body.get("task")) or "",
        trace=(_text(body.get("trace")) or "")[:MAX_TEXT],
        lines=tuple(str(line)[:MAX_TEXT] for line in _list(body.get("lines"))[-CRASH_LINES:]),
    )


def _quarantine(session: Session, device_id: str) -> tuple[Kept, ...]:
    rows = session.exec(
        select(  # type: ignore[call-overload]
            Quarantine.at,
            Quarantine.what,
            Quarantine.source,
            Quarantine.reason,
            func.length(col(Quarantine.raw)),
        )
        .where(Quarantine.device_id == device_id)
        .order_by(col(Quarantine.id).desc())
        .limit(QUARANTINE_ROWS)
    )
    return tuple(Kept(*row) for row in rows)


def _count(session: Session, table: Any, device_id: str) -> int:
    return session.exec(select(func.count()).select_from(table).where(table.device_id == device_id)).one()


def _object(text: str | None) -> dict[str, Any]:
    """What a kiosk sent as JSON, with texts that a page can be made of; {} for what is no object."""
    try:
        body = json.loads(text or "{}")
        # JSON can write half a character (a lone surrogate), and no page can be sent with one.
        return _dict(json.loads(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")))
    except (ValueError, RecursionError):  # the latter: thousands of brackets within each other
        return {}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _int(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None

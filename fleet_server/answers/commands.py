"""`fleet check` and `fleet quarantine …`: the operator's view of what was booked and of what was not.

No answer and no text goes to the terminal but by `quarantine show`, which leaves an entry in the audit log.
"""

import sys
import time
from typing import Annotated

import typer
from sqlmodel import col, select

from fleet_server.accounts import audit
from fleet_server.answers import check as books_check
from fleet_server.answers import reading, unit_counts
from fleet_server.answers.book import Booking
from fleet_server.answers.models import Quarantine
from fleet_server.answers.replay import replay
from fleet_server.db import Database
from fleet_server.devices.models import Device
from fleet_server.instants import local, now_ms
from fleet_server.results import check as results_check
from fleet_server.serving import CannotStart, open_known_database, read_settings

quarantine_app = typer.Typer(no_args_is_help=True, help="What was not booked as it came.")

_PROGRESS_S = 0.5  # on a terminal; a log file gets a line each half minute
_PROGRESS_LOG_S = 30.0
_PAGE = 500  # rows of a list read at once

DeviceOption = Annotated[str, typer.Option("--device", help="Only of this device (id).")]


def check(
    device: DeviceOption = "",
    repair: Annotated[
        bool, typer.Option(help="Write what follows from the records; default: only look.")
    ] = False,
) -> None:
    """Recompute ledger, sums, times, places, counts and results from the raw answers and report each difference.

    Exit code 0: no difference (or all repaired), 1: differences are left.
    """
    database = open_known_database(read_settings())
    found = repaired = 0
    progress = _Progress()
    devices = _devices(database, device)
    for number, device_id in enumerate(devices, 1):
        progress.title = f"device {number} of {len(devices)}"
        with database.write() if repair else database.steady_read() as session:
            if repair:
                differences = books_check.repair(session, device_id, now=now_ms(), progress=progress.more)
            else:
                differences = books_check.differences(session, device_id, progress.more)
            for difference in differences:
                progress.clear()
                found += 1
                repaired += repair and bool(difference.changes)
                done = "" if not repair else "repaired: " if difference.changes else "cannot be repaired: "
                typer.echo(f"{done}{difference}")
    if not device:
        progress.title = "results"
        with database.write() if repair else database.steady_read() as session:
            for line in results_check.differences(session):
                progress.clear()
                found += 1
                typer.echo(f"results: {line}")
            if repair:
                again = results_check.repair(session, now=now_ms())
                repaired += again
                if again:
                    typer.echo(f"repaired: {again} sums of results, from their blocks")
    progress.clear()
    if repaired or not device:
        wrong = _check_units(database, repair)
        found, repaired = found + wrong, repaired + (wrong if repair else 0)
    database.close()
    said = f"{len(devices)} devices, {progress.records} records: "
    if not found:
        typer.echo(said + "all is as the records say")
        return
    typer.echo(
        said + f"{found} differences" + (f", {repaired} repaired, {found - repaired} left" if repair else "")
    )
    if found > repaired:
        raise typer.Exit(1)


def _check_units(database: Database, repair: bool) -> int:
    """How many sums of units are (with `repair`: were) not those of their places."""
    with database.write() if repair else database.steady_read() as session:
        wrong = unit_counts.recount(session) if repair else unit_counts.differing(session)
    if wrong:
        typer.echo(f"{'repaired: ' if repair else ''}units: {wrong} sums are not those of their places")
    return wrong


@quarantine_app.command("list")
def quarantine_list(
    device: DeviceOption = "",
    what: Annotated[str, typer.Option(help="Only `message` or only `record`.")] = "",
    evidence: Annotated[
        bool | None, typer.Option(help="Only what stands for thanked answers (or only what does not).")
    ] = None,
) -> None:
    """List what is kept, oldest first: id, when, device, what, epoch, seq, reason. No answers, no texts."""
    if what not in ("", "message", "record"):
        raise CannotStart(f"--what is {what!r}, must be message or record")
    database = open_known_database(read_settings())
    after = shown = 0
    while rows := _rows(database, device, what, evidence, after):
        if not after:
            typer.echo(
                f"{'id':>8}  {'when':<16}  {'device':<12}  {'what':<8}  {'epoch':<8}  {'seq':>8}  reason"
            )
        for row in rows:
            epoch = "" if row.epoch is None else f"{row.epoch:08x}"
            seq = "" if row.seq is None else row.seq
            mark = "" if row.evidence else " (booked nothing)"
            typer.echo(
                f"{row.id:>8}  {local(row.at):%Y-%m-%d %H:%M}  {row.device_id}  {row.what:<8}  {epoch:<8}  {seq:>8}"
                f"  {reading.printable(row.reason)}{mark}"
            )
        after, shown = rows[-1].id or 0, shown + len(rows)
    typer.echo(f"{shown} kept")
    database.close()


@quarantine_app.command("show")
def quarantine_show(quarantine_id: Annotated[int, typer.Argument(metavar="ID")]) -> None:
    """Show one thing, bytes and fields. It may hold an answer or a visitor's own words, so this is written down."""
    with open_known_database(read_settings()).write() as session:
        row = session.get(Quarantine, quarantine_id)
        if row is None:
            raise CannotStart(f"nothing is kept in quarantine under {quarantine_id}")
        audit.record(session, "fleet", "look at quarantine", "quarantine", quarantine_id, now=now_ms())
        lines = reading.described(row)
    typer.echo(
        "This may hold an answer or a visitor's own words: an entry in the audit log says that it was shown."
    )
    for line in lines:
        typer.echo(line)


@quarantine_app.command("replay")
def quarantine_replay(
    ids: Annotated[list[int] | None, typer.Argument(metavar="[ID]...")] = None,
    device: DeviceOption = "",
    everything: Annotated[bool, typer.Option("--all", help="All that is kept (of all devices).")] = False,
) -> None:
    """Book again what is kept, each thing in a transaction of its own; what is booked then leaves the quarantine.

    Exit code 1 when something could not be tried (it stays as it was).
    """
    if sum((bool(ids), bool(device), everything)) != 1:
        raise CannotStart("say which: ids, --device ID, or --all")
    database = open_known_database(read_settings())
    chosen = list(ids or _ids(database, device))
    progress = _Progress()
    left = failed = 0
    for number, quarantine_id in enumerate(chosen, 1):
        progress.title = f"{number} of {len(chosen)}"
        progress.more(1)
        try:
            with database.write() as session:
                booking = replay(session, quarantine_id, now=now_ms())
                stays = session.get(Quarantine, quarantine_id) is not None
                outcome = _outcome(booking, stays)
                audit.record(
                    session,
                    "fleet",
                    "replay quarantine",
                    "quarantine",
                    quarantine_id,
                    after=outcome,
                    now=now_ms(),
                )
        except (LookupError, ValueError) as fault:
            outcome, stays = f"failed: {fault}", True
            failed += 1
        left += not stays
        progress.clear()
        typer.echo(f"{quarantine_id}: {outcome}")
    typer.echo(f"{len(chosen)} replayed: {left} booked, {len(chosen) - left - failed} stay, {failed} failed")
    database.close()
    if failed:
        raise typer.Exit(1)


def _outcome(booking: Booking, stays: bool) -> str:
    if booking.receipt is None:
        return f"stays: {booking.note}"
    done = f"{booking.received} received, {booking.duplicates} known already, {booking.rejected} rejected"
    if booking.fork:
        return f"stays: fork, its key holds another record ({done})"
    return f"stays: {done}" if stays else f"booked: {done}"


def _devices(database: Database, device: str) -> list[str]:
    with database.read() as session:
        known = list(session.exec(select(Device.id).order_by(col(Device.id))))
    if device and device not in known:
        raise CannotStart(f"device {device!r} does not exist")
    return [device] if device else known


def _ids(database: Database, device: str) -> list[int]:
    """What is kept, oldest first: whole messages before single records, which may be left of them."""
    if device:
        _devices(database, device)
    with database.read() as session:
        query = select(Quarantine.id).order_by(col(Quarantine.what), col(Quarantine.id))
        rows = session.exec(query.where(Quarantine.device_id == device) if device else query)
        return [number for number in rows if number is not None]


def _rows(database: Database, device: str, what: str, evidence: bool | None, after: int) -> list[Quarantine]:
    query = select(Quarantine).where(col(Quarantine.id) > after).order_by(col(Quarantine.id)).limit(_PAGE)
    if device:
        query = query.where(Quarantine.device_id == device)
    if what:
        query = query.where(Quarantine.what == what)
    if evidence is not None:
        query = query.where(col(Quarantine.evidence).is_(evidence))
    with database.read() as session:
        return list(session.exec(query))


class _Progress:
    """One line on standard error that says how far long work is."""

    def __init__(self) -> None:
        self.title = ""
        self.records = 0
        self._terminal = sys.stderr.isatty()
        self._said_at = time.monotonic()

    def more(self, records: int) -> None:
        """So many more are done."""
        self.records += records
        now = time.monotonic()
        if now - self._said_at >= (_PROGRESS_S if self._terminal else _PROGRESS_LOG_S):
            self._said_at = now
            sys.stderr.write(f"\r\x1b[K{self._line}" if self._terminal else f"{self._line}\n")
            sys.stderr.flush()

    @property
    def _line(self) -> str:
        return f"{self.title}, {self.records} records so far"

    def clear(self) -> None:
        """Make room for a line of the result."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

"""`fleet backup` and `fleet restored`: a copy of the database, and what the server must be told after one was put back.

A restored database has forgotten what was booked after the backup, and does not know that it has. Its new generation
says so to every kiosk: each asks where it stands and sends again what its flash still holds.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from fleet_server.accounts import audit
from fleet_server.answers.generation import renew_generation
from fleet_server.answers.models import ServerState
from fleet_server.instants import now_ms
from fleet_server.serving import CannotStart, hold_folder, open_known_database, read_settings

_MEANING = """\
This tells the server that its database was restored from a backup:
- it takes a new generation, so each kiosk asks where it stands and sends again what its flash still holds;
- until a kiosk was heard again its books are shown as unknown, not as balanced;
- what was booked after the backup and is no longer in the kiosk's flash shows as lost (a text is erased soon after it
  was booked);
- people, tokens and kiosks that were shut out after the backup are let in again: shut them out again, and make anew
  what was registered or published since.
Do it once after each restore, before `fleet serve`."""


def backup(file: Annotated[Path, typer.Argument(help="Where to; must not exist yet.")]) -> None:
    """Copy an SQLite database into FILE, whole and of one instant, also while the server runs."""
    settings = read_settings()
    if not settings.database.startswith("sqlite:///"):
        raise CannotStart("DATABASE_URL is not SQLite: use pg_dump --format=custom, see docs/operations.md")
    source = Path(settings.database.removeprefix("sqlite:///"))
    if not source.exists():
        raise CannotStart(f"{source} does not exist; is DATA_DIR right?")
    if file.exists():
        raise CannotStart(f"{file} exists already; give another name")
    try:
        with closing(sqlite3.connect(source)) as connection:
            connection.execute("VACUUM INTO ?", (str(file),))
        with closing(sqlite3.connect(file)) as copy:
            (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as fault:
        raise CannotStart(f"{file} could not be written: {fault}") from None
    if verdict != "ok":
        raise CannotStart(f"{file} is not sound: {verdict}; do not rely on it, and look at {source}")
    typer.echo(f"{file}: {file.stat().st_size} bytes, checked")


def restored(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Tell the server, while it is stopped, that its database was restored from a backup."""
    settings = read_settings()
    database = open_known_database(settings)
    hold_folder(settings)  # a server that runs on it would go on under the old generation
    typer.echo(_MEANING)
    if not yes:
        typer.confirm("Was the database restored, and is the server stopped?", abort=True)
    with database.write() as session:
        number = renew(session, now=now_ms())
    database.close()
    typer.echo(f"generation {number}: the server can be started")


def renew(session: Session, *, now: int) -> int:
    """A new generation, with its entry in the audit log; returns it."""
    before = session.get(ServerState, 1)
    old = None if before is None else before.generation
    number = renew_generation(session, now=now)
    audit.record(session, "fleet", "restore database", "server", "generation", old, number, now=now)
    return number

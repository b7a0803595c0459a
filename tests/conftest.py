"""What all tests share: a migrated database in a file, as in real life. tests/postgres.py has one in PostgreSQL."""

import gc
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
for folder in (ROOT, ROOT / "firmware"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from fleet_server.db import Database  # noqa: E402
from fleet_server.migrations import migrate  # noqa: E402
from tests import effort  # noqa: E402

# Monday 2026-03-02 10:00 in Finland (08:00 UTC): a plain working hour, far from a change of the clocks.
MONDAY_10 = 1_772_438_400_000


# A kiosk collects garbage at every turn. On CPython that would walk through the whole server each time, for nothing.
gc.collect = lambda generation=0, everything=gc.collect: everything(generation)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """So that a failing run can be done again."""
    terminalreporter.write_line(f"HYMIO_EFFORT={effort.LEVEL} HYMIO_SEED={effort.SEED}")


@pytest.fixture(scope="session")
def empty_database_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy: migrating once is enough."""
    path = tmp_path_factory.mktemp("schema") / "empty.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    database.close()
    return path


@pytest.fixture
def database(empty_database_file: Path, tmp_path: Path) -> Iterator[Database]:
    """An empty, migrated SQLite database in a file of its own."""
    path = tmp_path / "hymio.db"
    shutil.copy(empty_database_file, path)
    database = Database(f"sqlite:///{path}")
    yield database
    database.close()

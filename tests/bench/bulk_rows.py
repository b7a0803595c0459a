"""Writes rows made by a bench into their tables as fast as SQLite takes them; it does not know what they say."""

from typing import Any

from sqlmodel import Session

from fleet_server.answers import bulk, unit_counts
from fleet_server.answers.models import FilterCount, PressCount, Record
from fleet_server.results.models import Block, ReleasedText, WaitingAnswer


class Rows:
    """The rows of a unit, by table."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.records: list[Any] = []
        self.blocks: list[Any] = []
        self.texts: list[Any] = []
        self.waiting: list[Any] = []
        self.presses: list[Any] = []
        self.rules: list[Any] = []

    def write(self) -> None:
        for model, rows, skip in (
            (Block, self.blocks, ()),
            (Record, self.records, ()),
            (ReleasedText, self.texts, ("id",)),
            (WaitingAnswer, self.waiting, ()),
            (PressCount, self.presses, ()),
            (FilterCount, self.rules, ()),
        ):
            columns = [name for name in bulk.table_of(model).columns.keys() if name not in skip]  # noqa: SIM118
            _copy(self._session, model.__tablename__, columns, rows)
        unit_counts.add(self._session.connection(), self.presses)


def _copy(session: Session, table: str, columns: list[str], rows: list[Any]) -> None:
    connection, names = session.connection(), ", ".join(columns)
    marks = ", ".join("?" * len(columns))
    connection.connection.cursor().executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)

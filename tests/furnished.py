"""What many tests begin with is written into a database once for each process, and then copied."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from fleet_server.db import Database

_KEPT: dict[Callable[[Database], Any], tuple[bytes, Any]] = {}


def furnished(database: Database, furnish: Callable[[Database], Any]) -> Any:
    """An empty, migrated database as `furnish` leaves it; returns what that returned. On PostgreSQL it is called each
    time."""
    if database.engine.dialect.name != "sqlite":
        return furnish(database)
    file = Path(database.engine.url.database or "")
    if furnish in _KEPT:
        database.engine.dispose()
        file.write_bytes(_KEPT[furnish][0])
    else:
        made = furnish(database)
        with database.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("BEGIN")
        _KEPT[furnish] = (file.read_bytes(), made)
    return deepcopy(_KEPT[furnish][1])

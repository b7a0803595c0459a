"""Instants as the whole of Hymiö keeps them: UTC milliseconds since 1970, as an integer.

The same form on the wire, in SQLite and in PostgreSQL, so nothing has to know about time zones but the pages,
which show Europe/Helsinki.
"""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

HELSINKI = ZoneInfo("Europe/Helsinki")
SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


def now_ms() -> int:
    """This instant. Functions that decide something take it as an argument, so that tests can set it."""
    return time.time_ns() // 1_000_000


def utc(instant_ms: int) -> datetime:
    """The instant as an aware datetime in UTC."""
    return datetime.fromtimestamp(instant_ms / 1000, UTC)


def local(instant_ms: int) -> datetime:
    """The instant as an aware datetime in Finland's time."""
    return datetime.fromtimestamp(instant_ms / 1000, HELSINKI)


def to_ms(moment: datetime) -> int:
    """An aware datetime as UTC milliseconds; a naive one raises ValueError, since its zone would be a guess."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return round(moment.timestamp() * 1000)

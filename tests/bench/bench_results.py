"""How fast the results pages come with ten million answers of 500 places over three years, on both databases.

The databases are made once and kept under build/ (`HYMIO_BENCH_ANSWERS` makes smaller ones; each line says how many
answers there were). Each page is asked for again and again, in turn from the big database and from one with 100 000
answers, of units and places that change; beside it stands a plain GROUP BY over the raw answers.
"""

import os
import random
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import psycopg
from sqlalchemy import text
from sqlmodel import select
from starlette.testclient import TestClient

from fleet_server import garbage
from fleet_server.accounts import sessions
from fleet_server.accounts.models import User
from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.instants import DAY_MS
from fleet_server.migrations import migrate
from fleet_server.settings import Settings
from fleet_server.web.app import create_app
from tests import postgres
from tests.bench import county_years, to_postgresql

ANSWERS = int(os.environ.get("HYMIO_BENCH_ANSWERS", "10000000"))
FEW = 100_000
LIMIT_MS = 100
MOST_TIMES = 1.5
ROUNDS = 40
KEPT = Path(__file__).resolve().parents[2] / "build" / "bench"

PAGES = {
    "front": "/results",
    "front, a unit opened": "/results?open={unit}",
    "county": "/results/units/1",
    "county, a year": "/results/units/1?span=year",
    "unit": "/results/units/{unit}",
    "unit, a year": "/results/units/{unit}?span=year",
    "place": "/results/places/{place}",
    "place, a year": "/results/places/{place}?span=year",
    "texts, a year": "/results/units/1/texts?span=year",
    "texts with two words, a year": "/results/units/1/texts?span=year&words=hoitaja+kiitos",
    "compare": "/results/units/1/compare",
    "compare all places": "/results/units/1/compare?below=places",
    "volumes of the county": "/results/units/1/volumes",
    "volumes of a place, a year": "/results/places/{place}/volumes?from=2025-12-01&to=2026-11-30",
}
_RAW = """SELECT place_id, question, value, count(*) FROM record
WHERE kind = 1 AND filtered IS NULL AND from_at >= :start GROUP BY place_id, question, value"""


def measure() -> list[dict[str, Any]]:
    """p95 of each page in milliseconds, and its ratio to the same page with few answers."""
    found = _on_sqlite()
    if postgres.installed():
        found += _on_postgresql()
    return found


def _on_sqlite() -> list[dict[str, Any]]:
    return _measure("SQLite", [f"sqlite:///{sqlite_county(answers)}" for answers in (FEW, ANSWERS)])


def _on_postgresql() -> list[dict[str, Any]]:
    with _cluster() as cluster:
        return _measure("PostgreSQL", [cluster.url(_in(cluster, answers)) for answers in (FEW, ANSWERS)])


def sqlite_county(answers: int) -> Path:
    """The file with so many answers, made if it is not there."""
    path = KEPT / f"county-{county_years.VERSION}-{answers}.db"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        making = path.with_suffix(".making")
        for old in path.parent.glob(making.name + "*"):
            old.unlink()
        county_years.build(f"sqlite:///{making}", answers, _say)
        making.rename(path)
    migrate(Database(f"sqlite:///{path}"))  # an older one may have an older schema
    return path


@contextmanager
def _cluster() -> Iterator[postgres.Cluster]:
    """With its data beside SQLite's file; where user postgres may not go, it is made anew each time."""
    folder: Path | None = KEPT / f"county-{county_years.VERSION}-postgresql"
    if os.geteuid() == 0 and not all(one.stat().st_mode & 1 for one in KEPT.parents):
        folder = None
    with postgres.cluster(folder) as cluster:
        yield cluster


def _in(cluster: postgres.Cluster, answers: int) -> str:
    """The name of the database with so many answers."""
    name = f"county_{answers}"
    address = f"postgresql://postgres@/postgres?host={cluster.folder}"
    with psycopg.connect(address, autocommit=True) as connection:
        names = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        if name not in names:
            connection.execute("DROP DATABASE IF EXISTS making")
            connection.execute("CREATE DATABASE making")
            to_postgresql.copy(sqlite_county(answers), cluster.url("making"), _say)
            connection.execute(f"ALTER DATABASE making RENAME TO {name}")
    migrate(Database(cluster.url(name)))
    return name


def _say(text: str) -> None:
    print(f"  ({text})", file=sys.stderr, flush=True)


def _measure(name: str, urls: list[str]) -> list[dict[str, Any]]:
    chance = random.Random(95)
    databases = [Database(url) for url in urls]
    browsers = [_browser(database) for database in databases]
    garbage.search_seldom()  # as the server does when it starts: else a search of all that was loaded takes 0.2 s
    raw_ms = _raw_ms(databases[-1])
    with databases[-1].read() as session:
        answers = session.execute(text("SELECT sum(received_answers) FROM journal_epoch")).scalar_one()
    found: list[dict[str, Any]] = []
    for page, path in PAGES.items():
        times: list[list[float]] = [[], []]
        for turn in range(ROUNDS + 1):
            address = path.format(
                unit=chance.randint(2, county_years.UNITS), place=chance.randint(1, county_years.PLACES)
            )
            for browser, seen in zip(browsers, times, strict=True):
                began = perf_counter()
                response = browser.get(address)
                took = 1000 * (perf_counter() - began)
                if response.status_code != 200:
                    raise RuntimeError(f"{address}: {response.status_code}")
                if turn:  # the first one compiles templates and statements
                    seen.append(took)
        few, many = (statistics.quantiles(seen, n=20)[18] for seen in times)
        title = f"{page}, {float(answers) / 1e6:.2g} million answers, {name}"
        middle = f"ms (median {statistics.median(times[1]):.0f})"
        found.append({"name": f"{title}, p95", "value": many, "unit": middle, "limit": LIMIT_MS})
        found.append(
            {
                "name": f"  beside {FEW:,} answers, medians",
                "value": statistics.median(times[1]) / statistics.median(times[0]),
                "unit": f"times (p95 {few:.0f} ms)",
                "limit": MOST_TIMES,
            }
        )
    found.append(
        {"name": f"a quarter by GROUP BY over the raw answers, {name}", "value": raw_ms, "unit": "ms"}
    )
    for database in databases:
        database.close()
    return found


def _browser(database: Database) -> TestClient:
    app = create_app(Settings(demo=False), database, Changes(), None)
    app.state.clock = lambda: county_years.NOW
    with database.write() as session:
        reader = session.exec(select(User).where(User.email == county_years.READER)).one()
        secret = sessions.begin(session, reader, now=county_years.NOW)
    browser = TestClient(app)
    browser.cookies.set("hymio_session", secret)
    return browser


def _raw_ms(database: Database) -> float:
    began = perf_counter()
    with database.read() as session:
        session.execute(text(_RAW), {"start": county_years.NOW - 91 * DAY_MS}).all()
    return 1000 * (perf_counter() - began)

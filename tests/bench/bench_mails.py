"""How long the weekly mails of 500 units take, each with its PDF, from the first look until the mail server has all.

Each unit has its own reader, and all national questions, so that a mail is as long as mails get. What was answered is a
copy of the units of the smaller database of bench_results.py; mail server and printing processes are real. Beside the
time stands what the processors did for it: on a busy machine the two differ.
"""

import os
import shutil
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import insert, literal, select
from sqlmodel import Session, col

from fleet_server.accounts import service as accounts
from fleet_server.accounts.models import Role
from fleet_server.accounts.sessions import person_from
from fleet_server.answers import bulk
from fleet_server.db import Database
from fleet_server.mails import rules, subscribing
from fleet_server.mails.postman import Postman
from fleet_server.places.models import Place, Unit
from fleet_server.results import subjects
from fleet_server.results.models import UNIT, Score, ScoreSpan
from fleet_server.results.printing import Printer
from tests.bench import county_years
from tests.bench.bench_results import FEW, sqlite_county
from tests.fleet_server.mails.post_office import Box, post_office, settings_for

UNITS = 500
LIMIT_S = 120
LANGUAGES = ("fi", "sv", "en")
FIRST = 1_000  # the id of the first of them


def measure() -> list[dict[str, Any]]:
    """Seconds for all mails, and processor seconds of server, printers and mail server together."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mails.db"
        shutil.copy(sqlite_county(FEW), path)
        database = Database(f"sqlite:///{path}")
        with database.write() as session:
            rules.keep(session)
            _copy_units(session)
            _subscribe(session)
            at = rules.next_at(rules.rule(session), county_years.NOW)
        seconds, worked, box = _send(database, at)
        database.close()
    papers = [part for mail in box.arrived for part in mail.iter_attachments()]
    if len(papers) != UNITS:
        raise RuntimeError(f"{len(papers)} PDFs arrived in {len(box.arrived)} mails")
    size = sum(len(paper.get_content()) for paper in papers) / len(papers)
    return [
        {"name": f"weekly mails with PDF of {UNITS} units", "value": seconds, "unit": "s", "limit": LIMIT_S},
        {"name": "  processor time of all that takes part", "value": worked, "unit": "s"},
        {"name": "  a PDF", "value": size / 1000, "unit": "kB"},
    ]


def _copy_units(session: Session) -> None:
    """500 units with the sums of those that have places, in turn."""
    sources = [one for (one,) in session.connection().execute(select(col(Place.unit_id)).distinct())]
    for number in range(UNITS):
        new, source = FIRST + number, sources[number % len(sources)]
        name = f"Terveysasema {number}"
        session.add(Unit(id=new, parent_id=1, path=f"/1/{new}/", name_fi=name, name_sv=name, name_en=name))
        for table in (bulk.table_of(Score), bulk.table_of(ScoreSpan)):
            columns = [literal(new) if one.name == "scope_id" else one for one in table.columns]
            own = select(*columns).where(table.c.scope == UNIT, table.c.scope_id == source)
            session.connection().execute(insert(table).from_select(table.columns.keys(), own))
    session.flush()


def _subscribe(session: Session) -> None:
    """A reader for each unit, who wants its quarter."""
    for number in range(UNITS):
        user = accounts.create_user(
            session,
            email=f"head{number}@example.org",
            name=f"Head {number}",
            language=LANGUAGES[number % len(LANGUAGES)],
            roles=[(Role.SUPERVISOR, FIRST + number)],
            now=county_years.NOW,
        )
        subject = subjects.of_unit(session, FIRST + number)
        assert subject is not None
        person = person_from(session, user)
        subscribing.subscribe(session, person, subject, "quarter", now=county_years.NOW)


def _send(database: Database, at: int) -> tuple[float, float, Box]:
    """Seconds, processor seconds, and what arrived; the server has run before, its printers have not."""
    box, printer = Box(), Printer()
    with post_office(box) as port:
        postman = Postman(settings_for(port), database, printer)
        began, before = perf_counter(), os.times()
        while postman.look(at):
            pass
        seconds = perf_counter() - began
        printer.stop()  # the work of processes that have ended is in our own account
        after = os.times()
    return seconds, sum(after[:4]) - sum(before[:4]), box

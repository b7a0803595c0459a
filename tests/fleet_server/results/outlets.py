"""Everything by which results leave the server, asked as an attacker asks: API, files, pages, mail, paper.

What comes back is read from the files and pages themselves, as figures under the keys of the query layer, so that an
answer of one outlet is set against those of all others.
"""

import csv
import io
import re
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from secrets import token_hex
from typing import Any

from sqlmodel import select
from starlette.testclient import TestClient

from fleet_server.accounts import county, sessions
from fleet_server.accounts import service as accounts
from fleet_server.accounts.models import Role, User
from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.devices.models import Device
from fleet_server.instants import local
from fleet_server.places.models import Place
from fleet_server.questions import service as questions
from fleet_server.results import printing
from fleet_server.results.models import PLACE, PUBLIC, UNIT, VALUES
from fleet_server.results.scores import Figures
from fleet_server.settings import Settings
from fleet_server.web.app import create_app
from tests.conftest import MONDAY_10
from tests.fleet_server.results import papers

Learned = dict[tuple[str, int, str], list[Figures]]
PUBLIC_PAGE = f"{PUBLIC} page"  # it groups values, so its figures are set against each other alone
PAPER = (
    "paper"  # PDFs and mails group values, too: they are set against each other and the API's in such groups
)
_PAPERS_EVERY = 3  # requests: a PDF takes longer than all others together
_EMAIL = "attacker@example.org"
_PART = re.compile(r"\(([\d,]+)\)</span></li>")
_VISITORS = re.compile(r"<small>([\d,]+) visitor")


@dataclass
class Outlets:
    """The pages and the API over a database, for a coordinator of the whole county; public pages are on."""

    database: Database
    app: Any
    token: str
    code: str
    now: int = MONDAY_10
    asked: int = 0

    @classmethod
    def over(cls, database: Database) -> "Outlets":
        """Of place 1 and unit 1; question 0 of set 1 is a national one."""
        app = create_app(Settings(demo=False), database, Changes(), None)
        app.state.printer = papers.PrintsHere()
        with database.write() as session:
            questions.add_national(session, now=MONDAY_10)
            county.change(
                session, "test", second_person=False, required_languages=["fi"], public_results=True, now=MONDAY_10
            )  # fmt: skip
            if accounts.by_email(session, _EMAIL) is None:
                accounts.create_user(
                    session, email=_EMAIL, name="A", language="en", roles=[(Role.COORDINATOR, None)], now=MONDAY_10
                )  # fmt: skip
            token = accounts.create_token(
                session,
                name=f"attacker {token_hex(4)}",
                role=Role.COORDINATOR,
                unit_id=None,
                days=365,
                now=MONDAY_10,
            )
            code = session.exec(select(Place.code).where(Place.id == 1)).one()
        made = cls(database, app, token, code)
        app.state.clock = lambda: made.now
        return made

    def ask(self, random: Random, now: int) -> Learned:
        """One request to each outlet, with a time and filters drawn at random."""
        self.now = now
        with self.database.write() as session:
            user = accounts.by_email(session, _EMAIL)
            assert user is not None
            secret = sessions.begin(session, user, now=now)
        client = TestClient(self.app, follow_redirects=False, cookies={"hymio_session": secret})
        found: Learned = {}
        self._api(client, random, found)
        self._csv(client, random, found)
        self._national(client, random, found)
        self._public(client, found)
        self._workbook(client, random, found)
        if self.asked % _PAPERS_EVERY == 0 and printing.available():
            self._paper(client, user, random, found)
        self.asked += 1
        return found

    def _api(self, client: TestClient, random: Random, found: Learned) -> None:
        first = local(self.now).date() - timedelta(days=random.randint(0, 30))
        last = first + timedelta(days=random.randint(0, 30))
        for scope, part in ((PLACE, "places"), (UNIT, "units")):
            grain = random.choice(("week", "month", "whole"))
            time = f"from={first}&to={last}&grain={grain}&with_filtered={random.choice(('true', 'false'))}"
            headers = {"authorization": f"Bearer {self.token}"}
            got = client.get(f"/api/v1/{part}/1/results?{time}", headers=headers).json()
            for question in got["questions"]:
                for period in question["periods"]:
                    for source, one in [("", period)] + [
                        (each["device_id"] or each["channel"], each) for each in period["sources"]
                    ]:
                        if figures := one["figures"]:
                            values = tuple(
                                figures["counts"].get(str(value), 0) for value in range(len(VALUES))
                            )
                            learned = Figures(figures["n"], figures["cant_say"], values)
                            found.setdefault((scope, question["series"], source), []).append(learned)
                            if not source:
                                found.setdefault((f"{scope} {PAPER}", 0, ""), []).append(
                                    papers.groups(learned)
                                )

    def _paper(self, client: TestClient, user: User, random: Random, found: Learned) -> None:
        for scope in (PLACE, UNIT):
            query = (
                f"span={random.choice(('month', 'quarter', 'year'))}&filtered={random.choice(('', 'with'))}"
            )
            pdf = client.get(f"/results/{scope}s/1.pdf?{query}")
            assert pdf.status_code == 200, pdf.text
            mailed = papers.of_mail(self.database, user, scope, random.choice(("month", "quarter")), self.now)
            for one in (papers.of_pdf(pdf.content), mailed):
                if one is not None:
                    found.setdefault((f"{scope} {PAPER}", 0, ""), []).append(one)

    def _workbook(self, client: TestClient, random: Random, found: Learned) -> None:
        with self.database.read() as session:
            ids = {one.name: one.id for one in session.exec(select(Device))}
        for scope in (PLACE, UNIT):
            query = (
                f"span={random.choice(('month', 'quarter', 'year'))}&filtered={random.choice(('', 'with'))}"
            )
            content = client.get(f"/results/{scope}s/1/results.xlsx?{query}").content
            for series, source, figures in papers.of_workbook(content):
                found.setdefault((scope, series, ids.get(source, source.lower())), []).append(figures)

    def _csv(self, client: TestClient, random: Random, found: Learned) -> None:
        for scope in (PLACE, UNIT):
            query = (
                f"span={random.choice(('month', 'quarter', 'year'))}&filtered={random.choice(('', 'with'))}"
            )
            for row in _table(client.get(f"/results/{scope}s/1/results.csv?{query}")):
                if row["status"] == "released":
                    values = tuple(int(row[f"count_{value}"] or 0) for value in range(len(VALUES)))
                    figures = Figures(int(row["n"]), int(row["cant_say"]), values)
                    key = scope, int(row["series"]), row["device_id"] or row["channel"]
                    found.setdefault(key, []).append(figures)

    def _national(self, client: TestClient, random: Random, found: Learned) -> None:
        last = local(self.now).date()
        first = last - timedelta(days=random.choice((0, 31)))
        time = f"from={first:%Y-%m}&to={last:%Y-%m}&grain={random.choice(('month', 'quarter'))}"
        for row in _table(client.get(f"/results/national/file.csv?{time}")):
            if row["status"] == "released":
                said = int(row["n"]) - int(row["cant_say"])
                shares = (float(row[f"share_{value}"] or 0) for value in range(len(VALUES)))
                figures = Figures(
                    int(row["n"]), int(row["cant_say"]), tuple(round(said * share) for share in shares)
                )
                found.setdefault((UNIT, int(row["series"]), row["channel"]), []).append(figures)

    def _public(self, client: TestClient, found: Learned) -> None:
        page = client.get(f"/p/{self.code}/results?lang=en")
        assert page.status_code == 200
        for number, card in enumerate(page.text.split("<section")[1:]):
            visitors = _VISITORS.search(card)
            assert visitors
            parts = [int(count.replace(",", "")) for count in _PART.findall(card)]
            values = tuple((parts + [0] * len(VALUES))[: len(VALUES)])
            figures = Figures(int(visitors[1].replace(",", "")), 0, values)
            found.setdefault((PUBLIC_PAGE, number, ""), []).append(figures)


def _table(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))

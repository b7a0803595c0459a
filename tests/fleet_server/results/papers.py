"""What a weekly mail and its PDF, a page's PDF and its workbook tell, read from the files themselves."""

import io
import re
from concurrent.futures import Future
from typing import Any

from openpyxl import load_workbook
from pypdf import PdfReader

from fleet_server.accounts.models import User
from fleet_server.db import Database
from fleet_server.mails import rules, weekly
from fleet_server.mails.models import Mail, WeeklyMail
from fleet_server.mails.writing import Writer
from fleet_server.results import printing
from fleet_server.results.models import VALUES
from fleet_server.results.printing import Printer
from fleet_server.results.scores import Figures
from fleet_server.settings import Settings

_VISITORS = re.compile(r"· ([\d,]+) visitors?(?:, (\d+) % of them cannot say)?")
_PART = re.compile(r"% \(([\d,]+)\)")
_SAID = re.compile(r"\bn = ([\d,]+)\)")


class PrintsHere(Printer):
    """Prints in this process: a test has no time to begin others."""

    def print(self, html: str) -> "Future[bytes]":
        done: Future[bytes] = Future()
        done.set_result(printing._print(html))
        return done


def groups(figures: Figures) -> Figures:
    """An NPS as paper and mail show it: promoters, passives, detractors."""
    values = figures.values
    return _grouped(figures.answers, sum(values[9:]), sum(values[7:9]), sum(values[:7]))


def _grouped(answers: int, *parts: int) -> Figures:
    return Figures(answers, 0, (*parts, *[0] * (len(VALUES) - len(parts))))


def of_pdf(pdf: bytes) -> Figures | None:
    """The one NPS of a PDF in English, in its groups; None when nothing is shown."""
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    text = re.sub(r"\s+", " ", text)
    visitors, parts = _VISITORS.search(text), _PART.findall(text)
    if visitors is None:
        return None
    assert len(parts) == 3, text
    return _grouped(*(int(one.replace(",", "")) for one in (visitors[1], *parts)))


def of_mail(database: Database, user: User, scope: str, span: str, now: int) -> Figures | None:
    """That of the mail which this person gets on the next Monday; its text tells no more than its PDF."""
    with database.write() as session:
        rules.keep(session)
        for old in (WeeklyMail, Mail):
            session.execute(old.__table__.delete())  # type: ignore[attr-defined]
        session.add(WeeklyMail(user_id=user.id or 0, scope=scope, scope_id=1, span=span, created_at=0))
    at = rules.next_at(rules.MailRule(key=""), now)
    week = rules.due_week(rules.MailRule(key=""), at)
    assert week is not None
    with database.read() as session:
        row = Mail(key=weekly.key_of(week[0], user.id or 0), user_id=user.id or 0, created_at=at, due_at=at)
        settings = Settings(
            smtp_host="localhost", smtp_sender="a@example.org", public_url="https://h.example.org"
        )
        letter = Writer(settings, PrintsHere()).write(session, row, now=at)
        assert letter is not None
        mail = letter.finished()
    (attached,) = mail.iter_attachments()
    figures = of_pdf(attached.get_content())
    plain = mail.get_body(("plain",))
    assert plain is not None
    told = [int(one.replace(",", "")) for one in _SAID.findall(plain.get_content())]
    assert told == ([] if figures is None else [figures.answers])
    return figures


def of_workbook(content: bytes) -> list[tuple[int, str, Figures]]:
    """(series, channel or name of a device or "" of all, figures) of each released row of a workbook in English."""
    found = []
    for sheet in load_workbook(io.BytesIO(content), read_only=True).worksheets:
        rows = sheet.iter_rows(values_only=True)
        head: Any = next(rows, ())
        if "Status" not in head:
            continue
        for cells in rows:
            row = dict(zip(head, cells, strict=True))
            if row["Status"] == "released":
                values = tuple(row[f"Answers of value {value}"] or 0 for value in range(len(VALUES)))
                source = "" if row["Channel"] == "all" else row["Device"] or row["Channel"]
                found.append((row["Series"], source, Figures(row["n"], row["Cannot say"], values)))
    return found

"""Writes a mail when it is sent: from what its reader may see then, in her language.

Figures are those of results/summary.py; open texts are in no mail. It sends nothing. Invariant: who may not read a
subject any more gets nothing of it, and nothing at all when there is nothing left.
"""

from concurrent.futures import Future
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, parseaddr
from typing import Any
from urllib.parse import quote

from sqlmodel import Session

from fleet_server.accounts import county
from fleet_server.accounts.models import User
from fleet_server.accounts.sessions import person_from
from fleet_server.alerts import service as alerts
from fleet_server.alerts.models import Alert
from fleet_server.alerts.wording import path_of, words
from fleet_server.instants import local, utc
from fleet_server.mails import rules, subscribing, weekly
from fleet_server.mails.models import Mail
from fleet_server.results import paper
from fleet_server.results.printing import CannotPrint, Printer
from fleet_server.results.summary import summary
from fleet_server.settings import Settings
from fleet_server.web import i18n
from fleet_server.web.i18n import _
from fleet_server.web.templating import templates
from fleet_server.web.units import unit_name

PRINT_S = 120  # a page is set in less than one; a machine that swaps takes its time


@dataclass
class Letter:
    """A mail whose PDFs may still be in the making: (file name, PDF)."""

    message: EmailMessage
    language: str
    papers: list[tuple[str, "Future[bytes]"]] = field(default_factory=list)

    def finished(self) -> EmailMessage:
        """The whole message, once its PDFs are there."""
        for name, pdf in self.papers:
            self.message.add_attachment(
                pdf.result(PRINT_S), maintype="application", subtype="pdf", filename=name
            )
        self.papers = []
        self.message["Content-Language"] = (
            self.language
        )  # last: content that is added takes such headers with it
        return self.message


class Writer:
    """Writes mails of one look; equal PDFs are made once."""

    def __init__(self, settings: Settings, printer: Printer) -> None:
        self._settings = settings
        self._printer = printer
        self._papers: dict[str, Future[bytes]] = {}

    def write(self, session: Session, mail: Mail, *, now: int) -> Letter | None:
        """The mail of this row; None when there is nothing (any more) that its person may be told."""
        user = session.get(User, mail.user_id)
        if user is None or user.disabled_at is not None:
            return None
        i18n.use(user.language)
        kind, _colon, rest = mail.key.partition(":")
        if kind == weekly.KIND:
            return self._weekly(session, mail, user, rest.partition(":")[0], now)
        return self._alert(session, mail, user, int(rest), now)

    def _weekly(self, session: Session, mail: Mail, user: User, week: str, now: int) -> Letter | None:
        person = person_from(session, user)
        rows = [one for one in subscribing.of_person(session, person) if one.row.paused_at is None]
        if not rows:
            return None
        as_of = rules.last_instant(week)
        until = f"{local(as_of):%Y-%m-%d}"
        sections: list[dict[str, Any]] = []
        letter = Letter(EmailMessage(), i18n.language())
        for one in rows:
            span = next(span for span in subscribing.SPANS if span == one.row.span)
            found = summary(session, one.subject, span, now=as_of, language=i18n.language())
            sections.append(
                {
                    "title": paper.title_of(one.subject),
                    "above": unit_name(one.subject.above) if one.subject.above else "",
                    "lines": found.lines,
                    "since": found.period.starts[0],
                    "until": found.period.stop - 1,
                    "address": self._address(f"{one.subject.address}?span={span}&until={until}"),
                }
            )
            try:
                page = paper.paper(session, one.subject, span, now=as_of, found=found)
                if page not in self._papers:
                    self._papers[page] = self._printer.print(page)
                letter.papers.append((paper.file_name(one.subject, found), self._papers[page]))
            except CannotPrint:  # the figures are in the mail, too, and it has the way to the page
                continue
        token = rules.stop_token(rules.rule(session).key, "weekly", user.id or 0)
        names = ", ".join(section["title"] for section in sections[:2]) + ("…" if len(sections) > 2 else "")
        self._fill(
            session,
            letter.message,
            mail,
            user,
            _("Feedback of week %(week)s: %(names)s")
            % {"week": local(as_of).isocalendar().week, "names": names},
            "mails/weekly",
            token,
            now,
            sections=sections,
            with_papers=bool(letter.papers),
            k=county.rules(session).least_respondents,
        )
        return letter

    def _alert(self, session: Session, mail: Mail, user: User, alert_id: int, now: int) -> Letter | None:
        alert = session.get(Alert, alert_id)
        if alert is None or alert.cleared_at is not None:
            return None
        watched = alerts.watch_of(session, person_from(session, user), alert.watch_id)
        if watched is None or watched.watch.paused_at or watched.watch.removed_at or not watched.watch.mail:
            return None
        told = alerts.told(session, alert, watched)
        said = words(told)
        letter = Letter(EmailMessage(), i18n.language())
        token = rules.stop_token(rules.rule(session).key, "watch", watched.watch.id or 0)
        self._fill(
            session,
            letter.message,
            mail,
            user,
            f"{said.where}: {said.title}",
            "mails/alert",
            token,
            now,
            words=said,
            address=self._address(path_of(watched.subject, told)),
            alerts_address=self._address(f"/results/alerts#alert-{alert.id}"),
        )
        return letter

    def _fill(
        self,
        session: Session,
        message: EmailMessage,
        mail: Mail,
        user: User,
        subject: str,
        template: str,
        token: str,
        now: int,
        **context: Any,
    ) -> None:
        stop = self._address(f"/mails/stop/{token}")
        _name, sender = parseaddr(self._settings.smtp_sender)
        key = rules.rule(session).key
        message["Subject"] = " ".join(subject.split())
        message["From"] = self._settings.smtp_sender
        message["To"] = formataddr((user.name, user.email))
        message["Date"] = format_datetime(utc(now))
        # The same at each attempt: who gets one twice nevertheless sees that it is one.
        message["Message-ID"] = f"<{rules.sign(key, mail.key)}@{quote(sender.rpartition('@')[2])}>"
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        message["List-Unsubscribe"] = f"<{stop}>"
        if stop.startswith("https://"):  # RFC 8058 allows no other
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        known = {"language": i18n.language(), "name": user.name, "stop": stop, "title": subject} | context
        message.set_content(_tidy(templates.get_template(f"{template}_text.html").render(known)))
        message.add_alternative(templates.get_template(f"{template}.html").render(known), subtype="html")

    def _address(self, path: str) -> str:
        return self._settings.address + path


def _tidy(text: str) -> str:
    """Never more than one empty line, none at the ends."""
    lines: list[str] = []
    for line in (line.rstrip() for line in text.strip().splitlines()):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines) + "\n"

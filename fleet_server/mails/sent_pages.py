"""The page behind the link in each mail, for whoever has the mail; and what was not sent, for operators."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person, allow, public
from fleet_server.accounts.models import Role, User
from fleet_server.alerts import service as alerts
from fleet_server.alerts.models import Watch
from fleet_server.mails import outbox, rules, subscribing
from fleet_server.mails.models import FAILED, UNSURE, Mail
from fleet_server.refusals import N_
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession
from fleet_server.web.i18n import _
from fleet_server.web.templating import render

router = APIRouter(prefix="/mails", include_in_schema=False)
Operator = Annotated[Person, allow(Role.OPERATOR)]
STATES = {
    "waiting": N_("waiting"),
    "claimed": N_("being written"),
    "handed": N_("being handed over"),
    "unsure": N_("perhaps arrived"),
    "failed": N_("not sent"),
    "dropped": N_("nothing to send"),
}


@router.get("")
def mails(request: Request, person: Operator, session: ReadSession, now: Now, done: str = "") -> Response:
    """Mails of the last 30 days that were not simply sent."""
    rows = outbox.troubled(session, now=now)
    people = select(User.id, User.email).where(col(User.id).in_({row.user_id for row in rows}))
    emails = dict(session.exec(people).all())
    return render(
        request,
        "mails/sent.html",
        lines=[
            {
                "row": row,
                "to": emails.get(row.user_id, ""),
                "kind": _("Weekly e-mail") if row.key.startswith("weekly:") else _("Alert"),
                "state": _(STATES[row.state]),
                "again": row.state in (FAILED, UNSURE),
            }
            for row in rows
        ],
        server=request.app.state.settings.smtp_host,
        done=done,
    )


@router.post("/{mail_id}/again")
def again(mail_id: RowId, person: Operator, session: WriteSession, now: Now) -> Response:
    """Send a failed mail, or one that perhaps arrived, once more."""
    row = session.get(Mail, mail_id)
    if row is None:
        raise HTTPException(404)
    outbox.again(session, person, row, now=now)
    return RedirectResponse("/mails?done=again", 303)


@router.get("/stop/{token}", dependencies=[public])
def ask(request: Request, token: str, session: ReadSession) -> Response:
    """What the link in a mail stops; nothing is stopped yet: programs that look for viruses open links, too."""
    kind, _number = _read(session, token)
    return render(request, "mails/stop.html", kind=kind, token=token, stopped=False)


@router.post("/stop/{token}", dependencies=[public])
def stop(request: Request, token: str, session: WriteSession, now: Now) -> Response:
    """Stop it; by the button of that page, or at once by the reader's mail program (RFC 8058)."""
    kind, number = _read(session, token)
    if kind == "weekly":
        user = session.get(User, number)
        if user is not None:
            subscribing.stop_all(session, user, now=now)
    else:
        watch = session.get(Watch, number)
        user = session.get(User, watch.user_id) if watch is not None else None
        if watch is not None and user is not None:
            alerts.mail_no_more(session, user.email, watch, now=now)
    return render(request, "mails/stop.html", kind=kind, token=token, stopped=True)


def _read(session: Session, token: str) -> tuple[str, int]:
    found = rules.read_token(rules.rule(session).key, token)
    if found is None:
        raise HTTPException(404)
    return found

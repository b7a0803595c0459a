"""The page of a person's weekly mails: subscribed, paused, ended by herself; and the county's time for them."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from fleet_server.accounts.access import Person, allow
from fleet_server.accounts.models import Role
from fleet_server.mails import rules, subscribing
from fleet_server.refusals import Refused
from fleet_server.results import choosing
from fleet_server.results.pages import Reader
from fleet_server.results.paper import title_of
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession
from fleet_server.web.forms import messages
from fleet_server.web.i18n import _
from fleet_server.web.templating import render

router = APIRouter(include_in_schema=False)
Admin = Annotated[Person, allow(Role.ADMIN)]


@router.get("/results/mails")
def mails(
    request: Request,
    person: Reader,
    session: ReadSession,
    now: Now,
    on: str = "",
    span: str = "month",
    done: str = "",
) -> Response:
    """Her subscriptions, and the form for another; `on`: what is chosen in it already, or was just ended."""
    return _page(request, session, person, now, {"on": on, "span": span}, done=done)


@router.post("/results/mails")
def subscribe(
    request: Request,
    person: Reader,
    session: WriteSession,
    now: Now,
    on: Annotated[str, Form()] = "",
    span: Annotated[str, Form()] = "",
) -> Response:
    """Get the weekly mail of a unit or place, or get it for another time."""
    subject = choosing.chosen(session, person, on)
    if subject is None:
        raise HTTPException(404)
    try:
        subscribing.subscribe(session, person, subject, span, now=now)
    except Refused as refused:
        typed = {"on": on, "span": span}
        return _page(request, session, person, now, typed, errors=messages(refused), status=422)
    return RedirectResponse("/results/mails?done=subscribed", 303)


@router.post("/results/mails/{row_id}/{what}")
def act(row_id: RowId, what: str, person: Reader, session: WriteSession, now: Now) -> Response:
    """`pause`, `resume` or `end` a subscription."""
    found = next((one for one in subscribing.of_person(session, person) if one.row.id == row_id), None)
    if found is None:
        raise HTTPException(404)
    if what in ("pause", "resume"):
        subscribing.pause(session, person, found.row, what == "pause", now=now)
        return RedirectResponse(f"/results/mails?done={what}", 303)
    if what != "end":
        raise HTTPException(404)
    address = f"/results/mails?done=end&on={choosing.value_of(found.subject)}&span={found.row.span}"
    subscribing.end(session, person, found.row, now=now)
    return RedirectResponse(address, 303)


@router.post("/county/mails")
def change_time(
    request: Request,
    person: Admin,
    session: WriteSession,
    now: Now,
    weekday: Annotated[str, Form()] = "",
    hour: Annotated[str, Form()] = "",
) -> Response:
    """Decide when the weekly mails go out."""
    try:
        rules.change(session, person, weekday=weekday, hour=hour, now=now)
    except Refused as refused:
        typed = {"weekday": weekday, "hour": hour}
        return render(request, "mails/time.html", 422, mail_time=time_form(session, typed, messages(refused)))
    return RedirectResponse("/county?done=changed", 303)


@router.get("/county/mails")
def time(request: Request, person: Admin, session: ReadSession) -> Response:
    """When the weekly mails go out."""
    return render(request, "mails/time.html", mail_time=time_form(session))


def time_form(
    session: Session, typed: dict[str, str] | None = None, errors: dict[str, str] | None = None
) -> dict[str, Any]:
    """What the form of the county's time needs."""
    held = rules.rule(session)
    return {
        "weekdays": [(number, _(name)) for number, name in enumerate(rules.WEEKDAYS)],
        "typed": typed or {"weekday": held.weekday, "hour": held.hour},
        "errors": errors or {},
    }


def _page(
    request: Request,
    session: Session,
    person: Person,
    now: int,
    typed: dict[str, str],
    *,
    done: str = "",
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    subject = choosing.chosen(session, person, typed["on"])
    return render(
        request,
        "mails/list.html",
        status,
        subscriptions=[
            {"row": one.row, "title": title_of(one.subject), "address": one.subject.address}
            for one in subscribing.of_person(session, person)
        ],
        options=choosing.options(session, person),
        spans=[("month", _("the last 4 weeks")), ("quarter", _("the last 13 weeks"))],
        typed=typed,
        errors=errors or {},
        done=done,
        ended=title_of(subject) if subject and done == "end" else "",
        mail_set_up=bool(request.app.state.settings.smtp_host),
        next_at=rules.next_at(rules.rule(session), now),
    )

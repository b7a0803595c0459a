"""The page of a person's alerts: what goes on, what is acknowledged, what is over; what goes on of her colleagues';
and what is watched for her."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from fleet_server.accounts.access import Person
from fleet_server.alerts import service
from fleet_server.alerts.models import Alert
from fleet_server.alerts.wording import condition, path_of, question, words
from fleet_server.refusals import Refused
from fleet_server.results.pages import Reader
from fleet_server.results.paper import title_of
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession
from fleet_server.web.forms import messages
from fleet_server.web.templating import render

router = APIRouter(prefix="/results/alerts", include_in_schema=False)


@router.get("")
def alerts(
    request: Request, person: Reader, session: ReadSession, now: Now, done: str = "", watch: str = ""
) -> Response:
    """All alerts and watches of the reader. `done`: what was just done; `watch`: to which watch."""
    return _page(
        request, session, person, now, done=done, watch=watch if watch.isascii() and watch.isdigit() else ""
    )


@router.post("/{alert_id}/acknowledge")
def acknowledge(
    request: Request,
    alert_id: RowId,
    person: Reader,
    session: WriteSession,
    now: Now,
    comment: Annotated[str, Form(max_length=5_000)] = "",
) -> Response:
    """The reader has seen to an alert."""
    row = session.get(Alert, alert_id)
    if row is None or service.watch_of(session, person, row.watch_id) is None:
        raise HTTPException(404)
    try:
        service.acknowledge(session, person, row, comment, now=now)
    except Refused as refused:
        return _page(
            request, session, person, now, errors=messages(refused), typed={alert_id: comment}, status=422
        )
    return RedirectResponse(f"/results/alerts?done=acknowledged#alert-{alert_id}", 303)


def _page(
    request: Request,
    session: Session,
    person: Person,
    now: int,
    *,
    done: str = "",
    watch: str = "",
    errors: dict[str, str] | None = None,
    typed: dict[int, str] | None = None,
    status: int = 200,
) -> Response:
    lines: list[dict[str, Any]] = [
        {"alert": told.alert, "words": words(told), "path": path_of(told.watched.subject, told), "whose": ""}
        for told in service.alerts_of(session, person, now=now)
    ]
    of_colleagues = [
        {
            "alert": told.alert,
            "words": words(told),
            "path": path_of(told.watched.subject, told),
            "whose": name,
        }
        for told, name in service.of_colleagues(session, person)
    ]
    return render(
        request,
        "alerts/list.html",
        status,
        open=[one for one in lines if not one["alert"].cleared_at and not one["alert"].acknowledged_at],
        acknowledged=[one for one in lines if not one["alert"].cleared_at and one["alert"].acknowledged_at],
        past=[one for one in lines if one["alert"].cleared_at],
        of_colleagues=of_colleagues,
        watches=[
            {
                "row": one.watch,
                "where": title_of(one.subject),
                "question": question(one.series) if one.series else "",
                "condition": condition(one),
            }
            for one in service.watched_by(session, person)
        ],
        done=done,
        watch=watch,
        errors=errors or {},
        typed=typed or {},
    )

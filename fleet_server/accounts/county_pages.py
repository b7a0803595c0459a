"""The page of the county's own rules for publishing, for administrators."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from fleet_server.accounts import county
from fleet_server.accounts.access import Person, allow
from fleet_server.accounts.models import Role
from fleet_server.questions.pages import LANGUAGE_NAMES
from fleet_server.refusals import Refused
from fleet_server.web.deps import Now, ReadSession, WriteSession
from fleet_server.web.forms import messages
from fleet_server.web.i18n import _
from fleet_server.web.templating import render

router = APIRouter(prefix="/county", include_in_schema=False)
Admin = Annotated[Person, allow(Role.ADMIN)]


@router.get("")
def rules(request: Request, person: Admin, session: ReadSession, done: str = "") -> Response:
    """The rules as they are."""
    return _page(request, session, done=done == "changed")


@router.post("")
def change(
    request: Request,
    person: Admin,
    session: WriteSession,
    now: Now,
    second_person: Annotated[str, Form()] = "",
    language: Annotated[list[str] | None, Form()] = None,
    least_respondents: Annotated[str | None, Form()] = None,
    texts_kept_days: Annotated[str | None, Form()] = None,
) -> Response:
    """Decide anew."""
    try:
        county.change(
            session,
            person,
            second_person=bool(second_person),
            required_languages=language or [],
            least_respondents=least_respondents,
            texts_kept_days=texts_kept_days,
            now=now,
        )
    except Refused as refused:
        typed = {"least_respondents": least_respondents or "", "texts_kept_days": texts_kept_days or ""}
        return _page(request, session, errors=messages(refused), typed=typed, status_code=422)
    return RedirectResponse("/county?done=changed", 303)


def _page(
    request: Request,
    session: Session,
    *,
    done: bool = False,
    errors: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
    status_code: int = 200,
) -> Response:
    rules = county.rules(session)
    return render(
        request,
        "accounts/county.html",
        status_code,
        rules=rules,
        typed=typed or {name: getattr(rules, name) for name in ("least_respondents", "texts_kept_days")},
        languages=[(code, _(name)) for code, name in LANGUAGE_NAMES.items()],
        done=done,
        errors=errors or {},
    )

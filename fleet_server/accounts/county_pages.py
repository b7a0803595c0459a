"""The page of the county's own rules for publishing, for administrators."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from fleet_server.accounts import county
from fleet_server.accounts.access import Person, allow
from fleet_server.accounts.county import CountyRules
from fleet_server.accounts.models import Role
from fleet_server.questions.pages import LANGUAGE_NAMES
from fleet_server.refusals import Refused
from fleet_server.results.sums import PUBLIC_K
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
    public_results: Annotated[str, Form()] = "",
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
            public_results=bool(public_results),
            now=now,
        )
    except Refused as refused:
        typed = {"least_respondents": least_respondents or "", "texts_kept_days": texts_kept_days or ""}
        ticked = CountyRules(bool(second_person), tuple(language or ()), public_results=bool(public_results))
        return _page(request, session, errors=messages(refused), typed=typed, ticked=ticked)
    return RedirectResponse("/county?done=changed", 303)


def _page(
    request: Request,
    session: Session,
    *,
    done: bool = False,
    errors: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
    ticked: CountyRules | None = None,
) -> Response:
    """`typed`, `ticked`: what was sent and is refused."""
    rules = county.rules(session)
    return render(
        request,
        "accounts/county.html",
        422 if errors else 200,
        rules=ticked or rules,
        public_k=max(PUBLIC_K, rules.least_respondents),
        typed=typed or {name: getattr(rules, name) for name in ("least_respondents", "texts_kept_days")},
        languages=[(code, _(name)) for code, name in LANGUAGE_NAMES.items()],
        done=done,
        errors=errors or {},
    )

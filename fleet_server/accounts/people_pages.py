"""Administration of people and of programs' tokens, for administrators."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from fleet_server.accounts import service, tokens
from fleet_server.accounts.access import Person, allow
from fleet_server.accounts.models import ApiToken, Role, User
from fleet_server.accounts.service import RoleAt
from fleet_server.accounts.wording import ROLE_NAMES, ROLE_TEXTS
from fleet_server.places.service import all_units
from fleet_server.refusals import N_, Refused
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession
from fleet_server.web.forms import messages, row_id
from fleet_server.web.i18n import _, language
from fleet_server.web.templating import render
from fleet_server.web.units import unit_options

router = APIRouter(include_in_schema=False)
Admin = Annotated[Person, allow(Role.ADMIN)]
Typed = Annotated[str, Form()]
TypedList = Annotated[list[str], Form()]

EMPTY_ROWS = 2
DONE = {
    "changed": N_("The changes were saved."),
    "disabled": N_("The person was shut out and is signed out everywhere."),
    "enabled": N_("The person may come back. Send a new invitation now."),
    "revoked": N_("The token was revoked and is refused from now on."),
}


@router.get("/people")
def people(request: Request, person: Admin, session: ReadSession, done: str = "") -> Response:
    """Everybody with an account."""
    users = [(user, service.roles_of(session, user)) for user in service.all_users(session)]
    units = {unit.id: unit for unit in service.units_of_roles(session)}
    return render(
        request, "accounts/people.html", users=users, units=units, role_names=ROLE_NAMES, done=_done(done)
    )


@router.get("/people/new")
def new_person_form(request: Request, person: Admin, session: ReadSession) -> Response:
    """The form for a new person."""
    return _form(request, session, None, {"email": "", "name": "", "language": language()}, [])


@router.post("/people/new")
def new_person(
    request: Request,
    person: Admin,
    session: WriteSession,
    now: Now,
    email: Typed = "",
    name: Typed = "",
    language: Typed = "",
    role: TypedList = [],  # noqa: B006
    unit: TypedList = [],  # noqa: B006
) -> Response:
    """Create the person and show the invitation's link, this once."""
    rows = _rows(role, unit)
    typed = {"email": email, "name": name, "language": language}
    try:
        held = _roles(rows)
        user = service.create_user(
            session, email=email, name=name, language=language, roles=held, now=now, actor=person
        )
    except Refused as refused:
        return _form(request, session, None, typed, rows, messages(refused), 422)
    return _invitation(request, session, user, person, now)


@router.get("/people/tokens")
def tokens_page(request: Request, person: Admin, session: ReadSession, done: str = "") -> Response:
    """The tokens of programs."""
    return _tokens(
        request, session, {"name": "", "role": Role.SUPERVISOR.value, "unit": "", "days": "365"}, done=done
    )


@router.post("/people/tokens")
def new_token(
    request: Request,
    person: Admin,
    session: WriteSession,
    now: Now,
    name: Typed = "",
    role: Typed = "",
    unit: Typed = "",
    days: Typed = "",
) -> Response:
    """Make a token and show it, this once."""
    typed = {"name": name, "role": role, "unit": unit, "days": days}
    try:
        if role not in list(Role):
            raise Refused({"role": (N_("“%(value)s” is not a role."), {"value": role[:60]})})
        if unit and row_id(unit) is None:
            raise Refused({"unit": (N_("There is no unit %(value)s."), {"value": unit[:60]})})
        number = row_id(days) or 0
        if not number:
            text = N_("“%(value)s” is not a number of days from 1 to %(longest)s.")
            raise Refused({"days": (text, {"value": days[:60], "longest": tokens.LONGEST_DAYS})})
        secret = tokens.create(
            session, person, name=name, role=Role(role), unit_id=row_id(unit), days=number, now=now
        )
    except Refused as refused:
        return _tokens(request, session, typed, messages(refused), 422)
    return render(request, "accounts/token_made.html", name=name, secret=secret)


@router.post("/people/tokens/{token_id}/revoke")
def revoke_token(token_id: RowId, person: Admin, session: WriteSession, now: Now) -> Response:
    """Shut a token out."""
    row = session.get(ApiToken, token_id)
    if row is None:
        raise HTTPException(404)
    tokens.revoke(session, person, row, now=now)
    return RedirectResponse("/people/tokens?done=revoked", 303)


@router.get("/people/{user_id}")
def person_form(
    request: Request, user_id: RowId, person: Admin, session: ReadSession, done: str = ""
) -> Response:
    """One person."""
    user = _user(session, user_id)
    typed = {"email": user.email, "name": user.name, "language": user.language}
    rows = [(role.value, "" if unit is None else str(unit)) for role, unit in service.roles_of(session, user)]
    return _form(request, session, user, typed, rows, done=done)


@router.post("/people/{user_id}")
def change_person(
    request: Request,
    user_id: RowId,
    person: Admin,
    session: WriteSession,
    now: Now,
    email: Typed = "",
    name: Typed = "",
    language: Typed = "",
    role: TypedList = [],  # noqa: B006
    unit: TypedList = [],  # noqa: B006
) -> Response:
    """Change name, address, language and roles."""
    user = _user(session, user_id)
    rows = _rows(role, unit)
    try:
        held = _roles(rows)
        service.change_user(
            session, person, user, email=email, name=name, language=language, roles=held, now=now
        )
    except Refused as refused:
        typed = {"email": email, "name": name, "language": language}
        return _form(request, session, user, typed, rows, messages(refused), 422)
    return RedirectResponse(f"/people/{user_id}?done=changed", 303)


@router.post("/people/{user_id}/invite")
def invite(request: Request, user_id: RowId, person: Admin, session: WriteSession, now: Now) -> Response:
    """A new link to set the password; an earlier one stops working."""
    user = _user(session, user_id)
    if user.disabled_at is not None:
        raise HTTPException(
            409, _("%(name)s was shut out. Let the person in again first.") % {"name": user.name}
        )
    return _invitation(request, session, user, person, now)


@router.post("/people/{user_id}/disable")
def disable(request: Request, user_id: RowId, person: Admin, session: WriteSession, now: Now) -> Response:
    """Shut a person out."""
    user = _user(session, user_id)
    try:
        service.disable(session, person, user, now=now)
    except Refused as refused:
        typed = {"email": user.email, "name": user.name, "language": user.language}
        rows = [
            (role.value, "" if unit is None else str(unit)) for role, unit in service.roles_of(session, user)
        ]
        return _form(request, session, user, typed, rows, messages(refused), 422)
    return RedirectResponse(f"/people/{user_id}?done=disabled", 303)


@router.post("/people/{user_id}/enable")
def enable(user_id: RowId, person: Admin, session: WriteSession, now: Now) -> Response:
    """Let a person in again."""
    service.enable(session, person, _user(session, user_id), now=now)
    return RedirectResponse(f"/people/{user_id}?done=enabled", 303)


def _user(session: Session, user_id: int) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise HTTPException(404)
    return user


def _rows(roles: list[str], units: list[str]) -> list[tuple[str, str]]:
    padded = units + [""] * (len(roles) - len(units))
    return [(role, unit) for role, unit in zip(roles, padded, strict=False) if role]


def _roles(rows: list[tuple[str, str]]) -> list[RoleAt]:
    for role, unit in rows:
        if role not in list(Role):
            raise Refused({"roles": (N_("“%(value)s” is not a role."), {"value": role[:60]})})
        if unit and row_id(unit) is None:
            raise Refused({"roles": (N_("There is no unit %(value)s."), {"value": unit[:60]})})
    return [(Role(role), row_id(unit)) for role, unit in rows]


def _form(
    request: Request,
    session: Session,
    user: User | None,
    typed: dict[str, str],
    rows: list[tuple[str, str]],
    errors: dict[str, str] | None = None,
    status: int = 200,
    *,
    done: str = "",
) -> Response:
    context: dict[str, Any] = {
        "user": user,
        "typed": typed,
        "rows": rows + [("", "")] * EMPTY_ROWS,
        "errors": errors or {},
        "units": unit_options(all_units(session)),
        "role_names": ROLE_NAMES,
        "role_texts": ROLE_TEXTS,
        "done": _done(done),
    }
    return render(request, "accounts/person.html", status, **context)


def _invitation(request: Request, session: Session, user: User, person: Person, now: int) -> Response:
    secret = service.invite(session, user, now=now, actor=person)
    address = request.app.state.settings.address_for(request.headers.get("host", ""))
    link = f"{address}/invitation/{secret}"
    return render(request, "accounts/invited.html", user=user, link=link, until=now + service.INVITATION_MS)


def _tokens(
    request: Request,
    session: Session,
    typed: dict[str, str],
    errors: dict[str, str] | None = None,
    status: int = 200,
    *,
    done: str = "",
) -> Response:
    units = all_units(session)
    context: dict[str, Any] = {
        "tokens": tokens.all_tokens(session),
        "typed": typed,
        "errors": errors or {},
        "units": unit_options(units),
        "unit_by_id": {unit.id: unit for unit in units},
        "role_names": ROLE_NAMES,
        "role_options": [(role.value, _(name)) for role, name in ROLE_NAMES.items()],
        "longest": tokens.LONGEST_DAYS,
        "done": _done(done),
    }
    return render(request, "accounts/tokens.html", status, **context)


def _done(name: str) -> str:
    return _(DONE[name]) if name in DONE else ""

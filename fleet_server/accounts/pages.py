"""Signing in and out, the invitation's page, one's own account: what a person does about themselves."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from fleet_server.accounts import limits, passwords, service, sessions
from fleet_server.accounts.access import Person, SignedIn, public
from fleet_server.accounts.models import User
from fleet_server.accounts.wording import ROLE_NAMES
from fleet_server.db import Database
from fleet_server.instants import MINUTE_MS
from fleet_server.refusals import N_, Faults, Refused
from fleet_server.web import i18n
from fleet_server.web.deps import CurrentPerson, Now, ReadSession, WriteSession
from fleet_server.web.forms import local_address, messages
from fleet_server.web.i18n import _, ngettext
from fleet_server.web.identity import session_cookie
from fleet_server.web.templating import render

router = APIRouter(include_in_schema=False)
Typed = Annotated[str, Form()]

DONE = {
    "password": N_("Your password was changed. You are signed out everywhere else."),
    "language": N_("Your language was changed."),
    "sessions": N_("You are signed out everywhere else."),
}


@router.get("/sign-in", dependencies=[public])
def sign_in_form(request: Request, person: CurrentPerson, next: str = "/") -> Response:
    """The form; who is signed in already goes on."""
    if person is not None:
        return RedirectResponse(local_address(next), 303)
    return _sign_in(request, {"next": local_address(next)})


@router.post("/sign-in", dependencies=[public])
def sign_in(
    request: Request, now: Now, email: Typed = "", password: Typed = "", next: Typed = "/"
) -> Response:
    """Look at e-mail and password. The slow part, the hash, holds no transaction."""
    typed = {"email": email, "next": local_address(next)}
    errors = {
        name: _("This is empty. Type something here.")
        for name, value in (("email", email.strip()), ("password", password))
        if not value
    }
    if errors:
        return _sign_in(request, typed, errors, 422)
    database: Database = request.app.state.database
    address = request.client.host if request.client else "unknown"
    with database.write() as session:
        wait_ms = limits.take(session, email.strip(), address, now=now)
    if wait_ms:
        minutes = -(-wait_ms // MINUTE_MS)
        text = ngettext(
            "Too many attempts. Try again in %(minutes)s minute.",
            "Too many attempts. Try again in %(minutes)s minutes.",
            minutes,
        )
        return _sign_in(request, typed, {"email": text % {"minutes": minutes}}, 429)
    with database.read() as session:
        user = service.by_email(session, email)
    usable = user if user is not None and user.disabled_at is None else None
    if not passwords.matches(password, usable.password_hash if usable else None) or usable is None:
        return _sign_in(request, typed, {"password": _("E-mail address or password is wrong.")}, 422)
    with database.write() as session:
        limits.give_back(session, email.strip(), address)
        return _signed_in(request, session, usable, typed["next"], now)


@router.post("/sign-out", dependencies=[public])
def sign_out(request: Request, session: WriteSession) -> Response:
    """End the session of this browser."""
    name = session_cookie(request.app.state.settings.secure_cookies)
    if name in request.cookies:
        sessions.end(session, request.cookies[name])
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(
        name, secure=request.app.state.settings.secure_cookies, httponly=True, samesite="lax"
    )
    return answer


@router.post("/language", dependencies=[public])
def choose_language(
    request: Request, session: WriteSession, person: CurrentPerson, language: Typed = "", next: Typed = "/"
) -> Response:
    """The language switch at the foot of pages: kept with the person, and in a cookie for the sign-in."""
    answer = RedirectResponse(local_address(next), 303)
    if language in i18n.LANGUAGES:
        if person is not None and person.kind == "user":
            service.set_language(session, session.get_one(User, person.id), language)
        _keep_language(request, answer, language)
    return answer


@router.get("/invitation/{secret}", dependencies=[public])
def invitation_form(request: Request, secret: str, session: ReadSession, now: Now) -> Response:
    """Where the invited person sets the password."""
    user = service.invited(session, secret, now=now)
    return _invitation(request, user, status=200 if user else 410)


@router.post("/invitation/{secret}", dependencies=[public])
def invitation(
    request: Request, secret: str, now: Now, password: Typed = "", password_again: Typed = ""
) -> Response:
    """Set the password, once, and sign in."""
    database: Database = request.app.state.database
    with database.read() as session:
        user = service.invited(session, secret, now=now)
    if user is None:
        return _invitation(request, None, status=410)
    faults = Faults()
    passwords.check(faults, "password", password, password_again, (user.email, user.name))
    if faults.found:
        return _invitation(request, user, messages(Refused(faults.found)), 422)
    password_hash = passwords.hashed(password)
    with database.write() as session:
        accepted = service.accept(session, secret, password_hash, now=now)
        if accepted is not None:
            return _signed_in(request, session, accepted, "/", now)
    return _invitation(request, None, status=410)


@router.get("/account")
def account(request: Request, person: SignedIn, session: ReadSession, done: str = "") -> Response:
    """Who one is here, what one may do, language and password."""
    return _account(request, session, person, done=done)


@router.post("/account/language")
def account_language(
    request: Request, person: SignedIn, session: WriteSession, language: Typed = ""
) -> Response:
    """The language that the person wants."""
    if language not in i18n.LANGUAGES:
        text = _("“%(value)s” is not one of the languages fi, sv and en.") % {"value": language[:60]}
        return _account(request, session, person, {"language": text}, status=422)
    service.set_language(session, session.get_one(User, person.id), language)
    answer = RedirectResponse("/account?done=language", 303)
    _keep_language(request, answer, language)
    return answer


@router.post("/account/password")
def account_password(
    request: Request,
    person: SignedIn,
    now: Now,
    current: Typed = "",
    password: Typed = "",
    password_again: Typed = "",
) -> Response:
    """Change one's password; the present one is asked for, since a signed-in browser may be left alone."""
    database: Database = request.app.state.database
    faults = Faults()
    passwords.check(faults, "password", password, password_again, (person.email, person.name))
    address = request.client.host if request.client else "unknown"
    with database.write() as session:
        wait_ms = limits.take(session, person.email, address, now=now)
        user = session.get_one(User, person.id)
    if wait_ms:
        faults.add("current", N_("Too many attempts. Try again in a quarter of an hour."))
    elif not passwords.matches(current, user.password_hash):
        faults.add("current", N_("This is not your present password."))
    if faults.found:
        with database.read() as session:
            return _account(request, session, person, messages(Refused(faults.found)), status=422)
    password_hash = passwords.hashed(password)
    with database.write() as session:
        limits.give_back(session, person.email, address)
        service.keep_password(session, session.get_one(User, person.id), password_hash, actor=person, now=now)
        sessions.end_all(session, person.id, but=_own_secret(request))
    return RedirectResponse("/account?done=password", 303)


@router.post("/account/sessions")
def account_sessions(request: Request, person: SignedIn, session: WriteSession) -> Response:
    """Sign out everywhere else."""
    sessions.end_all(session, person.id, but=_own_secret(request))
    return RedirectResponse("/account?done=sessions", 303)


def _sign_in(
    request: Request, typed: dict[str, str], errors: dict[str, str] | None = None, status: int = 200
) -> Response:
    return render(request, "accounts/sign_in.html", status, typed=typed, errors=errors or {})


def _invitation(
    request: Request, user: User | None, errors: dict[str, str] | None = None, status: int = 200
) -> Response:
    return render(
        request,
        "accounts/invitation.html",
        status,
        user=user,
        errors=errors or {},
        shortest=passwords.SHORTEST,
        days=service.INVITATION_DAYS,
    )


def _account(
    request: Request,
    session: Session,
    person: Person,
    errors: dict[str, str] | None = None,
    *,
    done: str = "",
    status: int = 200,
) -> Response:
    user = session.get_one(User, person.id)
    units = {unit.id: unit for unit in service.units_of_roles(session, user)}
    context: dict[str, Any] = {
        "user": user,
        "roles": service.roles_of(session, user),
        "units": units,
        "role_names": ROLE_NAMES,
        "errors": errors or {},
        "done": _(DONE[done]) if done in DONE else "",
        "shortest": passwords.SHORTEST,
    }
    return render(request, "accounts/account.html", status, **context)


def _signed_in(request: Request, session: Session, user: User, then: str, now: int) -> Response:
    secure = request.app.state.settings.secure_cookies
    name = session_cookie(secure)
    if name in request.cookies:
        sessions.end(session, request.cookies[name])
    answer = RedirectResponse(then, 303)
    answer.set_cookie(
        name,
        sessions.begin(session, user, now=now),
        max_age=sessions.ABSOLUTE_MS // 1000,
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    return answer


def _keep_language(request: Request, answer: Response, language: str) -> None:
    secure = request.app.state.settings.secure_cookies
    year_s = 365 * 24 * 3600
    answer.set_cookie(i18n.COOKIE, language, max_age=year_s, secure=secure, httponly=True, samesite="lax")


def _own_secret(request: Request) -> str | None:
    return request.cookies.get(session_cookie(request.app.state.settings.secure_cookies))

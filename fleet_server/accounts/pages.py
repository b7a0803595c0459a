"""Signing in and out, the invitation's page, one's own account: what a person does about themselves."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from fleet_server.accounts import limits, passwords, service, sessions
from fleet_server.accounts.access import Person, SignedIn, public
from fleet_server.accounts.models import User
from fleet_server.accounts.wording import ROLE_NAMES
from fleet_server.instants import MINUTE_MS
from fleet_server.refusals import N_, Faults, Refused
from fleet_server.web import i18n
from fleet_server.web.deps import CurrentPerson, Now, ReadSession, WriteSession, read, write
from fleet_server.web.forms import kept_form, local_address, messages
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
    return _sign_in(request, {"next": local_address(next), "kept": ""})


@router.post("/sign-in", dependencies=[public])
async def sign_in(
    request: Request, now: Now, email: Typed = "", password: Typed = "", next: Typed = "/", kept: Typed = ""
) -> Response:
    """Look at e-mail and password. The slow part, the hash, holds no transaction."""
    typed = {"email": email, "next": local_address(next), "kept": kept}
    errors = {
        name: _("This is empty. Type something here.")
        for name, value in (("email", email.strip()), ("password", password))
        if not value
    }
    if errors:
        return _sign_in(request, typed, errors, 422)
    address = _address(request)
    wait_ms = await write(request, lambda session: limits.take(session, email, address, now=now))
    if wait_ms:
        return _sign_in(request, typed, {"email": _wait(wait_ms)}, 429)
    user = await read(request, lambda session: service.by_email(session, email))
    usable = user if user is not None and user.disabled_at is None else None
    known = usable.password_hash if usable else None
    right = await run_in_threadpool(passwords.matches, password, known)
    if usable is None or not right:
        return _sign_in(request, typed, {"password": _("E-mail address or password is wrong.")}, 422)

    def begin(session: Session) -> str:
        limits.give_back(session, email, address)
        return _begin(request, session, usable, now)

    secret = await write(request, begin)
    waiting = kept_form(typed["kept"], typed["next"])
    if waiting:
        page = render(request, "accounts/go_on.html", address=typed["next"], waiting=waiting)
        return _with_session(request, page, secret)
    return _signed_in(request, secret, typed["next"])


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
async def invitation(
    request: Request, secret: str, now: Now, password: Typed = "", password_again: Typed = ""
) -> Response:
    """Set the password, once, and sign in."""
    user = await read(request, lambda session: service.invited(session, secret, now=now))
    if user is None:
        return _invitation(request, None, status=410)
    faults = Faults()
    passwords.check(faults, "password", password, password_again, (user.email, user.name))
    if faults.found:
        return _invitation(request, user, messages(Refused(faults.found)), 422)
    password_hash = await run_in_threadpool(passwords.hashed, password)

    def begin(session: Session) -> str | None:
        accepted = service.accept(session, secret, password_hash, now=now)
        return None if accepted is None else _begin(request, session, accepted, now)

    token = await write(request, begin)
    return _invitation(request, None, status=410) if token is None else _signed_in(request, token, "/")


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
async def account_password(
    request: Request,
    person: SignedIn,
    now: Now,
    current: Typed = "",
    password: Typed = "",
    password_again: Typed = "",
) -> Response:
    """Change one's password; the present one is asked for, since a signed-in browser may be left alone."""
    faults = Faults()
    address = _address(request)
    wait_ms = await write(request, lambda session: limits.take(session, person.email, address, now=now))
    user = await read(request, lambda session: session.get_one(User, person.id))
    if wait_ms:
        faults.add("current", N_("Too many attempts. Try again in a quarter of an hour."))
    elif not await run_in_threadpool(passwords.matches, current, user.password_hash):
        faults.add("current", N_("This is not your present password."))
    passwords.check(faults, "password", password, password_again, (person.email, person.name))
    if faults.found:
        errors = messages(Refused(faults.found))
        return await read(request, lambda session: _account(request, session, person, errors, status=422))
    password_hash = await run_in_threadpool(passwords.hashed, password)

    def keep(session: Session) -> None:
        limits.give_back(session, person.email, address)
        changed = session.get_one(User, person.id)
        service.keep_password(session, changed, password_hash, actor=person, now=now)
        sessions.end_all(session, person.id, but=_own_secret(request))

    await write(request, keep)
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


def _begin(request: Request, session: Session, user: User, now: int) -> str:
    """A new session for this browser; the one that it had ends."""
    old = _own_secret(request)
    if old:
        sessions.end(session, old)
    return sessions.begin(session, user, now=now)


def _signed_in(request: Request, token: str, then: str) -> Response:
    return _with_session(request, RedirectResponse(then, 303), token)


def _with_session(request: Request, answer: Response, token: str) -> Response:
    secure = request.app.state.settings.secure_cookies
    name, age_s = session_cookie(secure), sessions.ABSOLUTE_MS // 1000
    answer.set_cookie(name, token, max_age=age_s, secure=secure, httponly=True, samesite="lax")
    return answer


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _wait(wait_ms: int) -> str:
    minutes = -(-wait_ms // MINUTE_MS)
    text = ngettext(
        "Too many attempts. Try again in %(minutes)s minute.",
        "Too many attempts. Try again in %(minutes)s minutes.",
        minutes,
    )
    return text % {"minutes": minutes}


def _keep_language(request: Request, answer: Response, language: str) -> None:
    secure = request.app.state.settings.secure_cookies
    year_s = 365 * 24 * 3600
    answer.set_cookie(i18n.COOKIE, language, max_age=year_s, secure=secure, httponly=True, samesite="lax")


def _own_secret(request: Request) -> str | None:
    return request.cookies.get(session_cookie(request.app.state.settings.secure_cookies))

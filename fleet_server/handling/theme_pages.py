"""The county's themes: their names and lists of words, kept by its coordinators."""

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from fleet_server.accounts.access import WHOLE_COUNTY, Person, allow, require
from fleet_server.accounts.models import Role
from fleet_server.handling import themes
from fleet_server.handling.models import Theme
from fleet_server.handling.texts_pages import theme_name
from fleet_server.refusals import Refused
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession, read, write
from fleet_server.web.forms import messages
from fleet_server.web.templating import render

router = APIRouter(prefix="/results/themes", include_in_schema=False)
Coordinator = Annotated[Person, allow(Role.COORDINATOR)]
_FIELDS = tuple(f"{kind}_{language}" for language in themes.LANGUAGES for kind in ("name", "words"))


@router.get("")
def listed(request: Request, person: Coordinator, session: ReadSession, done: str = "") -> Response:
    """All themes, each with how many texts of the county have it."""
    require(person, WHOLE_COUNTY, Role.COORDINATOR)
    return render(
        request,
        "handling/themes.html",
        themes=themes.all_themes(session),
        counts=themes.counts(session),
        theme_name=theme_name,
        languages=themes.LANGUAGES,
        most=themes.MOST_THEMES,
        done=done,
    )


@router.get("/new")
def new(request: Request, person: Coordinator) -> Response:
    """The form of a new theme."""
    require(person, WHOLE_COUNTY, Role.COORDINATOR)
    return _form(request, None, {})


@router.get("/{theme_id}")
def one(request: Request, theme_id: RowId, person: Coordinator, session: ReadSession) -> Response:
    """The form of a theme."""
    theme = _theme(session, person, theme_id)
    return _form(request, theme, {name: getattr(theme, name) for name in _FIELDS})


@router.post("/new")
async def make(request: Request, person: Coordinator, now: Now) -> Response:
    """Make a theme."""
    require(person, WHOLE_COUNTY, Role.COORDINATOR)
    return await _save(request, person, None, now)


@router.post("/{theme_id}")
async def change(request: Request, theme_id: RowId, person: Coordinator, now: Now) -> Response:
    """Change a theme; texts that are there already are sorted anew."""
    require(person, WHOLE_COUNTY, Role.COORDINATOR)
    return await _save(request, person, theme_id, now)


@router.post("/{theme_id}/delete")
def delete(
    theme_id: RowId,
    person: Coordinator,
    session: WriteSession,
    now: Now,
    confirmed: Annotated[str, Form()] = "",
) -> Response:
    """Take a theme away."""
    theme = _theme(session, person, theme_id)
    if not confirmed:
        return RedirectResponse(f"/results/themes/{theme_id}", 303)
    themes.remove(session, person, theme, now=now)
    return RedirectResponse("/results/themes?done=deleted", 303)


async def _save(request: Request, person: Person, theme_id: int | None, now: int) -> Response:
    form = await request.form()
    typed = {name: str(form.get(name, "")) for name in _FIELDS}

    def save(session: Session) -> None:
        theme = None if theme_id is None else _theme(session, person, theme_id)
        names = {language: typed[f"name_{language}"] for language in themes.LANGUAGES}
        words = {language: typed[f"words_{language}"] for language in themes.LANGUAGES}
        themes.save(session, person, theme, names=names, words=words, now=now)

    try:
        await write(request, save)
    except Refused as refused:
        errors = messages(refused)

        def again(session: Session) -> Response:
            theme = None if theme_id is None else _theme(session, person, theme_id)
            return _form(request, theme, typed, errors, 422)

        return await read(request, again)
    return RedirectResponse("/results/themes?done=saved", 303)


def _form(
    request: Request,
    theme: Theme | None,
    typed: dict[str, str],
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    return render(
        request,
        "handling/theme.html",
        status,
        theme=theme,
        title=theme_name(theme) if theme else "",
        typed=typed,
        errors=errors or {},
    )


def _theme(session: Session, person: Person, theme_id: int) -> Theme:
    require(person, WHOLE_COUNTY, Role.COORDINATOR)
    theme = session.get(Theme, theme_id)
    if theme is None:
        raise HTTPException(404)
    return theme

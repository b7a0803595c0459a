"""Makes a page from a template: Jinja2 with autoescape, the language of the request, and Finland's time.

It knows who asks (for the header) but decides nothing; a value that is missing in a template is an error, not
a blank.
"""

import datetime
import hashlib
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jinja2
from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_decimal
from fastapi import Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from fleet_server.accounts.access import may
from fleet_server.accounts.models import Role
from fleet_server.instants import local
from fleet_server.questions.types import HTML_CODES
from fleet_server.web import i18n
from fleet_server.web.forms import said
from fleet_server.web.units import unit_name

FOLDER = Path(__file__).resolve().parent
STATIC = FOLDER / "static"
NOTHING = "–"


@cache
def static(name: str) -> str:
    """Address of a static file, with a part that changes with its content: browsers may keep it for ever."""
    content = (STATIC / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


def when(instant_ms: int | None, seconds: bool = False) -> str:
    """An instant in Finland's time, in the language of the request; nothing for None."""
    if instant_ms is None:
        return NOTHING
    return f"{date(instant_ms)} {clock(instant_ms, seconds)}"


def date(instant_ms: int | None) -> str:
    """The day of an instant in Finland."""
    return NOTHING if instant_ms is None else _written_date(local(instant_ms).date(), i18n.language())


def clock(instant_ms: int | None, seconds: bool = False) -> str:
    """The time of day of an instant in Finland."""
    if instant_ms is None:
        return NOTHING
    return format_time(local(instant_ms), "medium" if seconds else "short", locale=_locale())


def iso(instant_ms: int) -> str:
    """The instant for the `datetime` attribute of `<time>`."""
    return local(instant_ms).isoformat(timespec="seconds")


def weekday(instant_ms: int) -> str:
    """Short name of the day of the week in Finland."""
    return format_datetime(local(instant_ms), "ccc", locale=_locale())


def number(value: float | None) -> str:
    """A number with the grouping and decimal sign of the language; nothing for None."""
    return NOTHING if value is None else _written_number(value, i18n.language())


# A page of 500 places writes thousands of them, mostly the same ones; Babel takes 30 microseconds for each.
@lru_cache(maxsize=8192)
def _written_number(value: float, language: str) -> str:
    return format_decimal(value, locale=i18n.LOCALES[language])


@lru_cache(maxsize=4096)
def _written_date(day: datetime.date, language: str) -> str:
    return format_date(day, "medium", locale=i18n.LOCALES[language])


def figure(estimate: Any, item: Any) -> str:
    """A headline as text: NPS in points, everything else in percent."""
    return points(estimate.value, item) + sign(item)


def between(estimate: Any, item: Any) -> str:
    """A headline's interval as text."""
    return f"{points(estimate.low, item)} … {points(estimate.high, item)}{sign(item)}"


def points(value: float, item: Any) -> str:
    """A value on the scale of an item's headline, without the sign that follows it."""
    return number(round(value if item.series.type == "nps" else 100 * value))


def sign(item: Any) -> str:
    """What follows the figures of an item's headline."""
    return "" if item.series.type == "nps" else " %"


def html_lang(language: str) -> str:
    """The `lang` attribute for one of the languages of question sets."""
    return HTML_CODES.get(language, language)


@jinja2.pass_context
def ago(context: jinja2.runtime.Context, instant_ms: int | None) -> str:
    """How long ago an instant was ("3 minutes ago"), as of the page's `now`; nothing for None."""
    if instant_ms is None:
        return NOTHING
    seconds = (instant_ms - context["now"]) / 1000
    return format_timedelta(seconds, add_direction=True, threshold=1.5, locale=_locale())


def _locale() -> Any:
    return i18n.LOCALES[i18n.language()]


# As Jinja2's newstyle gettext, which asks the context three times for each text.
@jinja2.pass_eval_context
def _text(within: jinja2.nodes.EvalContext, text: str, /, **places: Any) -> str:
    found = i18n._(text)
    return (Markup(found) if within.autoescape else found) % places  # noqa: S704  (a text of ours)


@jinja2.pass_eval_context
def _text_for(within: jinja2.nodes.EvalContext, one: str, many: str, num: int, /, **places: Any) -> str:
    found = i18n.ngettext(one, many, num)
    return (Markup(found) if within.autoescape else found) % {"num": num, **places}  # noqa: S704


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # else every page asks the disk after each of its templates
    )
    environment.globals.update(_=_text, gettext=_text, ngettext=_text_for)
    environment.filters.update(
        when=when,
        date=date,
        clock=clock,
        iso=iso,
        weekday=weekday,
        html_lang=html_lang,
        number=number,
        unit_name=unit_name,
        ago=ago,
        figure=figure,
        between=between,
        said=said,
    )
    environment.globals.update(
        static=static,
        may=may,
        Role=Role,
        LANGUAGES=i18n.LANGUAGES,
        LANGUAGE_NAMES=i18n.LANGUAGE_NAMES,
    )
    return environment


templates = _environment()


def render(request: Request, template: str, status_code: int = 200, **context: Any) -> HTMLResponse:
    """The page made from `templates/<template>`; every template also knows what `_known` gives."""
    page = templates.get_template(template)
    return HTMLResponse(page.render(_known(request) | context), status_code=status_code)


def render_block(request: Request, template: str, block: str, **context: Any) -> HTMLResponse:
    """One block of a page alone, for a part that is asked for again. What it imports, it imports inside."""
    page = templates.get_template(template)
    return HTMLResponse("".join(page.blocks[block](page.new_context(_known(request) | context))))


def _known(request: Request) -> dict[str, Any]:
    state = request.app.state
    return {
        "person": getattr(request.state, "person", None),
        "alerts_open": getattr(request.state, "alerts", 0),
        "language": i18n.language(),
        "now": state.clock(),
        "current_path": request.url.path,
        "return_to": _return_to(request),
        "settings": state.settings,
    }


def _return_to(request: Request) -> str:
    """Where the language switch leads: this page, or the form whose sending made it."""
    if request.method == "GET":
        return request.url.path + (f"?{request.url.query}" if request.url.query else "")
    try:
        return urlsplit(request.headers.get("referer", "")).path or "/"
    except ValueError:  # whoever asks may write anything into a header
        return "/"

"""The language of pages: texts are English in the code, Finnish and Swedish come from
locale/*/LC_MESSAGES/hymio.po.

The catalogs are read at the start, so there is no build step. `python -m fleet_server.web.i18n extract`
brings the catalogs up to date with the texts in code and templates and says what is not translated yet.
"""

import gettext as gettext_module
import io
import re
import sys
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

LANGUAGES = ("fi", "sv", "en")
LANGUAGE_NAMES = {"fi": "Suomi", "sv": "Svenska", "en": "English"}
DEFAULT_LANGUAGE = "fi"
COOKIE = "hymio_language"
# British English: day before month and the 24-hour clock, as everybody around the reader writes them.
LOCALES = {"fi": Locale("fi"), "sv": Locale("sv", "FI"), "en": Locale("en", "GB")}

_PACKAGE = Path(__file__).resolve().parent.parent
_FOLDER = Path(__file__).resolve().parent / "locale"
_KEYWORDS = {"_": None, "gettext": None, "N_": None, "ngettext": (1, 2)}
_JINJA = {"extensions": "jinja2.ext.i18n,jinja2.ext.do", "silent": "false"}
_PLACES = re.compile(r"%\((\w+)\)")
_current: ContextVar[str] = ContextVar("language", default="en")


def use(language: str) -> None:
    """From here on, this request (or task) speaks `language`."""
    _current.set(language if language in LANGUAGES else DEFAULT_LANGUAGE)


def language() -> str:
    """The language of this request; English outside one."""
    return _current.get()


def _(text: str) -> str:
    """The text in the language of this request."""
    return _translations(language()).gettext(text)


def ngettext(one: str, many: str, number: int) -> str:
    """The form of the text for this number, in the language of this request."""
    return _translations(language()).ngettext(one, many, number)


def negotiate(chosen: str | None, cookie: str | None, accept_language: str) -> str:
    """The language of a page: the person's own, else the cookie's, else the browser's, else Finnish."""
    for wanted in (chosen, cookie):
        if wanted in LANGUAGES:
            return str(wanted)
    ranked = []
    for position, part in enumerate(accept_language.split(",")[:20]):
        name, _separator, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        ranked.append((-weight, position, name.split("-")[0].lower()))
    for weight, _position, name in sorted(ranked):
        if name in LANGUAGES and weight < 0:
            return name
    return DEFAULT_LANGUAGE


@cache
def _translations(language: str) -> gettext_module.NullTranslations:
    path = catalog_path(language)
    if language == "en" or not path.exists():
        return gettext_module.NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, read_catalog(language))
    compiled.seek(0)
    return gettext_module.GNUTranslations(compiled)


def catalog_path(language: str) -> Path:
    """Where the catalog of a language lies."""
    return _FOLDER / language / "LC_MESSAGES" / "hymio.po"


def read_catalog(language: str) -> Catalog:
    """The catalog of a language; an empty one when there is none yet."""
    path = catalog_path(language)
    if not path.exists():
        return Catalog(locale=language, project="Hymiö", version="1")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def extracted() -> Catalog:
    """Every text in the code and the templates of the server."""
    catalog = Catalog(project="Hymiö", version="1", fuzzy=False)
    methods = [("**.py", "python"), ("**/templates/**.html", "jinja2.ext:babel_extract")]
    options: dict[str, Any] = {"**/templates/**.html": _JINJA}
    found = extract_from_dir(_PACKAGE, methods, options, keywords=_KEYWORDS)
    for file, _line, message, _comments, context in sorted(found, key=lambda each: (each[0], each[1])):
        catalog.add(message, None, [(file.replace("\\", "/"), 1)], context=context)
    return catalog


def missing(language: str) -> list[str]:
    """What a catalog lacks: untranslated texts, and translations that lost or gained a `%(place)s`."""
    catalog = read_catalog(language)
    faults = []
    for message in extracted():
        if not message.id:
            continue
        there = catalog.get(message.id, message.context)
        texts = [] if there is None or there.fuzzy else _forms(there.string)
        if not texts or not all(texts):
            faults.append(f"not translated: {_forms(message.id)[0]!r}")
        elif any(_places(text) != _places(_forms(message.id)[-1]) for text in texts[-1:]):
            faults.append(f"other places than the English: {texts[-1]!r}")
    return faults


def update() -> None:
    """Write hymio.pot and bring each catalog up to date; texts that are gone leave it, nothing is guessed."""
    template = extracted()
    _FOLDER.mkdir(parents=True, exist_ok=True)
    _write(_FOLDER / "hymio.pot", template)
    for language in LANGUAGES[:2]:
        catalog = read_catalog(language)
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        _write(catalog_path(language), catalog)


def _write(path: Path, catalog: Catalog) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    write_po(content, catalog, width=110, omit_header=False, sort_by_file=True, include_lineno=False)
    # Dates and tool versions in the header would change with every run and tell nothing.
    lines = [line for line in content.getvalue().splitlines() if not line.startswith(_NOISE)]
    path.write_bytes(b"\n".join(lines).rstrip() + b"\n")


_NOISE = (
    b'"POT-Creation-Date',
    b'"PO-Revision-Date',
    b'"Last-Translator',
    b'"Generated-By',
    b'"Report-Msgid',
    b"# FIRST",
)


def _forms(texts: Any) -> list[str]:
    return [texts] if isinstance(texts, str) else list(texts or [])


def _places(text: str) -> set[str]:
    return set(_PLACES.findall(text))


def main(arguments: list[str]) -> int:
    """`extract`: update the catalogs. Returns the exit code: 1 when something is not translated."""
    if arguments != ["extract"]:
        sys.stderr.write("usage: python -m fleet_server.web.i18n extract\n")
        return 2
    update()
    faults = [f"{language}: {fault}" for language in LANGUAGES[:2] for fault in missing(language)]
    sys.stdout.write("".join(f"{fault}\n" for fault in faults) or "everything is translated\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

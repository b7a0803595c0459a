"""Themes of open texts by lists of words: the county's own list, and which text has which theme.

A word of a list is the beginning of words in a text, so that Finnish inflection is met: `jono` finds "jonossa" and
"jonotin". It knows no subject and no person. Invariant: which text has which theme is always as the lists are now.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, func, insert
from sqlalchemy import select as columns_of
from sqlmodel import Session, col, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.answers import bulk
from fleet_server.handling.models import TextTheme, Theme
from fleet_server.refusals import N_, Faults
from fleet_server.results.models import ReleasedText

LANGUAGES = ("fi", "sv", "en")  # texts come in other languages, too, but nobody would keep lists for them
MOST_THEMES = 30  # more than anybody compares
MOST_WORDS = 200
LONGEST_NAME, LONGEST_WORD, SHORTEST_WORD = 60, 40, 2
_STEP_TEXTS = 5_000  # read and sorted at once

_TEXTS, _PAIRS = bulk.table_of(ReleasedText), bulk.table_of(TextTheme)


def all_themes(session: Session) -> Sequence[Theme]:
    """The county's themes, in the order in which they were made."""
    return session.exec(select(Theme).order_by(col(Theme.id))).all()


def name_in(theme: Theme, language: str) -> str:
    """Its name in a language of the pages."""
    return str(getattr(theme, f"name_{language}"))


def counts(session: Session) -> dict[int, int]:
    """{theme: how many released texts have it}, in the whole county."""
    rows = session.connection().execute(
        columns_of(_PAIRS.c.theme_id, func.count()).group_by(_PAIRS.c.theme_id)
    )
    return {int(theme): int(count) for theme, count in rows}


def sort(session: Session, text_ids: Iterable[int]) -> None:
    """Give these texts the themes that they have; to be called when a text is new or was changed."""
    ids = list(text_ids)
    run = session.connection().execute
    run(delete(_PAIRS).where(_PAIRS.c.text_id.in_(ids)))
    finders = [(theme.id, finder(_words(theme))) for theme in all_themes(session)]
    rows = run(columns_of(_TEXTS.c.id, _TEXTS.c.folded).where(_TEXTS.c.id.in_(ids))).all()
    pairs = [
        {"text_id": text_id, "theme_id": theme}
        for text_id, folded in rows
        for theme, found in finders
        if found.search(folded)
    ]
    if pairs:
        run(insert(_PAIRS), pairs)


def finder(words: Sequence[str]) -> re.Pattern[str]:
    """Finds any of these beginnings of words in a text in small letters; nothing for no words."""
    either = "|".join(r"\s+".join(map(re.escape, word.split())) for word in words)
    return re.compile(rf"(?<!\w)(?:{either})" if words else r"(?!)")


def save(
    session: Session,
    actor: Person | str,
    theme: Theme | None,
    *,
    names: dict[str, str],
    words: dict[str, str],
    now: int,
) -> Theme:
    """Make a theme or change it, by language; texts of old are sorted anew. Raises Refused."""
    faults = Faults()
    if theme is None and len(all_themes(session)) >= MOST_THEMES:
        faults.add("name_fi", N_("There are %(most)s themes already. Remove one first."), most=MOST_THEMES)
    kept: dict[str, str] = {}
    for language in LANGUAGES:
        kept[f"name_{language}"] = faults.text(f"name_{language}", names.get(language, ""), LONGEST_NAME)
        kept[f"words_{language}"] = "\n".join(_typed(faults, f"words_{language}", words.get(language, "")))
    if not any(kept[f"words_{language}"] for language in LANGUAGES):
        faults.add("words_fi", N_("There is no word by which a text would be found. Type at least one."))
    faults.check()
    before = None if theme is None else _as_audited(theme)
    if theme is None:
        theme = Theme.model_validate(kept)
    for field, value in kept.items():
        setattr(theme, field, value)
    after = _as_audited(theme)
    if before == after:
        return theme
    session.add(theme)
    session.flush()
    action = "create theme" if before is None else "change theme"
    audit.record(session, actor, action, "theme", theme.id, before=before, after=after, now=now)
    if before is None or any(before[key] != after[key] for key in after if key.startswith("words")):
        _sort_all(session, theme)
    return theme


def remove(session: Session, actor: Person | str, theme: Theme, *, now: int) -> None:
    """Take a theme away; the texts stay."""
    audit.record(session, actor, "delete theme", "theme", theme.id, before=_as_audited(theme), now=now)
    session.delete(theme)
    session.flush()


def _sort_all(session: Session, theme: Theme) -> None:
    run = session.connection().execute
    run(delete(_PAIRS).where(_PAIRS.c.theme_id == theme.id))
    found, above = finder(_words(theme)), 0
    while rows := run(
        columns_of(_TEXTS.c.id, _TEXTS.c.folded)
        .where(_TEXTS.c.id > above)
        .order_by(_TEXTS.c.id)
        .limit(_STEP_TEXTS)
    ).all():
        pairs = [{"text_id": row.id, "theme_id": theme.id} for row in rows if found.search(row.folded)]
        if pairs:
            run(insert(_PAIRS), pairs)
        above = rows[-1].id


def _words(theme: Theme) -> list[str]:
    return [word for language in LANGUAGES for word in getattr(theme, f"words_{language}").splitlines()]


def _typed(faults: Faults, field: str, typed: str) -> list[str]:
    """The words of a list, one a line or between commas, each once."""
    found: dict[str, None] = {}
    for part in re.split(r"[,;\n]", typed):
        word = " ".join(part.casefold().split())
        if not word:
            continue
        if not SHORTEST_WORD <= len(word) <= LONGEST_WORD:
            faults.add(
                field,
                N_("“%(value)s” has %(length)s characters, a word here has %(least)s to %(longest)s."),
                value=word,
                length=len(word),
                least=SHORTEST_WORD,
                longest=LONGEST_WORD,
            )
        elif not word.isprintable() or not (word[0].isalnum()):
            faults.add(field, N_("“%(value)s” does not begin with a letter or a digit."), value=word)
        found[word] = None
    if len(found) > MOST_WORDS:
        faults.add(
            field,
            N_("These are %(count)s words, at most %(most)s."),
            count=len(found),
            most=MOST_WORDS,
        )
    return list(found)


def _as_audited(theme: Theme) -> dict[str, Any]:
    return {
        name: ", ".join(getattr(theme, name).splitlines())
        for kind in ("name", "words")
        for name in (f"{kind}_{language}" for language in LANGUAGES)
    }

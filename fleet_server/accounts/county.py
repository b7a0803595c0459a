"""What the county has decided for everybody: whether a second person approves, which languages are required, and how
many visitors' answers are released together.

It knows no draft and no page. Invariant: every change is in the audit log with what was before.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from sqlmodel import Session

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.accounts.models import CountySetting
from fleet_server.questions.types import LANGUAGES
from fleet_server.refusals import N_, Faults
from fleet_server.results import release

MOST_RESPONDENTS = 1_000


@dataclass(frozen=True)
class CountyRules:
    """The county's rules. As they are before anybody decides: both national languages, one person, five visitors.

    `least_respondents`: k of results/release.py; with 1 each answer is seen at once.
    """

    second_person: bool = False
    required_languages: tuple[str, ...] = ("fi", "sv")
    least_respondents: int = 5


def rules(session: Session) -> CountyRules:
    """The rules in force."""
    kept: dict[str, Any] = {}
    for key in asdict(CountyRules()):
        row = session.get(CountySetting, key)
        if row is not None:
            kept[key] = json.loads(row.value)
    if "required_languages" in kept:
        kept["required_languages"] = tuple(kept["required_languages"])
    return CountyRules(**kept)


def change(
    session: Session,
    actor: Person | str,
    *,
    second_person: bool,
    required_languages: list[str],
    least_respondents: int | str = CountyRules.least_respondents,
    now: int,
) -> CountyRules:
    """Decide anew. Raises Refused for a language that is none of those a set can have, and for a k that is no number of
    visitors from 1 to MOST_RESPONDENTS."""
    faults = Faults()
    typed = str(least_respondents).strip()
    if not typed.isdecimal() or not 1 <= int(typed) <= MOST_RESPONDENTS:
        faults.add(
            "least_respondents",
            N_("“%(value)s” is no number of visitors, must be 1 to %(most)s."),
            value=typed,
            most=MOST_RESPONDENTS,
        )
    for language in required_languages:
        if language not in LANGUAGES:
            faults.add(
                "required_languages",
                N_("“%(value)s” is no language, must be one of %(known)s."),
                value=language,
                known=", ".join(LANGUAGES),
            )
    faults.check()
    before = rules(session)
    after = CountyRules(
        second_person, tuple(code for code in LANGUAGES if code in required_languages), int(typed)
    )
    for key, value in asdict(after).items():
        if value == asdict(before)[key]:
            continue
        row = session.get(CountySetting, key) or CountySetting(key=key, value="", at=0, by="")
        row.value, row.at, row.by = json.dumps(value), now, actor if isinstance(actor, str) else actor.actor
        session.add(row)
        audit.record(
            session,
            actor,
            "change rules of the county",
            "county",
            key,
            before={key: asdict(before)[key]},
            after={key: value},
            now=now,
        )
    if after.least_respondents != before.least_respondents:
        release.look_again(session)
    session.flush()
    return after

"""What the county has decided for everybody: whether a second person approves, which languages are required, how many
visitors' answers are released together, and whether everybody may see places' results.

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

_NUMBERS = {
    "least_respondents": (N_("“%(value)s” is no number of visitors, must be 1 to %(most)s."), 1_000),
    "texts_kept_days": (N_("“%(value)s” is no number of days, must be 1 to %(most)s."), 3_650),
}


@dataclass(frozen=True)
class CountyRules:
    """The county's rules. As they are before anybody decides: both national languages, one person, five visitors, two
    years.

    `least_respondents`: k of results/release.py; with 1 each answer is seen at once. `texts_kept_days`: after that open
    texts are forgotten.
    """

    second_person: bool = False
    required_languages: tuple[str, ...] = ("fi", "sv")
    least_respondents: int = 5
    texts_kept_days: int = 730
    public_results: bool = False


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
    least_respondents: int | str | None = None,
    texts_kept_days: int | str | None = None,
    public_results: bool | None = None,
    now: int,
) -> CountyRules:
    """Decide anew. Raises Refused for a language that is none of those a set can have, and for what is no number or too
    large a one; None leaves as it is."""
    faults = Faults()
    before = rules(session)
    numbers = {
        field: str(getattr(before, field) if given is None else given).strip()
        for field, given in (("least_respondents", least_respondents), ("texts_kept_days", texts_kept_days))
    }
    for field, typed in numbers.items():
        text, most = _NUMBERS[field]
        if not (typed.isascii() and typed.isdecimal()) or not 1 <= int(typed) <= most:
            faults.add(field, text, value=typed, most=most)
    for language in required_languages:
        if language not in LANGUAGES:
            faults.add(
                "required_languages",
                N_("“%(value)s” is no language, must be one of %(known)s."),
                value=language,
                known=", ".join(LANGUAGES),
            )
    faults.check()
    after = CountyRules(
        second_person,
        tuple(code for code in LANGUAGES if code in required_languages),
        public_results=before.public_results if public_results is None else public_results,
        **{field: int(typed) for field, typed in numbers.items()},
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

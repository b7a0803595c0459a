"""What the county has decided for everybody: whether a second person approves, and which languages are required.

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


@dataclass(frozen=True)
class CountyRules:
    """The county's rules for publishing. As they are before anybody decides: both national languages, one person."""

    second_person: bool = False
    required_languages: tuple[str, ...] = ("fi", "sv")


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
    session: Session, actor: Person | str, *, second_person: bool, required_languages: list[str], now: int
) -> CountyRules:
    """Decide anew. Raises Refused for a language that is none of those a set can have."""
    faults = Faults()
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
    after = CountyRules(second_person, tuple(code for code in LANGUAGES if code in required_languages))
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
    session.flush()
    return after

"""Finland's public holidays, and the eves that a county counts among them. It knows no schedule.

The days come from the library `holidays`, which follows the law; it calls Christmas Eve and Midsummer Eve holidays,
which by law they are not, so all eves are a choice here.
"""

import json
from datetime import date, timedelta

from holidays.countries.finland import Finland
from sqlmodel import Session

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.accounts.models import CountySetting
from fleet_server.refusals import N_

KEY = "holiday_eves"  # of the county's settings
EVES = {
    "epiphany": N_("Eve of Epiphany"),
    "easter": N_("Easter Saturday"),
    "may_day": N_("Eve of May Day"),
    "midsummer": N_("Midsummer Eve"),
    "christmas": N_("Christmas Eve"),
    "new_year": N_("New Year's Eve"),
}
USUAL_EVES = ("midsummer", "christmas")  # nearly everywhere closed, by collective agreement
_LANGUAGES = {"fi": "fi", "sv": "sv_FI", "en": "en_US"}


def holidays(first: date, last: date, eves: tuple[str, ...], language: str = "en") -> dict[date, str]:
    """Each holiday of [first, last] with its name, by date; `eves`: keys of EVES."""
    found: dict[date, str] = {}
    for year in range(first.year, last.year + 1):
        days = dict(Finland(years=year, language=_LANGUAGES.get(language, "en_US")).items())
        for eve, day in eve_days(year).items():
            if eve in eves:
                days.setdefault(day, EVES[eve])
            elif eve in USUAL_EVES:
                days.pop(day, None)
        found |= days
    return {day: found[day] for day in sorted(found) if first <= day <= last}


def eve_days(year: int) -> dict[str, date]:
    """The date of each of EVES."""
    easter = next(
        day for day, name in Finland(years=year, language="en_US").items() if name == "Easter Sunday"
    )
    # Midsummer Day is the Saturday in June 20 to 26.
    midsummer = next(day for day in (date(year, 6, 20 + n) for n in range(7)) if day.weekday() == 5)
    one = timedelta(days=1)
    return {
        "epiphany": date(year, 1, 5),
        "easter": easter - one,
        "may_day": date(year, 4, 30),
        "midsummer": midsummer - one,
        "christmas": date(year, 12, 24),
        "new_year": date(year, 12, 31),
    }


def eves_of(session: Session) -> tuple[str, ...]:
    """The eves that this county counts among the holidays."""
    row = session.get(CountySetting, KEY)
    return USUAL_EVES if row is None else tuple(eve for eve in EVES if eve in json.loads(row.value))


def choose_eves(session: Session, actor: Person | str, eves: list[str], *, now: int) -> None:
    """Count these eves (keys of EVES, others are passed over) among the holidays."""
    chosen = [eve for eve in EVES if eve in eves]
    before = list(eves_of(session))
    if chosen == before:
        return
    name = actor if isinstance(actor, str) else actor.actor
    row = session.get(CountySetting, KEY) or CountySetting(key=KEY, value="", at=now, by=name)
    row.value, row.at, row.by = json.dumps(chosen), now, name
    session.add(row)
    session.flush()
    audit.record(
        session, actor, "choose eves", "county", KEY, before={"eves": before}, after={"eves": chosen}, now=now
    )

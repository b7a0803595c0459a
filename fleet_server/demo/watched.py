"""What the demonstration's person has watched, so that the page of alerts has something to show.

It makes no alert: those come from the demo's own answers, by the job that looks after every watch.
"""

from sqlmodel import Session, select

from fleet_server.accounts import service as accounts
from fleet_server.accounts.sessions import person_from
from fleet_server.alerts import service as alerts
from fleet_server.alerts.models import LOW, SILENCE, Watch
from fleet_server.db import Database
from fleet_server.demo.kiosks import FIRST
from fleet_server.demo.seed import EMAIL, demo_places
from fleet_server.questions import service as questions
from fleet_server.questions.models import QuestionSet
from fleet_server.results import subjects
from fleet_server.results.models import Series
from fleet_server.results.series import series_of

# Stricter than what the simulated patients think: an NPS of 71, four in five content.
_LEAST = {"nps": 80}
_LEAST_SHARE = 90
_SILENT_HOURS = 6


def watch(database: Database, *, now: int) -> None:
    """Scores of the first two demo places and presses at the third; nothing for who ever had something watched."""
    with database.write() as session:
        user = accounts.by_email(session, EMAIL)
        if user is None or session.exec(select(Watch.id).where(Watch.user_id == user.id)).first():
            return
        person = person_from(session, user)
        there = list(zip(demo_places(session, now=now), FIRST, strict=False))
        for place, (_model, set_number) in there:
            subject = subjects.of_place(session, place.id or 0)
            series = _first_question(session, set_number)
            if subject is None or series is None:
                continue
            kind, typed = SILENCE, {"hours": str(_SILENT_HOURS)}
            if place is not there[-1][0]:
                least = _LEAST.get(series.type, _LEAST_SHARE)
                kind = LOW
                typed = {"code": series.code, "threshold": str(least), "weeks": "4", "sure": "yes"}
            alerts.save(session, person, subject, None, kind, typed, now=now)


def _first_question(session: Session, set_number: int) -> Series | None:
    """The series of the question that a kiosk with this set asks first."""
    body = questions.body_of(session.get_one(QuestionSet, set_number))
    code = body.get("button") or body["questions"][0]["code"]
    position = next(at for at, one in enumerate(body["questions"]) if one["code"] == code)
    number = series_of(session, set_number, position)
    return None if number is None else session.get(Series, number)

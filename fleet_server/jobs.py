"""Work beside the pages: each minute the release of answers, alerts, the books' alarms and presses judged anew by
changed opening hours; each second the rollouts, whose next portion of kiosks waits for it.

Invariant: a job is found by what the database says, so one that a stop cut off is found again after the next start.
"""

import logging
import threading
from collections.abc import Callable, Collection

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import select

from fleet_server.accounts import county
from fleet_server.alerts import watching
from fleet_server.answers import alarms, coarsening, quarantine
from fleet_server.answers.rerun import Step, rerun
from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.handling import marking
from fleet_server.instants import DAY_MS, HOUR_MS, now_ms
from fleet_server.places.opening import pending_places
from fleet_server.results import release, texts
from fleet_server.rollouts import advancing as rollouts
from fleet_server.rollouts.models import Rollout

log = logging.getLogger("hymio.jobs")

LOOK_S = 60.0
ROLLOUTS_S = (
    1.0  # a kiosk is wished a set within that; without a rollout it costs one look into a small index
)
PAUSE_S = 0.05  # between steps of a long job: who waits for the one writer gets it
ACTOR = "server"


class Jobs:
    """Start it once, stop it once; a job that is under way ends after its present transaction.

    `send(topic, payload)`: to a kiosk; None when there is no link (what is wished of it is then sent when it asks).
    """

    def __init__(
        self, database: Database, changes: Changes, send: Callable[[str, bytes], None] | None = None
    ) -> None:
        self._database = database
        self._changes = changes
        self._send = send
        self._hour = -1  # in which the visitors' answers were last held against a rollout
        self._watched = -1  # hour in which everything that is watched was last looked at
        self._day = -1  # on which old texts were last forgotten
        self._coarsened = -1  # hour in which old times were last made coarse
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop before the next transaction."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        left_s = 0.0
        while not self._ending.is_set():
            if left_s <= 0:
                left_s = LOOK_S
                self._try(self.look)
            self._try(self.roll_out)
            pause_s = min(ROLLOUTS_S, LOOK_S)
            self._ending.wait(pause_s)
            left_s -= pause_s

    def _try(self, job: Callable[[int], None]) -> None:
        if self._ending.is_set():
            return
        try:
            job(now_ms())
        except _Stopped:
            return
        except SQLAlchemyError as fault:  # a full or busy database may be well at the next look
            log.error("jobs: %r", fault)
        except Exception:  # one job that cannot be done must not end all others for good
            log.exception("a job could not be done; the next look tries again")

    def roll_out(self, now: int) -> None:
        """Do what is due in the rollouts now; once an hour the visitors' answers are looked at, too."""
        with self._database.read() as session:
            if session.exec(select(Rollout.id).where(rollouts.busy()).limit(1)).first() is None:
                return
        hour = now // HOUR_MS
        more, visitors = True, hour != self._hour
        while more and not self._ending.is_set():
            with self._database.write() as session:
                # The clock anew: a thousand kiosks take seconds, and each is wished, and has reported, when it has.
                outcome = rollouts.advance(session, now=now_ms(), visitors=visitors)
            self._hour, visitors, more = hour, False, outcome.more
            for message in outcome.messages:
                if self._send is not None:
                    self._send(*message)
            self._changes.notify(*outcome.topics)

    def look(self, now: int) -> None:
        """Do all that there is to do now (`now`: UTC ms)."""
        self.release(now)
        self.forget(now)
        self.coarsen(now)
        alarmed = alarms.look(self._database, now=now)
        self._changes.notify(*(f"device:{device_id}" for device_id in alarmed))
        with self._database.read() as session:
            places = pending_places(session, now=now)
        for place in places:
            done = rerun(
                self._database,
                actor=ACTOR,
                now=now,
                upgrade=False,
                place_id=place,
                pause=self._ending.wait,
                progress=self._after_step,
            )
            log.info(
                "opening hours of place %d: %d filtered now, %d counted", place, done.filtered, done.restored
            )
            self._changes.notify(f"place:{place}")

    def release(self, now: int) -> None:
        """Close the blocks of answers that are whole now."""
        more, places = True, set[int]()
        while more and not self._ending.is_set():
            with self._database.write() as session:
                released = release.step(session, k=county.rules(session).least_respondents, now=now)
            more = released.more
            places |= released.places
            self._changes.notify(*(f"results:{place}" for place in released.places))
            if more:
                self._ending.wait(PAUSE_S)
        self.watch(now, places)

    def watch(self, now: int, places: Collection[int]) -> None:
        """Look at what supervisors have watched: once an hour at all, else where answers were just released."""
        hour = now // HOUR_MS
        if hour != self._watched:
            watching.look(self._database, now=now)
            self._watched = hour
        elif places:
            watching.look(self._database, now=now, places=places)

    def forget(self, now: int) -> None:
        """Once a day, and at the start: take away the texts that were kept long enough."""
        if now // DAY_MS == self._day:
            return
        with self._database.write() as session:
            days = county.rules(session).texts_kept_days
            gone = texts.forget(session, days=days, now=now)
            marking.forget(session)
            quarantine.forget(session, before=now - days * DAY_MS)
        self._day = now // DAY_MS
        log.info("%d open texts were kept long enough and are forgotten", gone)

    def coarsen(self, now: int) -> None:
        """Once an hour, and at the start: leave the hour alone of times that were kept exactly long enough."""
        if now // HOUR_MS == self._coarsened:
            return
        records, more = 0, True
        while more and not self._ending.is_set():
            with self._database.write() as session:
                done = coarsening.step(session, now=now)
            records, more = records + done.records, done.more
            self._changes.notify(*(f"place:{place}" for place in done.places))
            if more:
                self._ending.wait(PAUSE_S)
        self._coarsened = now // HOUR_MS
        if records:
            log.info("%d records were kept exactly long enough and have coarse times", records)

    def _after_step(self, _done: int, _runs: int, step: Step) -> None:
        self._changes.notify(*(f"place:{place}" for place in step.places))
        if self._ending.is_set():
            raise _Stopped


class _Stopped(Exception):
    """The server stops; what is left is done after the next start."""

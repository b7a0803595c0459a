"""Work that nobody waits for, a look each minute: the books' alarms, and presses judged anew by changed opening hours.

Invariant: a job is found by what the database says, so one that a stop cut off is found again after the next start.
"""

import logging
import threading

from sqlalchemy.exc import SQLAlchemyError

from fleet_server.answers import alarms
from fleet_server.answers.rerun import Step, rerun
from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.instants import now_ms
from fleet_server.places.opening import pending_places

log = logging.getLogger("hymio.jobs")

LOOK_S = 60.0
ACTOR = "server"


class Jobs:
    """Start it once, stop it once; a job that is under way ends after its present transaction."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._changes = changes
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
        while not self._ending.is_set():
            try:
                self.look(now_ms())
            except _Stopped:
                return
            except SQLAlchemyError as fault:  # a full or busy database may be well at the next look
                log.error("jobs: %r", fault)
            except Exception:  # one job that cannot be done must not end all others for good
                log.exception("a job could not be done; the next look tries again")
            self._ending.wait(LOOK_S)

    def look(self, now: int) -> None:
        """Do all that there is to do now (`now`: UTC ms)."""
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

    def _after_step(self, _done: int, _runs: int, step: Step) -> None:
        self._changes.notify(*(f"place:{place}" for place in step.places))
        if self._ending.is_set():
            raise _Stopped


class _Stopped(Exception):
    """The server stops; what is left is done after the next start."""

"""The thread that sends mail: plans the weekly ones, writes what is due, hands it over, and tries again later.

Without SMTP_HOST it sends nothing. Invariant: a mail is marked before it is handed over and never sent after; see
outbox.py. What stops a look in between is found by the next one.
"""

import logging
import threading
from collections import deque

from sqlalchemy.exc import SQLAlchemyError

from fleet_server.db import Database
from fleet_server.instants import now_ms
from fleet_server.mails import outbox, rules, weekly
from fleet_server.mails.models import Mail
from fleet_server.mails.smtp import Connection, Refusal, Trouble, Unsure
from fleet_server.mails.writing import Letter, Writer
from fleet_server.results.printing import Printer
from fleet_server.settings import Settings

log = logging.getLogger("hymio.mails")

LOOK_S = 30.0
AT_ONCE = 8  # mails that are written ahead, so that the printing processes always have something to do
A_LOOK = 400  # mails; some two minutes, well within the time for which they are claimed
A_CONNECTION = 100  # then a new one: many mail servers take no more over one


class Postman:
    """Start it once, stop it once; a mail that is being handed over is finished first."""

    def __init__(self, settings: Settings, database: Database, printer: Printer) -> None:
        self._settings = settings
        self._database = database
        self.printer = printer
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mails", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        with self._database.write() as session:
            rules.keep(session)
        self._thread.start()

    def stop(self) -> None:
        """Stop before the next mail."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                while self._settings.smtp_host and self.look(now_ms()) and not self._ending.is_set():
                    pass
            except SQLAlchemyError as fault:  # a full or busy database may be well at the next look
                log.error("mails: %r", fault)
            except Exception:  # one mail that cannot be written must not end all others for good
                log.exception("a mail could not be sent; it is tried again")
            self.printer.rest()
            self._ending.wait(LOOK_S)

    def look(self, now: int) -> int:
        """Send all that is due now; returns how many were sent."""
        with self._database.write() as session:
            outbox.settle(session, now=now)
            weekly.plan(session, now=now)
        with self._database.read() as session:
            ids = outbox.due(session, now=now, most=A_LOOK)
        this = _Round(self._settings, self._database, self.printer, now)
        written: deque[tuple[Mail, Letter]] = deque()
        goes_on = True
        try:
            for number in ids:
                if not goes_on or self._ending.is_set():
                    break
                if pair := this.write(number):
                    written.append(pair)
                if len(written) == AT_ONCE:
                    goes_on = this.send(*written.popleft())
            for mail, letter in written:
                if goes_on and not self._ending.is_set():
                    goes_on = this.send(mail, letter)
                else:
                    this.give_back(mail)
        finally:
            this.close()
        return this.sent


class _Round:
    """One look: its writer, its connection."""

    def __init__(self, settings: Settings, database: Database, printer: Printer, now: int) -> None:
        self._settings = settings
        self._database = database
        self._writer = Writer(settings, printer)
        self._connection: Connection | None = None
        self._now = now
        self._over_it = 0
        self.sent = 0

    def write(self, mail_id: int) -> tuple[Mail, Letter] | None:
        """Claim a mail and write it; None when it is another's, or nothing is to be told."""
        with self._database.write() as session:
            mail = outbox.claim(session, mail_id, now=self._now)
        if mail is None:
            return None
        try:
            with self._database.steady_read() as session:
                letter = self._writer.write(session, mail, now=self._now)
        except Exception as fault:
            log.exception("mail %s cannot be written", mail.key)
            with self._database.write() as session:
                outbox.later(session, mail, f"cannot be written: {fault!r}", now=self._now)
            return None
        if letter is None:
            with self._database.write() as session:
                outbox.dropped(session, mail, now=self._now)
            return None
        return mail, letter

    def send(self, mail: Mail, letter: Letter) -> bool:
        """Send one; False when the mail server cannot be reached, so that nothing else need be tried now."""

        def hand_over() -> bool:
            with self._database.write() as session:
                return outbox.hand_over(session, mail, now=self._now)

        try:
            message = letter.finished()
            if self._connection is None or self._over_it >= A_CONNECTION:
                self.close()
                self._connection, self._over_it = Connection(self._settings), 0
            self._over_it += 1
            if not self._connection.send(message, hand_over):
                self._connection = None
                return True
        except Refusal as fault:
            log.error("mail %s is refused for good: %s", mail.key, fault)
            self._end(outbox.failed, mail, fault)
        except Unsure as fault:
            log.error("mail %s may have arrived or not: %s", mail.key, fault)
            self._connection = None
            self._end(outbox.unsure, mail, fault)
        except Trouble as fault:
            log.error("mail %s is tried again later: %s", mail.key, fault)
            self._end(outbox.later, mail, fault)
            if fault.gone:
                self._connection = None
                return False
        except Exception as fault:  # its PDF, for one
            log.exception("mail %s cannot be written", mail.key)
            self._end(outbox.later, mail, fault)
        else:
            with self._database.write() as session:
                outbox.sent(session, mail, now=self._now)
            self.sent += 1
        return True

    def give_back(self, mail: Mail) -> None:
        """Not tried: the mail server cannot be reached, or this one is being stopped."""
        with self._database.write() as session:
            outbox.later(session, mail, mail.fault or "not tried", now=self._now)

    def close(self) -> None:
        """Take leave of the mail server."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _end(self, how: object, mail: Mail, fault: Exception) -> None:
        with self._database.write() as session:
            how(session, mail, fault, now=self._now)  # type: ignore[operator]

"""Writes what visitors answered into the journal, with the boot and clock records it needs around it.

Knows no button, no screen and no question. Invariant: an answer of a run stands behind this run's boot record, in
each epoch anew; an answer that could not be written is counted until a note of it is in the journal.
"""

from kiosk import record
from kiosk.compat import const
from kiosk.journal import JournalFull

# A full journal has about a hundred records left for notes of refusal: one an hour lasts four days.
_REFUSED_EVERY_TENTHS = const(36000)
_NO_VISIT = const(255)


class Recorder:
    """What button and touch kiosks share between a thank-you and the flash."""

    def __init__(self, board, journal, clock, uptime):
        self._board = board
        self._journal = journal
        self._clock = clock
        self._uptime = uptime
        self._run_epoch = None  # the epoch that holds this run's boot record
        self._refused = 0
        self._refused_since = 0
        self._noted_at = None
        self._full_at = None

    def kept(self):
        """What a kiosk that sleeps takes along, for `resume`: the run's epoch first, None while it has no record."""
        return self._run_epoch, self._refused, self._refused_since, self._noted_at, self._full_at

    def resume(self, run_epoch, refused, refused_since, noted_at, full_at):
        """Go on after a sleep. `run_epoch`: None begins a new run."""
        self._run_epoch = run_epoch
        self._refused, self._refused_since = refused, refused_since
        self._noted_at, self._full_at = noted_at, full_at

    def answer(self, set_number, question, language, value, flags=0, body=b"", visit=None):
        """Write one answer. `visit`: a list that holds the (epoch, seq) of the visit's first one, None each before it:
        it is filled in here, since nothing may fail any more once the answer is in flash.

        Raises JournalFull or OSError when it cannot be recorded: `refuse` is to be told.
        """
        self._begin_run()
        journal = self._journal
        epoch = journal.epoch
        # A visit that crosses into a new epoch cannot be counted back: the seqs begin anew.
        first = visit is None or visit[0] is None
        known = not first and visit[0] == epoch
        seq = journal.append(
            record.KIND_ANSWER,
            set_number=set_number,
            session=0 if first else _NO_VISIT,
            question=question,
            language=language,
            value=value,
            flags=flags,
            uptime=self._uptime.tenths(),
            body=body,
            visit=visit[1] if known else None,
        )
        if first and visit is not None:
            visit[0], visit[1] = epoch, seq

    def stored(self):
        """The visitor was thanked: there is room."""
        self._full_at = None

    def clock_learned(self):
        """The estimate of the time is new or has moved: write it down if this run has an answer to place."""
        if self._run_epoch == self._journal.epoch and self._clock.due():
            try:
                self._write_clock()
            except (JournalFull, OSError):
                pass  # still due: the next answer tries again

    def refuse(self, error):
        """An answer could not be written; `note_refused` puts it into the journal."""
        if not self._refused:
            self._refused_since = self._uptime.tenths()
        self._refused = min(self._refused + 1, 65535)
        self._full_at = self._journal.waiting
        self._board.log("press refused: %r" % error)

    def note_refused(self):
        """Record how many were refused: at once while there is room, else once an hour."""
        if not self._refused:
            return
        now = self._uptime.tenths()
        room = self._full_at is None
        if not room and self._noted_at is not None and now - self._noted_at < _REFUSED_EVERY_TENTHS:
            return
        self._noted_at = now
        try:
            self._journal.append(
                record.KIND_REFUSED, uptime=now, body=record.refused_body(self._refused, self._refused_since)
            )
            self._refused = 0
        except (JournalFull, OSError):
            pass  # still counted in RAM; the next try is an hour away

    def full(self):
        """Whether nothing was let go of since an answer was refused. Receipts make room: then it ends."""
        if self._full_at is not None and self._journal.waiting < self._full_at:
            self._full_at = None
        return self._full_at is not None

    def _begin_run(self):
        """Boot and clock records come before the first answer of their run, and again in a new epoch."""
        journal = self._journal
        begins = self._run_epoch != journal.epoch
        if begins:
            body = record.boot_body(self._board.reset_cause(), self._board.build)
            epoch = journal.epoch
            journal.append(record.KIND_BOOT, uptime=self._uptime.tenths(), body=body)
            self._run_epoch = epoch
        if self._clock.now() is not None and (begins or self._clock.due()):
            self._write_clock()

    def _write_clock(self):
        uptime_ms = self._uptime.ms()
        utc_ms, uncertainty_ms = self._clock.now()
        # The record's uptime has tenths: give the time of that tenth, not of a moment up to 99 ms later.
        body = record.clock_body(utc_ms - uptime_ms % 100, uncertainty_ms + self._clock.ahead_ms)
        self._journal.append(record.KIND_CLOCK, uptime=uptime_ms // 100, body=body)
        self._clock.recorded()

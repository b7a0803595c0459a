"""A sleeping kiosk from its waking on: the press that woke it is in the journal before anything else is loaded.

Knows no network, no display and no question's words. What must outlive the sleep is one JSON text with a CRC in memory
that the board keeps powered. Invariants: what the clock says stays true over a sleep, since the chip's slow clock is
trusted to `_DRIFT_PPM` only and a clock run ends before its records would claim more; what is kept is believed after
a sleep alone, never after a reset. docs/decisions/0016-sleeping-kiosk.md says why.
"""

import asyncio
import json
import time
from struct import pack, unpack_from

from kiosk.buttons import Buttons
from kiosk.clock import Clock, Uptime
from kiosk.compat import const, crc32, ticks_diff, ticks_ms
from kiosk.journal import Journal
from kiosk.recorder import Recorder
from kiosk.survey import Survey

# hardware/power.py reads these: the charge model and the kiosk cannot disagree.
AWAKE_MS = const(2500)  # after the last touch: the next visitor in a queue meets a kiosk that is awake
SYNC_S = const(3600)
GIVE_UP_S = const(20)  # without the server
MANY = const(60)  # answers since the last attempt that do not wait for the hour; a batch holds 71

_DRIFT_PPM = const(50_000)  # the chip's RC clock between two calibrations: per cents, by temperature
_RUN_MS = const(
    3_600_000
)  # asleep, in a clock run: each of its records is less sure by the drift of that time
_EARLY_MS = const(2000)
_WATCHDOG_MS = const(60_000)
_LAYOUT = const(1)
_RESTART_S = const(5)
_SETTINGS = ("lockout_ms", "repeat_ms", "stuck_s", "thanks_ms", "sound", "language")


class Asked:
    """What Survey asks of the question sets, as it was when the kiosk lay down; nothing of it changes in a doze."""

    def __init__(self, asked, waiting):
        self.active = asked and {"number": asked[0], "button": {"question": asked[1]}}
        self._waiting = waiting

    def waiting(self):
        return self._waiting

    def switch(self):
        """What is asked is what the glass or the card says: it changes with the next session."""


class Doze:
    """The parts that a sleeping kiosk has from before the program: uptime, clock, journal and recorder, gone on from.

    `.kept`: dict of what outlives the sleep, {} when it was not one. `.card_changed`: the gesture was seen.
    """

    def __init__(self, board):
        self.board = board
        self.kept = kept = _read(board)
        self.card_changed = False
        slept_ms = board.wall_ms() - kept["wall"] if kept else 0
        if slept_ms < 0:  # that clock was set while nobody was awake: no sleep that can be reckoned with
            self.kept = kept = {}
        self.uptime = Uptime(ticks_ms, kept["uptime"] + slept_ms if kept else 0)
        self.clock = Clock(self.uptime)
        self.journal = Journal(board.journal_flash, board.random)
        self.recorder = Recorder(board, self.journal, self.clock, self.uptime)
        self._run_slept_ms = 0
        if kept:
            self._resume(slept_ms)
        self.clock.ahead_ms = _drift(self._run_slept_ms + _RUN_MS)

    @property
    def due(self):
        """Whether the server is to be met: by the hour, for many answers, or for a card that was changed."""
        kept = self.kept
        many = not kept["failures"] and self.journal.waiting - kept["left"] >= MANY
        return many or self.card_changed or self.uptime.ms() + _EARLY_MS >= kept["due"]

    def lie_down(self):
        """Write down what the next waking needs, and sleep: does not return."""
        kept, board = self.kept, self.board
        kept["clock"], kept["recorded"] = self.clock.kept()
        kept["recorder"] = self.recorder.kept()
        kept["boot"], kept["slept"] = self.journal.boot, self._run_slept_ms
        kept["layout"], kept["uptime"], kept["wall"] = _LAYOUT, self.uptime.ms(), board.wall_ms()
        text = json.dumps(kept).encode()
        board.keep(pack("<I", crc32(text, 0)) + text)
        board.deep_sleep(max(1, kept["due"] - kept["uptime"]), (1 << board.faces) - 1 & ~kept["stuck"])

    def end_run(self):
        """The clock was set right: the next answer begins a run that is as sure of it."""
        self.recorder.resume(None, *self.recorder.kept()[1:])
        self.clock.resume(self.clock.kept()[0], None, 0)
        self._run_slept_ms = 0

    def _resume(self, slept_ms):
        kept = self.kept
        run_slept_ms = kept["slept"] + slept_ms
        recorder, recorded = kept["recorder"], kept["recorded"]
        if recorder[0] is None or (kept["clock"] is not None and run_slept_ms > _RUN_MS):
            recorder[0] = recorded = None  # a new run, under the number that the journal gave it
        else:
            self.journal.boot = kept["boot"]
            self._run_slept_ms = run_slept_ms
        self.journal.release(
            *kept["cursor"]
        )  # a mount knows whole sectors only; a server that forgot says so
        self.recorder.resume(*recorder)
        self.clock.resume(kept["clock"], recorded, _drift(slept_ms))

    async def visit(self, faces):
        """Take the press of the mask `faces` that ended the sleep, and others until it is quiet again."""
        board, kept = self.board, self.kept
        now_ms = touched_ms = ticks_ms()
        buttons = Buttons(board.faces, now_ms, 0, kept["settings"].get)
        buttons.resume(kept["stuck"], kept["ignored"])
        if kept["card"] is not None:
            buttons.card_waits = lambda: kept["card"]
        survey = Survey(board, self.recorder, Asked(kept["asked"], kept["card"]), buttons, kept["settings"])
        board.start()
        face = buttons.scan(faces | kept["stuck"], now_ms)
        if face is None or not survey.press(face, now_ms):
            board.light_all(False)
        dog = board.watchdog(_WATCHDOG_MS)
        tunes = asyncio.create_task(board.background(dog.feed))
        while True:
            dog.feed()
            left_ms = max(1, AWAKE_MS - ticks_diff(now_ms, touched_ms))
            wait_ms = survey.due_ms(now_ms, buttons.due_ms(now_ms))
            try:
                await asyncio.wait_for(board.wait_edge(), min(wait_ms, left_ms) / 1000)
            except asyncio.TimeoutError:
                pass
            now_ms = ticks_ms()
            face = buttons.scan(board.pressed(), now_ms)
            if face is not None:
                survey.press(face, now_ms)
            if face is not None or buttons.just_ignored is not None or not buttons.at_rest():
                touched_ms = now_ms
            survey.tick(now_ms)
            self.card_changed = self.card_changed or buttons.card_changed
            if ticks_diff(now_ms, touched_ms) >= AWAKE_MS and survey.idle(now_ms) and not board.touched():
                break
        tunes.cancel()
        try:
            await tunes  # silent before the pins lose their power
        except asyncio.CancelledError:
            pass
        kept["stuck"] = sum([1 << face for face in buttons.stuck_faces()])


def wake(board, run=asyncio.run):
    """What a board that sleeps does before the program. Returns when the whole program is to run: at a start, when the
    server is to be met, and when something went wrong here. `board.doze` has then what it goes on from."""
    try:
        faces = board.woken()
        if faces and not faces & faces - 1:
            board.light(_lowest(faces), True)  # first of all: the visitor sees that it was heard
        board.doze = doze = Doze(board)
        if not doze.kept:
            board.light_all(False)
            return
        if faces:
            run(doze.visit(faces))
            asyncio.new_event_loop()  # for the program: the old one may hold what was not taken
        if not doze.due:
            doze.lie_down()
    except Exception as error:  # whatever it was: a start that is no waking knows nothing of it
        board.log("doze: %r" % error)
        time.sleep(_RESTART_S)
        board.reset()


def settings_kept(settings):
    """The county's values that a press needs, for the next waking."""
    return {name: settings.get(name) for name in _SETTINGS}


def _lowest(mask):
    face = 0
    while not mask >> face & 1:
        face += 1
    return face


def _drift(slept_ms):
    return slept_ms * _DRIFT_PPM // 1_000_000


def _read(board):
    """What was kept, {} when this is no waking or the memory lost it."""
    kept = board.kept() if board.woken() is not None else None
    try:
        if kept and unpack_from("<I", kept)[0] == crc32(memoryview(kept)[4:], 0):
            read = json.loads(bytes(kept[4:]))
            if read["layout"] == _LAYOUT:
                return read
    except (ValueError, KeyError):
        pass
    return {}

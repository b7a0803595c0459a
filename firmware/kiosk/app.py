"""Puts the kiosk together: each part once, its collaborators handed in, the tasks given to the supervisor."""

import asyncio
import time

from kiosk.check import lend
from kiosk.clock import Clock, Uptime
from kiosk.compat import const, ticks_add, ticks_diff, ticks_ms
from kiosk.desired import Desired
from kiosk.journal import Journal
from kiosk.link import Session
from kiosk.recorder import Recorder
from kiosk.report import Report
from kiosk.sets import Sets
from kiosk.settings import Settings, count_start
from kiosk.store import kept
from kiosk.supervisor import Supervisor, trace_of
from kiosk.sync import Sync

_PRESS_DEADLINE_MS = const(10000)
_IDLE_DEADLINE_MS = const(30000)
_LINK_DEADLINE_MS = const(120000)
_PAPER_DEADLINE_MS = const(120000)
# Idle work (an erase takes up to half a second of flash time) waits until no visitor is near.
_QUIET_MS = const(3000)
_IDLE_POLL_MS = const(500)
_RESTART_TAKES_S = const(120)
# Signs wait longer than this anyway; their code comes when the start has let go of what it took.
_SIGNS_AFTER_MS = const(10000)
_RESTART_S = const(5)
_LOG_LINES = const(8)
_LOG_LINE = const(120)


class App:
    """All parts of one kiosk; `board` is the board module of the image."""

    def __init__(self, board):
        self.board = board
        self._lines = []
        self._console = board.log
        board.log = self._log  # every part logs through the board: a crash report has their last lines
        doze = getattr(board, "doze", None)  # a kiosk that sleeps has these from before the program
        if doze is None:
            self.uptime = Uptime(ticks_ms)
            self.clock = Clock(self.uptime)
            self.journal = Journal(board.journal_flash, board.random)
            self.recorder = Recorder(board, self.journal, self.clock, self.uptime)
        else:
            self.uptime, self.clock, self.journal, self.recorder = (
                doze.uptime, doze.clock, doze.journal, doze.recorder,
            )  # fmt: skip
        self.settings = Settings()
        self.sets = Sets(board.root, self.clock, board.faces)
        now_ms = ticks_ms()
        self.buttons = self.survey = None
        if board.screen == "touch":
            from kiosk.touch_front import opened

            self.front = opened(board, self.recorder, self.sets, self.clock, self.settings)
            self.front.answered = self._answered
        else:
            from kiosk.buttons import Buttons
            from kiosk.survey import Survey

            # What was touched while a sleeping kiosk loaded its program is a press like any other.
            down = board.pressed() if doze is None else 0
            self.buttons = Buttons(board.faces, now_ms, down, self.settings.get)
            self.front = self.survey = Survey(board, self.recorder, self.sets, self.buttons, self.settings)
        self.sync = Sync(self.journal, self.clock, self.uptime, board, board.random)
        self.sync.on_clock = self.recorder.clock_learned
        self.desired = Desired(board.root, self.sets, self.settings)
        self.report = Report(board, self.journal, self.clock, self.uptime, self.sets, self.desired)
        self.report.buttons = self.buttons or self.front
        self.session = Session(
            board,
            self.clock,
            self.uptime,
            self.sync,
            self.report,
            self.desired,
            self.sets,
            self.settings,
            count_start(board.root) if doze is None or not doze.kept else 0,
        )
        if board.screen == "touch":
            self.front.said.connected = self._connected
        self.paper = None
        if board.screen == "paper":
            from kiosk.paper import Paper

            self.paper = Paper(board, self.sets, self.settings, self.uptime, self.quiet)
        elif board.screen == "none":
            from kiosk.card import Card

            self.sets.card = Card(board.root, self.settings, board.log)
            self.buttons.card_waits = self.sets.waiting
        self.sleeper = None
        if doze is not None:
            from kiosk.sleeper import Sleeper

            board.whole()
            self.sleeper = Sleeper(self, doze)
        self._touched_ms = now_ms
        self._journal_shown = None
        self._status = None
        self.supervisor = None
        self.trial = None
        if kept(board.root + "/state/network"):
            self._open_trial()
        self.crashed = ""  # the last crash of a task, in one line
        self.signs = None
        self._signs_at = _SIGNS_AFTER_MS
        self._lit = False  # the light inside the case
        self._lights = None
        (self.paper or self.front).facts = self._facts

    async def main(self):
        self.board.start()
        self.supervisor = supervisor = Supervisor(
            self.board.watchdog, self._crashed, self.board.log, self.board.reset
        )
        supervisor.task("board", self.board.background, 0, vital=True)
        path = self._press if self.survey is not None else self.front.run
        supervisor.task("press", path, _PRESS_DEADLINE_MS, vital=True)
        supervisor.task("idle", self._idle, _IDLE_DEADLINE_MS)
        supervisor.task("link", self.session.run, _LINK_DEADLINE_MS)
        if self.paper is not None:
            supervisor.task("paper", self.paper.run, _PAPER_DEADLINE_MS)
        if self.sleeper is not None:
            supervisor.task("sleep", self.sleeper.run, _LINK_DEADLINE_MS, vital=True)
        await supervisor.run()

    async def _press(self, beat):
        """The press path: from the edge to the thank-you without anything else in between."""
        board, buttons, survey = self.board, self.buttons, self.survey
        while True:
            beat()
            now_ms = ticks_ms()
            wait_ms = survey.due_ms(now_ms, buttons.due_ms(now_ms))
            try:
                await asyncio.wait_for(board.wait_edge(), wait_ms / 1000)
            except asyncio.TimeoutError:
                pass
            now_ms = ticks_ms()
            face = buttons.scan(board.pressed(), now_ms)
            if face is not None:
                survey.press(face, now_ms)
                self._answered()
            elif buttons.just_ignored is not None:
                board.show({"ignored": buttons.just_ignored})
            if buttons.card_changed:
                self._change_card()
            if buttons.service_begun:
                buttons.service_begun = False
                self.sync.kick()
            if buttons.unmeant:
                survey.take_back(buttons.unmeant)
                buttons.unmeant = 0
            survey.tick(now_ms)

    def _change_card(self):
        """Somebody has said at the kiosk that the card of the waiting set is in."""
        self.buttons.card_changed = False
        if self.sets.card.confirm(self.sets.waiting()):
            self.board.sound("card")
            self.board.show({"card": self.sets.card.hash})

    async def _idle(self, beat):
        """What can wait: tell the host or display how things stand, erase ahead."""
        while True:
            beat()
            now_ms = ticks_ms()
            self.uptime.ms()  # without network and visitors nobody else asks it in time
            self._show_journal()
            status = self.session.status
            if status != self._status:
                self._status = status
                self.board.show({"status": status})
            self._show_signs(now_ms)
            if self.quiet():
                # Ticks wrap after 12 days: keep the difference small.
                self._touched_ms = ticks_add(now_ms, -_QUIET_MS)
                self.journal.tidy()
            await self._try_network()
            await asyncio.sleep(_IDLE_POLL_MS / 1000)

    def _connected(self):
        return self.session.status == "online"

    async def _try_network(self):
        """Network settings from the server: tried and kept or given up, with a restart while nobody is near."""
        session, trial, wish = self.session, self.trial, self.settings.get("network")
        if trial is None:
            if wish is None:
                return
            trial = self._open_trial()
        reached = session.status == "online" and self.sync.server is not None
        trial.look(wish, reached, session.failure)
        if trial.restart and self.quiet():
            await session.leave("update", _RESTART_TAKES_S)
            self.board.reset()

    def _open_trial(self):
        """What became of network settings from the server: there only where any ever came."""
        self.trial = self.report.trial = lend("tried").Tried(self.board.root, self.uptime, self._log)
        return self.trial

    def _show_signs(self, now_ms):
        """The light inside the case and the display's corner; the lights of the faces while the gesture shows them."""
        board = self.board
        if self.signs is None:
            if self.uptime.ms() < self._signs_at:
                return
            self._signs_at += _SIGNS_AFTER_MS  # without memory for them now: later
            try:
                from kiosk.signs import Signs

                self.signs = Signs(self, now_ms)
            except MemoryError:
                return
        if self.signs.look(now_ms):
            sign = self.signs.now
            board.show({"sign": sign})
            (self.paper or self.front).sign = sign
        lit = self.signs.lit()
        if lit != self._lit and hasattr(board, "status_light"):
            self._lit = lit
            board.status_light(lit)
        if self.buttons is not None and (self.buttons.service or self._lights is not None):
            self._lights = self._lights or lend("service").Lights(self)
            if not self._lights.tick(self.buttons.service):
                self._lights = None

    def _facts(self):
        return lend("service").facts(self)

    def quiet(self):
        """Nobody has touched the kiosk for a while."""
        now_ms = ticks_ms()
        return ticks_diff(now_ms, self._touched_ms) >= _QUIET_MS and self.front.idle(now_ms)

    def _answered(self):
        self._touched_ms = ticks_ms()
        self._show_journal()
        self.sync.kick()

    def _show_journal(self):
        journal = self.journal
        now = (journal.epoch, journal.next_seq, journal.pressed, journal.waiting)
        if now != self._journal_shown:
            self._journal_shown = now
            self.board.show(
                {"journal": {"epoch": now[0], "next": now[1], "pressed": now[2], "waiting": now[3]}}
            )

    def _log(self, line):
        self._console(line)
        self._lines.append(line[:_LOG_LINE])
        if len(self._lines) > _LOG_LINES:
            self._lines.pop(0)

    def _crashed(self, task, trace):
        self.crashed = "%s: %s" % (task, trace.strip().split("\n")[-1][:_LOG_LINE])
        self.session.log(
            {
                "firmware": self.board.firmware,
                "uptime": self.uptime.tenths() // 10,
                "task": task,
                "trace": trace,
                "lines": self._lines,
            }
        )


def run(board):
    """Run the kiosk on this board; what no task could survive ends in a restart, never in a dead kiosk."""
    try:
        asyncio.run(App(board).main())
    except Exception as error:
        try:
            board.log(trace_of(error))
        except MemoryError:
            pass  # a restart is what it takes, with or without a trace
        time.sleep(_RESTART_S)  # a fault that lasts must not become a storm of restarts
    board.reset()

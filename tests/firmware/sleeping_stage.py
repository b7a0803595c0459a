"""A battery kiosk on virtual time, for stage.py's broker and server: it sleeps, and each waking is a life of its own.

The chip's clock asleep is off by `drift` (a share); awake it is the crystal's. `cut`: the power fails at that call of
what surrounds the kiosk, counted from the waking on.
"""

import asyncio
import copy
from collections.abc import Awaitable, Callable

import virtual_time
from kiosk import app as app_module
from kiosk import doze as doze_module
from kiosk import supervisor as supervisor_module
from kiosk.app import App
from kiosk.doze import wake
from stage import Stage
from stage_board import Board
from stage_server import UTC_MS

POWER_ON, SLEPT = 1, 4


class Asleep(SystemExit):
    """Not an Exception: no task catches it, as none outlives a sleep."""


class PowerCut(SystemExit):
    """The battery is out."""


class SleepyBoard(Board):
    """stage_board's, and what a board that sleeps has more."""

    sleeps = True
    doze = None

    def __init__(self, stage, root, cause, faces):
        super().__init__(stage, root)
        self._cause, self._faces = cause, faces
        self.lit = set()
        self.link.plugged = stage.plugged

    def reset_cause(self):
        return self._cause

    def woken(self):
        return self._faces if self._cause == SLEPT else None

    def kept(self):
        return self.stage.memory

    def keep(self, data):
        self.stage.called("keep")
        self.stage.memory = bytes(data)

    def wall_ms(self):
        return int(virtual_time.ms() + self.stage.wall_off_ms)

    def touched(self):
        return self._latched

    def whole(self):
        pass

    def light(self, face, on):
        super().light(face, on)
        self.lit.add(face) if on else self.lit.discard(face)

    def light_all(self, on):
        super().light_all(on)
        self.lit = set(range(self.faces)) if on else set()

    def health(self):
        return {"supply": 3800, "temperature": None}

    def deep_sleep(self, ms, mask):
        assert not self.lit
        self.stage.sleeps.append((ms, mask))
        raise Asleep


class SleepyStage(Stage):
    """`sleeps`: [(ms, mask)] as the kiosk lay down. `pressed_ms`: when the presses that were thanked for were made."""

    def __init__(self, root, drift=0.0, **more):
        super().__init__(root, **more)
        self.drift = drift
        self.memory = b""
        self.wall_off_ms = 0.0
        self.sleeps = []
        self.plugged = True
        self.pressed_ms = {}  # (epoch, seq) -> virtual ms
        self.session_ms = []  # how long each life with the whole program was awake
        self.count = 0
        self.cut = None

    def called(self, name):
        self.count += 1
        if self.cut is not None and self.count > self.cut:
            raise PowerCut
        super().called(name)

    def thank(self):
        journal = self.board.doze.journal
        key = (journal.epoch, journal.next_seq - 1)
        self.thanks += 1
        self.thanked.add(key)
        self.pressed_ms[key] = self.thanked_ms = virtual_time.ms()

    def start(self, story=None):
        """The battery is put in: until it sleeps."""
        self.memory = b"what was in it is gone"
        return self._live(POWER_ON, 0, story)

    def sleep(self, ms):
        """It sleeps so long, by the world's clock."""
        virtual_time.clock.now_ms += ms
        self.wall_off_ms += ms * self.drift

    def sleep_on(self):
        """It sleeps until its timer ends that."""
        self.sleep(self.sleeps[-1][0] / (1 + self.drift))

    def wake(self, faces=0, story=None):
        """Awake by these buttons, or by the timer: until it sleeps again. `story`: awaited beside the kiosk."""
        return self._live(SLEPT, faces, story)

    def snapshot(self):
        return copy.deepcopy((self.flash.sectors, self.memory, self.wall_off_ms, virtual_time.clock.now_ms))

    def restore(self, kept):
        self.flash.sectors, self.memory, self.wall_off_ms, virtual_time.clock.now_ms = copy.deepcopy(kept)

    @property
    def utc_ms(self):
        return UTC_MS + virtual_time.ms()

    def _live(self, cause, faces, story):
        for module in (app_module, doze_module, supervisor_module):
            module.ticks_ms = virtual_time.ticks_ms
        self.lives += 1
        self.app = None
        self.board = board = SleepyBoard(self, self._root, cause, faces)
        try:
            wake(board, lambda visit: virtual_time.run(self._beside(visit, story)))
            began = virtual_time.ms()
            virtual_time.run(self._program(story))
        except Asleep:
            if self.app is not None:
                self.session_ms.append(virtual_time.ms() - began)
            return self.sleeps[-1]
        raise AssertionError(f"it does not sleep: {board.lines}")

    async def _beside(self, kiosk: Awaitable[None], story: Callable[..., Awaitable[None]] | None) -> None:
        told = asyncio.create_task(story(self)) if story else None
        await kiosk
        if told:
            await told

    async def _program(self, story=None):
        from stage import Dialer

        self.app = App(self.board)
        self.app.session._dialer = Dialer(self)
        await self._beside(self.app.main(), None if self.board.woken() else story)

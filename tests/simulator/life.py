"""One simulated life: five kiosks, a hostile week, then everything heals and the promises are held against the history.

The seed is all there is to it: the same one gives the same life, event for event. It simulates a week in seconds.
"""

import asyncio
import gc
import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kiosk import sync

from tests.firmware.net.support import VirtualLoop, end
from tests.simulator import checks
from tests.simulator.adversity import DAY_S, DAYS, Adversity, new_flash
from tests.simulator.history import START_MS, Broken, History, Id
from tests.simulator.kiosk import Kiosk
from tests.simulator.network import Broker
from tests.simulator.server import Server

KIOSKS = 5
PRESSES_A_DAY = 40
_GROUPS = (1, 2, 5, 10)
# An idle kiosk asks where it stands every six hours instead of every 15 minutes: else nine of ten messages were that.
_ASK_AGAIN_S = 21_600
_DRAIN_S = DAY_S  # back-offs of minutes, a few hundred batches
_LATE_S = 3 * DAY_S  # until the last late message has come


class Life:
    """`trace(line)` hears everything that happens. `certain`: a kind of adversity that is not left to the seed."""

    def __init__(self, seed: int, trace: Callable[[str], None] | None = None, certain: str = "") -> None:
        self.seed, self.certain = seed, certain
        self.chance = random.Random(seed)
        self.history = History(self.now_ms, trace)
        self.kiosks: list[Kiosk] = []
        self.must_count: set[Id] = set()

    def now_ms(self) -> int:
        """The true time, UTC ms."""
        return START_MS + int(self._loop.time() * 1000)

    def run(self) -> History:
        """Live it. Raises Broken, with the seed's command, when a promise is not kept."""
        with _quiet(), asyncio.Runner(loop_factory=VirtualLoop) as runner:
            try:
                runner.run(self._to_its_end())
            except Exception as fault:
                lines = "\n".join(self.history.last_lines())
                kind = "" if isinstance(fault, Broken) else f"{type(fault).__name__}: "
                raise Broken(
                    f"{lines}\nseed {self.seed}: {kind}{fault}\n{command(self.seed, self.certain)}"
                ) from fault
        return self.history

    def add_kiosk(self, name: str, device: str, sectors: Any) -> Kiosk:
        """Another flash, with a kiosk around it."""
        kiosk = Kiosk(name, device, sectors, self.history, self.broker, self.chance, self._watch)
        self.kiosks.append(kiosk)
        return kiosk

    def visitors(self, kiosk: Kiosk, a_day: int, days: int) -> None:
        """People come, singly and in groups."""
        at, left = 0.0, a_day * days
        while left > 0:
            at = self._loop.time() + self.chance.uniform(0, days * DAY_S)
            for _ in range(min(left, self.chance.choice(_GROUPS))):
                self._loop.call_at(at, self._visit, kiosk)
                at += self.chance.uniform(0.5, 3)
                left -= 1

    def _visit(self, kiosk: Kiosk) -> None:
        if not self._healing:
            kiosk.press()

    async def _to_its_end(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._failed: asyncio.Future[None] = self._loop.create_future()
        self._loop.set_exception_handler(self._fails)
        self._healing = False
        self.broker = Broker(self.history, self.chance)
        devices = [f"kiosk{number:07}" for number in range(KIOSKS)]
        self.server = Server(self.history, self.broker, self.chance, devices)
        story = self._loop.create_task(self._story(devices))
        try:
            await asyncio.wait({story, self._failed}, return_when=asyncio.FIRST_COMPLETED)
            for each in (self._failed, story):
                if each.done():
                    each.result()
        finally:
            await end(asyncio.all_tasks() - {asyncio.current_task()})  # type: ignore[arg-type]
            self.server.close()

    def _fails(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not self._failed.done():
            self._failed.set_exception(context.get("exception") or Broken(context["message"]))

    def _watch(self, task: "asyncio.Task[None]") -> None:
        """A task of a kiosk ended: by itself it must not."""
        if not task.cancelled() and task.exception() is not None and not self._failed.done():
            self._failed.set_exception(task.exception())  # type: ignore[arg-type]

    async def _story(self, devices: list[str]) -> None:
        for number, device in enumerate(devices):
            kiosk = self.add_kiosk(f"k{number}", device, new_flash(self.chance))
            self.visitors(kiosk, PRESSES_A_DAY, DAYS)
            kiosk.on()
        adversity = Adversity(self)
        adversity.begin()
        for _ in range(DAYS):
            await asyncio.sleep(DAY_S)
            checks.at_a_quiet_moment(self.history, self.server, self.kiosks)
        self._healing = True
        self.history.say("everything heals")
        adversity.end()
        for kiosk in self.kiosks:
            kiosk.flash.fuse = None
        await self._each_in_turn(presses=0)
        await asyncio.sleep(_LATE_S)
        self.server.replay_quarantine()
        await self._each_in_turn(presses=2)
        checks.when_all_is_healed(self.history, self.server, self.kiosks)
        known = self.server.known()
        for key in self.must_count:
            if known.get(key) != "received":
                raise Broken(f"{key} was pressed when all had healed, and is {known.get(key, 'not booked')}")

    async def _each_in_turn(self, presses: int) -> None:
        """Let every flash speak until all is said; of those under one name one after the other."""
        for kiosk in self.kiosks:
            kiosk.off("to be drained in turn")
            kiosk.stay_off()
        waiting = list(self.kiosks)
        while waiting:
            taken: dict[str, Kiosk] = {}
            for kiosk in waiting:
                taken.setdefault(kiosk.device, kiosk)
            for kiosk in taken.values():
                kiosk.on()
            await self._drained(taken.values())
            for number in range(presses):
                for kiosk in taken.values():
                    kiosk.press()
                    if number and kiosk.last is not None:
                        # The first press may be the one that a twin's meets; after it each goes its own way.
                        self.must_count.add(kiosk.last)
                await self._drained(taken.values())
            for kiosk in taken.values():
                kiosk.off("drained")
                waiting.remove(kiosk)

    async def _drained(self, kiosks: Any) -> None:
        until = self._loop.time() + _DRAIN_S
        while not all(kiosk.drained for kiosk in kiosks):
            if self._loop.time() > until:
                raise Broken(f"not drained in a day: {[k.name for k in kiosks if not k.drained]}")
            await asyncio.sleep(5)


def command(seed: int, certain: str) -> str:
    """What replays a life."""
    more = f" --certain {certain}" if certain else ""
    return f".venv/bin/python -m tests.simulator {seed} --trace{more}"


@contextmanager
def _quiet() -> Iterator[None]:
    """No log lines of the server, no garbage collection in the middle, no idle questions by the thousand."""
    asked = sync._ASK_AGAIN_S
    sync._ASK_AGAIN_S = _ASK_AGAIN_S
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        logging.disable(disabled)
        sync._ASK_AGAIN_S = asked

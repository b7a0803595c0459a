"""A simulated kiosk: the firmware's own journal, clock, survey, sync and report on virtual time and hostile flash.

Its link is a few lines of its own (tests/firmware/net has the real one against brokers). It judges only what a kiosk by
itself can break: it erases nothing that waits for a receipt, and its clock records are true unless it was lied to.
"""

import asyncio
import json
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kiosk import record
from kiosk.clock import Clock, Uptime
from kiosk.journal import Journal
from kiosk.recorder import Recorder
from kiosk.report import Report
from kiosk.survey import Survey
from kiosk.sync import Sync

from tests.firmware.net.support import end
from tests.firmware.nor import PowerCut
from tests.firmware.whole import encode
from tests.simulator.flash import Flash, records_of
from tests.simulator.history import Broken, History, Id, Writing
from tests.simulator.network import Broker, Closed, Weather

_TICKS = 1 << 30
_IDLE_S = 5  # from a press until nobody is near
_DRIFT = 90e-6  # crystals keep 100 ppm
_ROUNDING_MS = 2
_HEALTHY_S = 60  # as in kiosk.link: only a connection that lasted starts the back-off anew


class Board:
    """A board without pins that logs into the history."""

    name, model, firmware, build, faces = "simulated", "button5", "0.1.0", 100, 5

    def __init__(self, kiosk: "Kiosk") -> None:
        self._kiosk = kiosk
        self.random = kiosk.chance.randbytes

    def log(self, line: str) -> None:
        self._kiosk.history.say("%s: %s", self._kiosk.name, line)

    def reset_cause(self) -> int:
        return 1

    def simulated(self) -> bool:
        return False

    def light(self, face: int, on: bool) -> None:
        pass

    def light_all(self, on: bool) -> None:
        pass

    def show(self, what: dict[str, Any]) -> None:
        pass


class Buttons:
    """Nobody is locked out: the simulated visitors come one by one."""

    cleaning = service = False

    def lock(self, now_ms: int) -> None:
        pass

    def locked(self, now_ms: int) -> bool:
        return False

    def stuck_faces(self) -> tuple[int, ...]:
        return ()


class Sets:
    """One question set that the server does not know."""

    active = {"number": 14, "button": {"question": 3}}
    running = 14
    refused: dict[str, str] = {}

    def switch(self) -> None:
        pass

    def want(self) -> None:
        pass

    def waiting(self) -> None:
        pass

    def held(self) -> list[Any]:
        return []


class Wish:
    """The version of `desired` that is in force, taken as it comes."""

    version, refusal = 0, None

    def notes(self) -> None:
        pass


class Said(Report):
    """Without health, which is of the machine and costs more than all the rest."""

    def _health(self) -> dict[str, Any]:
        return {}


class Witnessed(Journal):
    """Tells its kiosk of every record before and after it is written."""

    def __init__(self, kiosk: "Kiosk") -> None:
        self._kiosk = kiosk
        super().__init__(kiosk.flash, kiosk.chance.randbytes)

    def append(self, kind: int, **fields: Any) -> int:
        for more in range(3 if self._kiosk.flash.flips else 1):
            self._kiosk.writes(
                kind, fields, self.next_seq + more, self.pressed + (kind == record.KIND_ANSWER)
            )
        seq: int = super().append(kind, **fields)
        self._kiosk.last = self._kiosk.writes(kind, fields, seq, self.pressed)
        return seq


class Kiosk:
    """`name` is the flash's, `device` the id under which it speaks: a cloned one has the id of another."""

    def __init__(
        self,
        name: str,
        device: str,
        sectors: Sequence[bytes],
        history: History,
        broker: Broker,
        chance: random.Random,
        watch: Callable[["asyncio.Task[None]"], None],
    ) -> None:
        self._watch = watch
        self.name, self.device = name, device
        self.history, self.broker, self.chance = history, broker, chance
        self.flash = Flash(sectors, chance)
        self.flash.erasing = self._erasing
        self.weather = Weather(chance)
        self.version = (
            1  # of its batches: another one is that of a firmware which the server does not know yet
        )
        self.drift = chance.uniform(-_DRIFT, _DRIFT)
        self.life = 0
        self.is_on = False
        self.last: Id | None = None
        self.told: dict[int, int] = {}  # by epoch: restores of the server that the last receipt came after
        self._link: asyncio.Task[None] | None = None
        self._back: asyncio.TimerHandle | None = None

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def on(self) -> None:
        """Power comes: the journal is mounted and everything begins."""
        if self.is_on:
            return
        self.stay_off()
        self.flash.power()
        born, first = self._loop.time(), self.chance.randrange(_TICKS)
        loop, pace = self._loop, 1000 * (1 + self.drift)
        self.ticks = lambda: int((loop.time() - born) * pace + first) % _TICKS
        self.is_on, self.misled = True, False
        self.life += 1
        self.uptime = Uptime(self.ticks)
        self.clock = Clock(self.uptime)
        board, sets, self.wish = Board(self), Sets(), Wish()
        self.journal = Witnessed(self)
        settings = {"thanks_ms": 3000, "sound": False, "language": 0}
        recorder = Recorder(board, self.journal, self.clock, self.uptime)
        self.survey = Survey(board, recorder, sets, Buttons(), settings)
        self.sync = Sync(self.journal, self.clock, self.uptime, board, self.chance.randbytes)
        self.sync.on_clock = recorder.clock_learned
        self.report = Said(board, self.journal, self.clock, self.uptime, sets, self.wish)
        self.history.say("%s: on, epochs %r", self.name, self.journal.epochs())
        self._link = loop.create_task(self._stay_connected())
        self._link.add_done_callback(self._watch)
        loop.call_later(3600, self._hourly, self.life)

    def off(self, why: str) -> None:
        """Power goes, whatever is under way."""
        if not self.is_on:
            return
        self.is_on = False
        self.life += 1
        self.history.say("%s: off, %s", self.name, why)
        self.broker.cut(self)
        if self._link is not None:
            self._link.cancel()
            self._link = None

    def on_in(self, seconds: float) -> None:
        """Power comes back by and by."""
        self.stay_off()
        self._back = self._loop.call_later(seconds, self.on)

    def stay_off(self) -> None:
        """Power does not come back by itself."""
        if self._back is not None:
            self._back.cancel()
            self._back = None

    def press(self) -> None:
        """A visitor presses a face."""
        if not self.is_on:
            return
        face = self.chance.randrange(Board.faces)
        self.last = None
        try:
            thanked = self.survey.press(face, self.ticks())
        except PowerCut:
            self._burnt("at a press")
            return
        if thanked:
            if self.last is None or self.history.written[self.last].raw[21] != Board.faces - face:
                raise Broken(f"{self.name}: thanked for what was not written")
            self.history.thank(self.last)
        else:
            self.history.faults["presses refused by a full journal"] += 1
        self.sync.kick()
        self._loop.call_later(_IDLE_S, self._idle, self.life)

    def receive(self, what: str, payload: bytes) -> None:
        """A message from the server."""
        if not self.is_on:
            return
        content = json.loads(payload)
        if what == "desired":
            self.wish.version = content["version"]
        elif what == "receipt":
            self.misled = self.misled or content["nonce"] in self.history.wrong_nonces
            try:
                counted = self.sync.receipt(payload)
            except PowerCut:
                self._burnt("at a receipt")
                return
            if counted:
                self.told[content["epoch"]] = self.history.told_after[content["nonce"]]

    @property
    def drained(self) -> bool:
        """Nothing is left to be said."""
        return self.is_on and self.sync.settled.is_set() and self.journal.waiting == 0

    def held(self) -> set[Id]:
        """What is in flash, readable by its own rules."""
        return {(self.device, *found) for data in self.flash.sectors for found in records_of(data)}

    def writes(self, kind: int, fields: dict[str, Any], seq: int, pressed: int) -> Id:
        """Its journal writes a record, or has written it."""
        journal, now = self.journal, self.history.now_ms()
        body = fields.get("body", b"")
        raw = encode(
            journal.epoch, kind, fields.get("flags", 0), seq, journal.boot, fields.get("uptime", 0),
            fields.get("set_number", 0), fields.get("session", 255), fields.get("question", 0),
            fields.get("language", 0), fields.get("value", 0), pressed, body,
        )  # fmt: skip
        if kind == record.KIND_CLOCK:
            self._clock_record(body, journal)
        return self.history.wrote(
            self.device, journal.epoch, seq, Writing(self.name, kind, journal.boot, now, raw)
        )

    def _clock_record(self, body: bytes, journal: Journal) -> None:
        utc_ms, uncertainty = int.from_bytes(body[:8], "little"), int.from_bytes(body[8:12], "little")
        true_ms = self.history.now_ms() - self.uptime.ms() % 100
        if abs(utc_ms - true_ms) > uncertainty + _ROUNDING_MS:
            if not self.misled:
                raise Broken(
                    f"{self.name}: a clock record is {utc_ms - true_ms} ms off, it says {uncertainty} at most"
                )
            self.history.misled.add((self.device, journal.epoch, journal.boot))

    def _erasing(self, data: bytes) -> None:
        for epoch, seq, crc in records_of(data):
            cursor, key = self.journal.cursor(epoch), (self.device, epoch, seq, crc)
            self.history.erases(key, self.told.get(epoch, 0))
            if (cursor is None or seq >= cursor) and key in self.history.thanked:
                raise Broken(f"{self.name} erases {key}, for which no receipt came")

    def _burnt(self, when: str) -> None:
        self.history.inject("power cuts in a flash operation", "%s %s", self.name, when)
        self.off("power cut")
        self.on_in(self.chance.choice((1, 60, 3600, 20_000)))

    def _idle(self, life: int) -> None:
        if life != self.life:
            return
        try:
            self.survey.tick(self.ticks())
            while self.journal.tidy():
                pass
        except PowerCut:
            self._burnt("at rest")

    def _hourly(self, life: int) -> None:
        if life == self.life:
            self._idle(life)
            self._loop.call_later(3600, self._hourly, life)

    async def _stay_connected(self) -> None:
        attempt = 0
        while True:
            await self.weather.open.wait()
            await asyncio.sleep(self.chance.uniform(0, min(300, 1 << attempt)))
            attempt = min(attempt + 1, 9)
            try:
                connection = self.broker.connect(self)
            except Closed:
                continue
            since = self._loop.time()
            exchange = self._loop.create_task(self._exchange())
            exchange.add_done_callback(self._watch)
            try:
                await connection.seen_closed.wait()
            finally:
                exchange.cancel()
            await end([exchange])
            if self._loop.time() - since >= _HEALTHY_S:
                attempt = 0

    async def _exchange(self) -> None:
        await self._say("report", json.dumps(self.report.build()).encode())
        mark = self.report.mark()

        async def publish(buffer: bytearray, at: int, stop: int) -> None:
            nonlocal mark
            await self._say("answers", bytes(buffer[at:stop]))
            if self.report.mark() != mark:
                mark = self.report.mark()
                await self._say("report", json.dumps(self.report.build()).encode())

        await self.sync.run(publish, 4096)

    async def _say(self, what: str, payload: bytes) -> None:
        self.broker.up(self, what, payload)


def all_held(kiosks: Iterable[Kiosk]) -> set[Id]:
    """What all these flashes hold together."""
    return set().union(*(kiosk.held() for kiosk in kiosks))

"""What the tests of the kiosk's connection share: a clock that only moves when nobody has anything to do, flash
in RAM, a board without pins, and a server of forty lines that books and answers as the contract says."""

import asyncio
import json
import random
import selectors
import struct
import zlib
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from kiosk import record
from kiosk.clock import Clock, Uptime
from kiosk.journal import Journal
from kiosk.sync import Sync

UTC_MS = 1_772_438_400_000  # what the server's clock shows when the uptime is 0


class _Idle(selectors.SelectSelector):
    """Instead of waiting, moves the loop's clock."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "every task waits for something that cannot come"
            self.now += max(timeout, 1e-4) if timeout else 0.0  # a tick: no rounding may stop the clock
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._idle = _Idle()
        super().__init__(self._idle)

    def time(self) -> float:
        return self._idle.now


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `story()` in virtual time: an hour of waiting takes no time at all."""

    async def to_its_end() -> None:
        try:
            await story()
        finally:
            await end(asyncio.all_tasks() - {asyncio.current_task()})

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(to_its_end())


async def end(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel until all are done: before Python 3.12 `wait_for` may swallow it (cpython issue 86296)."""
    for task in tasks:
        while not task.done():
            task.cancel()
            await asyncio.sleep(0)


def ticks() -> int:
    return int(asyncio.get_running_loop().time() * 1000) % (1 << 30)


class RamFlash:
    def __init__(self, blocks: int = 8) -> None:
        self.blocks = [bytearray(b"\xff" * 4096) for _ in range(blocks)]

    def readblocks(self, n: int, buf: Any, off: int = 0) -> None:
        buf[:] = self.blocks[n][off : off + len(buf)]

    def writeblocks(self, n: int, buf: Any, off: int | None = None) -> None:
        if off is None:
            self.ioctl(6, n)
            off = 0
        old = self.blocks[n][off : off + len(buf)]
        self.blocks[n][off : off + len(buf)] = bytes(a & b for a, b in zip(old, buf, strict=True))

    def ioctl(self, op: int, arg: int) -> int | None:
        if op == 4:
            return len(self.blocks)
        if op == 5:
            return 4096
        if op == 6:
            self.blocks[arg] = bytearray(b"\xff" * 4096)
            return 0
        return None


class Board:
    """Just enough of a board for Sync."""

    def __init__(self, seed: int = 1) -> None:
        self.random = random.Random(seed).randbytes
        self.lines: list[str] = []

    def log(self, line: str) -> None:
        self.lines.append(line)


class Batch:
    """A message on `answers`, decoded without the kiosk's own code."""

    def __init__(self, message: bytes) -> None:
        message = bytes(message)
        assert struct.unpack("<I", message[-4:])[0] == zlib.crc32(message[:-4])
        self.size = len(message)
        version, length, self.count, self.epoch, self.nonce, self.start, self.end = struct.unpack(
            "<BBHIIII", message[:20]
        )
        assert (version, length) == (1, 40)
        self.next, self.pressed, self.waiting, self.boot, self.uptime = struct.unpack(
            "<IIIII", message[20:40]
        )
        self.seqs = []
        at = 40
        while at < len(message) - 4:
            (body,) = struct.unpack_from("<H", message, at)
            assert struct.unpack_from("<I", message, at + body)[0] == zlib.crc32(
                message[at : at + body], self.epoch
            )
            self.seqs.append(struct.unpack_from("<I", message, at + 4)[0])
            at += (body + 4 + 3) // 4 * 4
        assert len(self.seqs) == self.count

    @property
    def question(self) -> bool:
        return self.start == self.end


class Server:
    """Books what it is given. `.books[epoch]`: seq -> times received new; `.through`, `.seen` by epoch."""

    def __init__(self, generation: int = 7) -> None:
        self.generation = generation
        self.books: dict[int, set[int]] = {}
        self.through: dict[int, int] = {}
        self.seen: dict[int, int] = {}
        self.lost: dict[int, set[int]] = {}
        self.epoch = 0  # of the batch booked last

    def book(self, batch: Batch, now_ms: int, **changes: Any) -> bytes:
        self.epoch = batch.epoch
        books = self.books.setdefault(batch.epoch, set())
        lost = self.lost.setdefault(batch.epoch, set())
        books.update(batch.seqs)
        lost.update(set(range(batch.start, batch.end)) - books)
        lost -= books
        done = books | lost
        through = 0
        while through in done:
            through += 1
        self.through[batch.epoch] = through
        self.seen[batch.epoch] = max(self.seen.get(batch.epoch, 0), batch.next)
        receipt = {
            "server": self.generation,
            "epoch": batch.epoch,
            "nonce": batch.nonce,
            "through": through,
            "seen": self.seen[batch.epoch],
            "fork": False,
            "time": now_ms,
            "rejected": [],
        }
        return json.dumps({**receipt, **changes}).encode()


class Kiosk:
    """A Sync over a real journal, whose batches land in `.sent` as (seconds, Batch)."""

    def __init__(self, flash: RamFlash | None = None, seed: int = 1) -> None:
        self.board = Board(seed)
        self.uptime = Uptime(ticks)
        self.clock = Clock(self.uptime)
        self.flash = flash or RamFlash()
        self.journal = Journal(self.flash, self.board.random)
        self.sync = Sync(self.journal, self.clock, self.uptime, self.board, self.board.random)
        self.sent: list[tuple[float, Batch]] = []
        self.new = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def _publish(self, buffer: bytearray, at: int, end: int) -> None:
        self.sent.append((asyncio.get_running_loop().time(), Batch(buffer[at:end])))
        self.new.set()

    def connect(self, most_bytes: int = 4096) -> None:
        self._task = asyncio.create_task(self.sync.run(self._publish, most_bytes))

    async def disconnect(self) -> None:
        assert self._task is not None
        await end([self._task])

    async def batch(self) -> Batch:
        """The next batch that was not yet looked at."""
        await self.new.wait()
        self.new.clear()
        return self.sent[-1][1]

    def press(self, count: int = 1) -> None:
        for _ in range(count):
            self.journal.append(
                record.KIND_ANSWER, set_number=14, session=0, value=5, uptime=self.uptime.tenths()
            )
            self.sync.kick()


def set_view(number: int, scale: str = "smiley5", **changes: Any) -> bytes:
    """A question set as a button kiosk gets it; `changes` replace keys."""
    count = 4 if scale == "smiley4" else 5
    languages = ["fi", "sv", "en"]
    question = {
        "position": 3,
        "code": "K4-H",
        "type": scale,
        "text": {code: f"Miten asiointi sujui? ({code})" for code in languages},
        "labels": {code: [f"{code} {mark}" for mark in range(count, 0, -1)] for code in languages},
    }
    view = {
        "number": number,
        "name": "National",
        "languages": languages,
        "questions": [question],
        "thanks": dict.fromkeys(languages, "Kiitos!"),
        "button": {"question": 3},
    }
    return json.dumps({**view, **changes}, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def answer(kiosk: Kiosk, server: Server, batch: Batch, **changes: object) -> bool:
    now_ms = UTC_MS + kiosk.uptime.ms()
    return kiosk.sync.receipt(server.book(batch, now_ms, **changes))


async def settle(kiosk: Kiosk, server: Server) -> None:
    """Connect and answer everything until the kiosk has nothing more to say."""
    kiosk.connect()
    while True:
        try:
            batch = await asyncio.wait_for(kiosk.batch(), 1)
        except TimeoutError:
            return
        assert answer(kiosk, server, batch)

"""When the kiosk tries again, in virtual time: with a dialer that fails or gives a scripted connection."""

import asyncio
import datetime
import statistics
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kiosk.clock import Clock, Uptime
from kiosk.link import Session
from kiosk.settings import Settings

from tests.firmware.net.support import UTC_MS, Board, end, run, ticks
from tests.firmware.net.test_mqtt_client import certificate


class Link:
    plugged = True

    def up(self) -> bool:
        return self.plugged

    async def connect(self) -> None:
        while not self.plugged:
            await asyncio.sleep(0.5)


class Script:
    """A broker in one object: lets the kiosk in, then ends the connection after `life_s` seconds."""

    def __init__(self, life_s: float) -> None:
        self.received = 0
        self._life_s = life_s
        self._replies: asyncio.Queue[bytes] = asyncio.Queue()
        self._left = b""
        self._closing = asyncio.get_running_loop().call_later(life_s, self._replies.put_nowait, b"")

    async def send(self, packet: bytes) -> None:
        reply = {0x10: b"\x20\x02\0\0", 0x82: b"\x90\x05\0\1\0\0\0", 0xC0: b"\xd0\0"}.get(packet[0])
        if reply:
            self._replies.put_nowait(reply)

    async def readinto(self, view: memoryview) -> int:
        if not self._left:
            self._left = await self._replies.get()
        if not self._left:
            raise EOFError("closed by the broker")
        count = min(len(view), len(self._left))
        view[:count], self._left = self._left[:count], self._left[count:]
        self.received += count
        return count

    def close(self) -> None:
        self._closing.cancel()


class Dialer:
    """Notes when it was asked; `life_s`: how long connections live, None: all fail."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.life_s: float | None = None

    async def open(self) -> Script:
        self.asked.append(asyncio.get_running_loop().time())
        if self.life_s is None:
            raise OSError(111)
        return Script(self.life_s)


class Quiet:
    """Sync and Report in one: nothing to say."""

    def __init__(self) -> None:
        self.settled = asyncio.Event()

    async def run(self, _publish: object, _most_bytes: int) -> None:
        await asyncio.sleep(1e9)

    def mark(self) -> tuple[()]:
        return ()

    def build(self) -> dict[str, object]:
        return {}


def made(seed: int) -> tuple[Session, Dialer, Link]:
    board: Any = Board(seed)
    board.link, board.root = Link(), ""
    board.identity = lambda: {
        "id": "k", "secret": "s", "host": "127.0.0.1", "port": 1, "tls": False, "ca": None
    }  # fmt: skip
    uptime, quiet, dialer = Uptime(ticks), Quiet(), Dialer()
    session = Session(board, Clock(uptime), uptime, quiet, quiet, None, None, Settings(), 1, dialer)
    return session, dialer, board.link


def test_pauses_are_spread_evenly_below_a_limit_that_doubles_to_five_minutes() -> None:
    async def story() -> None:
        gaps: dict[int, list[float]] = {}
        for seed in range(60):
            session, dialer, _ = made(seed)
            task = asyncio.create_task(session.run(lambda: None))
            await asyncio.sleep(4000)
            await end([task])
            pauses = [b - a for a, b in zip(dialer.asked, dialer.asked[1:], strict=False)]
            for step, pause in enumerate(pauses[:14]):
                gaps.setdefault(step, []).append(pause)
        for step, pauses in gaps.items():
            limit = min(300, 2 ** (step + 1))
            assert max(pauses) <= limit + 0.3
            assert statistics.mean(pauses) == pytest.approx(limit / 2, rel=0.35)
            assert min(pauses) < limit / 4

    run(story)


@pytest.mark.parametrize(("life_s", "starts_anew"), [(5, False), (55, False), (70, True)])
def test_only_a_connection_that_lasted_a_minute_starts_the_back_off_anew(
    life_s: float, starts_anew: bool
) -> None:
    async def story() -> None:
        longest = 0.0
        for seed in range(5):
            session, dialer, _ = made(seed)
            dialer.life_s = life_s
            task = asyncio.create_task(session.run(lambda: None))
            await asyncio.sleep(6000)
            await end([task])
            pauses = [b - a - life_s for a, b in zip(dialer.asked, dialer.asked[1:], strict=False)]
            longest = max(longest, *pauses)
        assert (longest < 2.5) == starts_anew

    run(story)


def test_a_cable_that_comes_back_cuts_the_wait_short() -> None:
    async def story() -> None:
        session, dialer, link = made(3)
        task = asyncio.create_task(session.run(lambda: None))
        await asyncio.sleep(3000)
        link.plugged = False
        await asyncio.sleep(100)
        assert session.status == "no-network"
        link.plugged, tried = True, len(dialer.asked)
        await asyncio.sleep(2.5)
        assert len(dialer.asked) > tried
        await end([task])

    run(story)


def test_the_task_shows_that_it_is_alive_at_least_once_a_minute_in_every_state() -> None:
    async def story() -> None:
        session, dialer, link = made(4)
        beats = [0.0]
        task = asyncio.create_task(session.run(lambda: beats.append(asyncio.get_running_loop().time())))
        await asyncio.sleep(2000)
        dialer.life_s = 500
        await asyncio.sleep(2000)
        link.plugged = False
        await asyncio.sleep(2000)
        await end([task])
        assert max(b - a for a, b in zip(beats, beats[1:], strict=False)) <= 61

    run(story)


def test_a_fault_of_the_program_is_not_taken_for_one_of_the_network() -> None:
    async def story() -> None:
        session, dialer, _ = made(5)
        dialer.life_s = 100

        def broken() -> dict[str, object]:
            raise KeyError("a fault of the program")

        session._report.build = broken
        with pytest.raises(KeyError):
            await session.run(lambda: None)

    run(story)


DAY_MS = 86_400_000
BEGINS_MS, ENDS_MS = UTC_MS - 400 * DAY_MS, UTC_MS + 365 * DAY_MS


@pytest.mark.parametrize(
    ("version", "learnt", "floor"),
    [
        (0, None, BEGINS_MS),
        (UTC_MS - DAY_MS, None, UTC_MS - DAY_MS),
        (UTC_MS - DAY_MS, UTC_MS, UTC_MS),
        (ENDS_MS + DAY_MS, None, BEGINS_MS),
        (ENDS_MS + DAY_MS, UTC_MS, UTC_MS),
        (UTC_MS - DAY_MS, ENDS_MS + DAY_MS, UTC_MS - DAY_MS),
    ],
)
def test_a_clock_of_the_server_that_was_years_ahead_does_not_make_its_certificates_expire(
    version: int, learnt: int | None, floor: int, tmp_path: Path
) -> None:
    begins, ends = (datetime.datetime.fromtimestamp(ms / 1000, datetime.UTC) for ms in (BEGINS_MS, ENDS_MS))
    (tmp_path / "ca.der").write_bytes(certificate(begins, ends))
    board: Any = Board(1)
    board.link, board.root = Link(), str(tmp_path)
    board.identity = lambda: {
        "id": "k", "secret": "s", "host": "127.0.0.1", "port": 1, "tls": True, "ca": "/ca.der"
    }  # fmt: skip
    raised: list[int] = []
    board.raise_clock = raised.append

    async def story() -> None:
        uptime, quiet, desired = Uptime(ticks), Quiet(), SimpleNamespace(version=version)
        clock = Clock(uptime)
        if learnt is not None:
            clock.learn(learnt, 10)
        session = Session(board, clock, uptime, quiet, quiet, desired, None, Settings(), 1, Dialer())
        with pytest.raises(OSError, match="111"):
            await session._connect(lambda: None)

    run(story)
    assert raised == [floor]

"""A whole kiosk (`kiosk.app.App`) on virtual time, with broker and server in memory; runs on CPython and MicroPython.

`Stage` outlives power cuts: flash, files, what was thanked for and what the server booked. `Stage.live(story)` is one
life of the kiosk, from power on to the end of the story. What may go wrong on the wire is said by `Stage.fault`.
"""

import asyncio
import gc
import json

import virtual_time  # first: see there
from kiosk import app as app_module
from kiosk import supervisor as supervisor_module
from kiosk.app import App
from nor import Rng
from stage_board import Board, RamFlash
from stage_server import DOWN, UP, Server, packet

RESTARTED = "restarted"


class Fault:
    """Strikes once: `direction` "in" or "out" after `at` bytes of it in all connections, or "dial" at dial number `at`.

    how: "freeze" (a black hole: nothing comes, what is sent is taken), "stall" (nothing comes, nothing is taken),
    "reset", "close", "garbage" (random bytes come, then the end).
    """

    def __init__(self, direction, at, how, rng):
        self.direction = direction
        self.at = at
        self.how = how
        self.rng = rng
        self.struck_ms = None

    def strike(self):
        self.struck_ms = virtual_time.ms()


class Connection:
    """The broker's end and the wire to it, with the interface of `kiosk.stream.Stream`."""

    def __init__(self, stage):
        self._stage = stage
        self._wire = bytearray()  # on its way to the kiosk
        self._taken = bytearray()  # from the kiosk, not yet a whole packet
        self._news = asyncio.Event()
        self._broken = None
        self.received = 0

    async def readinto(self, view):
        self._stage.called("readinto")
        while not self._wire or self._broken in ("freeze", "stall"):
            if self._broken == "reset":
                raise OSError(104)
            if self._broken in ("close", "garbage"):
                raise EOFError("closed by the broker")
            self._news.clear()
            await self._news.wait()
        count = self._stage.pass_on("in", min(len(view), len(self._wire)), self)
        if not count:
            return await self.readinto(view)
        view[:count] = self._wire[:count]
        self._wire = self._wire[count:]
        self.received += count
        return count

    async def send(self, data):
        self._stage.called("send")
        if self._broken == "stall":
            await asyncio.Event().wait()
        if self._broken in ("reset", "close", "garbage"):
            raise OSError(32)
        if self._broken == "freeze":
            return
        count = self._stage.pass_on("out", len(data), self)
        self._taken += bytes(data[:count])
        self._read_packets()
        if count < len(data):
            await self.send(data[count:])

    def end(self, how, rng):
        """The wire fails in this way, from now on."""
        self._broken = how
        if how == "reset":
            self._wire = bytearray()
        elif how == "garbage":
            self._wire = bytearray(rng.bytes(1 + rng.below(300)))
        self._news.set()

    def close(self):
        self._broken = self._broken or "reset"
        self._news.set()

    def say(self, name, data):
        """Put a packet on its way to the kiosk."""
        if self._broken is None:
            self._wire += data
            self._stage.said += len(data)
            if self._stage.steps is not None:
                self._stage.steps.append((name, "in", self._stage.said))
            self._news.set()

    def _read_packets(self):
        while True:
            size = shift = 0
            at = 1
            while at < len(self._taken):
                size |= (self._taken[at] & 0x7F) << shift
                shift += 7
                at += 1
                if not self._taken[at - 1] & 0x80:
                    break
            else:
                return
            if len(self._taken) < at + size:
                return
            first, body = self._taken[0], bytes(self._taken[at : at + size])
            self._taken = self._taken[at + size :]
            self._stage.heard(self, first, body)


class Dialer:
    def __init__(self, stage):
        self._stage = stage

    async def open(self):
        return await self._stage.dial()


class Stage:
    """`root`: an empty folder for the kiosk's files; `keep`: remember each record that is booked and thanked for."""

    def __init__(self, root, sectors=8, seed=1, keep=True):
        self.rng = Rng(seed)
        self.flash = RamFlash(sectors, self.called)
        self.server = Server({} if keep else None)
        self.keep = keep
        self.thanked = set()  # (epoch, seq)
        self.thanks = 0
        self.thanked_ms = None
        self.fault = None
        self.passed = {"in": 0, "out": 0, "dial": 0}  # bytes, bytes, connections
        self.lives = 0
        self.most_bytes = (
            None  # of a batch that the broker passes on; it drops a larger one, or the connection:
        )
        self.throws_out = False
        self.connacks = []  # [(seconds until it comes, return code)] of the next connections
        self.calls = None  # function(name) that hears of each call that the kiosk makes to what surrounds it
        self.receipts = None  # function(receipt) -> [(delay in ms, receipt)]: what becomes of it
        self.steps = (
            None  # a list that gets (name, "in" or "out", bytes of that direction when the packet ends)
        )
        self.said = 0  # bytes that were put on the way to the kiosk
        self.connection = None
        self.app = self.board = None
        self._root = root

    def called(self, name):
        """The kiosk calls something around it: what `calls` raises, the call raises."""
        if self.calls is not None:
            self.calls(name)

    def ticks_ms(self):
        self.called("ticks")
        return virtual_time.ticks_ms()

    def live(self, story):
        """One life: `await story(self)` beside the kiosk. Returns what that returns, or RESTARTED when the board was
        restarted before: the story ends then, and the next life is the next call's."""
        app_module.ticks_ms = supervisor_module.ticks_ms = self.ticks_ms
        return virtual_time.run(self._life(story))

    async def _life(self, story):
        self.board = Board(self, self._root)
        self.app = App(self.board)
        self.app.session._dialer = Dialer(self)
        self.lives += 1
        self._outcome = []  # of whichever comes to its end first: (what it returned, or None, what it raised)
        self._over = asyncio.Event()
        asyncio.create_task(self._play(self._program()))
        asyncio.create_task(self._play(story(self)))
        await self._over.wait()
        told, error = self._outcome[0]
        if error is not None:
            raise error
        return told

    async def _play(self, part):
        try:
            self._outcome.append((await part, None))
        except Exception as error:  # _life raises it
            self._outcome.append((None, error))
        self._over.set()

    async def _program(self):
        """As kiosk.app.run: the end of the program, for whatever reason, is a restart."""
        try:
            await self.app.main()
        except Exception as error:
            self.board.remember(f"the program ended: {error!r}")
        return RESTARTED

    async def dial(self):
        self.passed["dial"] += 1
        fault = self.fault
        if (
            fault
            and fault.direction == "dial"
            and fault.struck_ms is None
            and self.passed["dial"] >= fault.at
        ):
            fault.strike()
            if fault.how in ("freeze", "stall"):
                await asyncio.sleep(10)
                raise asyncio.TimeoutError  # noqa: UP041 - on MicroPython there is no other
            raise OSError(111)
        self.connection = Connection(self)
        return self.connection

    def pass_on(self, direction, count, connection):
        """How many of `count` bytes pass; the fault strikes when its byte is reached."""
        fault = self.fault
        if fault and fault.direction == direction and fault.struck_ms is None:
            left = fault.at - self.passed[direction]
            if left < count:
                count = max(left, 0)
                fault.strike()
                connection.end(fault.how, fault.rng)
        self.passed[direction] += count
        return count

    def heard(self, connection, first, body):
        """The broker and the server behind it: a packet of the kiosk has come."""
        kind = first & 0xF0
        name = {0x10: "CONNECT", 0x80: "SUBSCRIBE", 0xC0: "PINGREQ", 0xE0: "DISCONNECT"}.get(kind)
        replies = []
        if kind == 0x10:
            after_s, code = self.connacks.pop(0) if self.connacks else (0, 0)
            asyncio.create_task(_greet(connection, after_s, code))
        elif kind == 0x80:
            replies = [("SUBACK", b"\x90\x05\x00\x01\x00\x00\x00")]
        elif kind == 0xC0:
            replies = [("PINGRESP", b"\xd0\x00")]
        elif kind == 0x30:
            size = body[0] << 8 | body[1]
            topic, payload = body[2 : 2 + size].decode(), body[2 + size :]
            assert topic.startswith(UP)
            name = topic[len(UP) :]
            self.server.publishes += 1
            if name == "answers" and self.most_bytes is not None and len(payload) > self.most_bytes:
                if self.throws_out:
                    connection.end("close", self.rng)
            elif name == "answers":
                receipt = self.server.book(payload)
                for delay_ms, each in [(0, receipt)] if self.receipts is None else self.receipts(receipt):
                    asyncio.create_task(_later(connection, delay_ms, each))
            else:
                replies = self.server.hear(name, payload)
        if self.steps is not None:
            self.steps.append((name, "out", self.passed["out"]))
        for each in replies:
            connection.say(*each)

    def thank(self):
        self.thanks += 1
        self.thanked_ms = virtual_time.ms()
        journal = self.app.journal
        if self.keep:
            self.thanked.add((journal.epoch, journal.next_seq - 1))

    async def until(self, true, within_s, what):
        """Wait for something to become true; AssertionError with `what` when it does not in time."""
        limit = virtual_time.ms() + within_s * 1000
        while not true():
            assert virtual_time.ms() < limit, (
                f"{what}: not within {within_s} s; {self.app.session.status}; {self.board.lines[-6:]}"
            )
            await asyncio.sleep(0.1)

    async def online(self, within_s=400):
        """The kiosk asks its question and the server has answered."""
        await self.until(
            lambda: (
                self.app.session.status == "online"
                and self.app.sync.settled.is_set()
                and self.board.shown == "ready"
            ),
            within_s,
            "online",
        )

    async def press(self, face=0):
        """Press and let go; returns the milliseconds from the touch to the thank-you, or None."""
        before, began = self.thanks, virtual_time.ms()
        self.board.touch(face, True)
        await asyncio.sleep(0.08)
        self.board.touch(face, False)
        await asyncio.sleep(0.3)  # past the lock-out
        return self.thanked_ms - began if self.thanks > before else None

    async def drained(self, within_s=400):
        """Everything in the journal has its receipt."""
        await self.until(lambda: not self.app.journal.waiting, within_s, "booked")

    def balance(self):
        """The promise: what was thanked for is booked, once; the books balance."""
        answered = self.server.answered()
        assert self.thanked <= answered, f"thanked and not booked: {self.thanked - answered}"
        for epoch, pressed in self.server.pressed.items():
            received = len([key for key in answered if key[0] == epoch])
            assert received <= pressed <= received + self.server.lost, (
                f"pressed {pressed}, received {received}, lost {self.server.lost}"
            )


async def _greet(connection, after_s, code):
    if after_s:
        await asyncio.sleep(after_s)
    connection.say("CONNACK", bytes((0x20, 2, 0, code)))


async def _later(connection, delay_ms, receipt):
    if delay_ms:
        await asyncio.sleep(delay_ms / 1000)
    content = receipt if isinstance(receipt, bytes) else json.dumps(receipt).encode()
    connection.say("receipt", packet(DOWN + "receipt", content))


def heap():
    """Bytes of the heap in use after a collection (0 on CPython)."""
    gc.collect()
    return gc.mem_alloc() if virtual_time.MICROPYTHON else 0

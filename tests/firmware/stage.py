"""A whole kiosk (`kiosk.app.App`) on virtual time, with broker and server in memory; runs on CPython and MicroPython.

`Stage` outlives power cuts: flash, files, what was thanked for and what the server booked. `Stage.live(story)` is one
life of the kiosk, from power on to the end of the story. What may go wrong on the wire is said by `Stage.fault`.
"""

import asyncio
import binascii
import gc
import hashlib
import json
import struct

import virtual_time
from kiosk import app as app_module
from kiosk import supervisor as supervisor_module
from kiosk.app import App
from nor import Rng

UTC_MS = 1_772_438_400_000  # the server's clock at virtual time 0
DEVICE = "kiosk0000001"
UP = "hymio/1/up/%s/" % DEVICE
DOWN = "hymio/1/down/%s/" % DEVICE
ANSWER, BOOT, CLOCK, REFUSED = 1, 2, 3, 4
SETTINGS = {"lockout_ms": 200, "repeat_ms": 100, "thanks_ms": 100}
_LANGUAGES = ("fi", "sv", "en")
VIEW = {
    "number": 14,
    "name": "Exit",
    "languages": list(_LANGUAGES),
    "questions": [
        {
            "position": 3,
            "code": "K4-H",
            "type": "smiley5",
            "text": {code: "Miten asiointi sujui?" for code in _LANGUAGES},
            "labels": {code: ["5", "4", "3", "2", "1"] for code in _LANGUAGES},
        }
    ],
    "thanks": {code: "Kiitos!" for code in _LANGUAGES},
    "button": {"question": 3},
}


def packet(topic, payload):
    """A PUBLISH at QoS 0, written without the kiosk's own code."""
    body = struct.pack(">H", len(topic)) + topic.encode() + payload
    head = bytearray((0x30,))
    size = len(body)
    while True:
        low, size = size & 0x7F, size >> 7
        head.append(low | (0x80 if size else 0))
        if not size:
            return bytes(head) + body


class RamFlash:
    """A journal's partition; `called(name)` hears of each read, program and erase before it is done."""

    def __init__(self, sectors, called):
        self.sectors = [bytearray(b"\xff" * 4096) for _ in range(sectors)]
        self.called = called

    def readblocks(self, pos, buf, off=0):
        self.called("read")
        memoryview(buf)[:] = memoryview(self.sectors[pos])[off : off + len(buf)]

    def writeblocks(self, pos, buf, off=0):
        self.called("program")
        sector = self.sectors[pos]
        for i in range(len(buf)):
            sector[off + i] &= buf[i]

    def ioctl(self, op, pos):
        if op == 4:
            return len(self.sectors)
        if op == 5:
            return 4096
        if op == 6:
            self.called("erase")
            sector = self.sectors[pos]
            for at in range(0, 4096, 512):
                sector[at : at + 512] = _BLANK
        return 0


_BLANK = b"\xff" * 512


class Server:
    """Books batches by the contract's table alone. `records`: (epoch, seq) -> record, or None to keep only counts."""

    def __init__(self, records):
        self.records = records
        self.generation = 7
        self.through = {}
        self.seen = {}
        self.answers = self.lost = self.batches = 0
        self.reports = self.publishes = 0
        self.logs = []
        self.pressed = {}
        self.settings = dict(SETTINGS)
        self.view = json.dumps(VIEW).encode()
        self.hash = binascii.hexlify(hashlib.sha256(self.view).digest()).decode()

    def hear(self, name, payload):
        """[(name, packet)] in answer to what came on `name`."""
        if name == "log":
            self.logs.append(json.loads(payload))
            del self.logs[:-5]
        if name != "report":
            return []
        self.reports += 1
        report = json.loads(payload)
        replies = []
        if report["desired"] < 1:
            entry = {"number": 14, "hash": self.hash, "from": None, "to": None, "hours": None}
            wish = {"version": 1, "sets": [entry], "offset": [], "settings": self.settings, "firmware": None}
            replies.append(("desired", packet(DOWN + "desired", json.dumps(wish).encode())))
        if report["want"] == self.hash:
            replies.append(("set", packet(DOWN + "set", self.view)))
        return replies

    def book(self, batch):
        """The receipt for a batch."""
        assert binascii.crc32(batch[:-4]) == struct.unpack("<I", batch[-4:])[0], "the batch is damaged"
        _, at, count, epoch, nonce, start, end, next_seq, pressed = struct.unpack("<BBHIIIIII", batch[:28])
        self.batches += 1
        through = self.through.get(epoch, 0)
        found = {}
        for _ in range(count):
            (size,) = struct.unpack("<H", batch[at : at + 2])
            data = batch[at : at + size]
            assert struct.unpack("<I", batch[at + size : at + size + 4])[0] == binascii.crc32(data, epoch)
            (seq,) = struct.unpack("<I", data[4:8])
            assert start <= seq < end and seq not in found
            found[seq] = data
            at += (size + 4 + 3) // 4 * 4
        for seq, data in found.items():
            if self.records is not None:
                known = self.records.get((epoch, seq))
                assert known in (None, data), "one (epoch, seq), two contents"
                self.records[epoch, seq] = data
                new = known is None
            else:
                new = seq >= through
            self.answers += new and data[2] == ANSWER
        if start <= through < end:
            for seq in range(through, end):
                self.lost += seq not in found
            through = end
        self.through[epoch] = through
        self.seen[epoch] = max(next_seq, self.seen.get(epoch, 0))
        self.pressed[epoch] = max(pressed, self.pressed.get(epoch, 0))
        return {
            "server": self.generation,
            "epoch": epoch,
            "nonce": nonce,
            "through": through,
            "seen": self.seen[epoch],
            "fork": False,
            "time": UTC_MS + virtual_time.ms(),
            "rejected": [],
        }

    def answered(self):
        """Keys of the answers booked."""
        return {key for key, data in self.records.items() if data[2] == ANSWER}


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


class Dog:
    """A watchdog that remembers when it was fed."""

    def __init__(self, timeout_ms):
        self.timeout_ms = timeout_ms
        self.feed()

    def feed(self):
        self.fed_ms = virtual_time.ms()


class Link:
    plugged = True

    def up(self):
        return self.plugged

    async def connect(self):
        while not self.plugged:
            await asyncio.sleep(1)

    def signal(self):
        return None


class Board:
    """What boards/unix.py is, without a host."""

    name = "stage"
    model = "button5"
    faces = 5
    firmware = "0.0.0"
    build = 1
    slot = "a"

    def __init__(self, stage, root):
        self.stage = stage
        self.root = root
        self.journal_flash = stage.flash
        self.link = Link()
        self.lines = []
        self.screen = None
        self.dog = None
        self._down = self._latched = 0
        self.log = self.remember

    def identity(self):
        return {"id": DEVICE, "secret": "s" * 43, "host": "-", "port": 1, "tls": False, "ca": None}

    def random(self, count):
        self.stage.called("random")
        return self.stage.rng.bytes(count)

    def reset_cause(self):
        return 1

    def start(self):
        self.edge = asyncio.Event()

    async def wait_edge(self):
        await self.edge.wait()
        self.edge.clear()

    def pressed(self):
        self.stage.called("pressed")
        mask = self._down | self._latched
        self._latched = 0
        return mask

    def touch(self, face, down):
        """A finger goes down or up."""
        if down:
            self._down |= 1 << face
            self._latched |= 1 << face
        else:
            self._down &= ~(1 << face)
        self.edge.set()

    def simulated(self):
        self.stage.called("simulated")
        return False

    def light(self, face, on):
        self.stage.called("light")

    def light_all(self, on):
        self.stage.called("light_all")

    def sound(self, tune):
        self.stage.called("sound")
        if tune == "thanks":
            self.stage.thank()

    def show(self, what):
        self.stage.called("show")
        self.screen = what.get("screen", self.screen)

    def health(self):
        self.stage.called("health")
        return {"supply": None, "temperature": None}

    def watchdog(self, timeout_ms):
        self.dog = Dog(timeout_ms)
        return self.dog

    def remember(self, line):
        self.stage.called("log")
        self.lines.append(line)
        del self.lines[:-20]

    def reset(self):
        raise Restart

    async def background(self, beat):
        await asyncio.Event().wait()


RESTARTED = "restarted"


class Restart(Exception):
    """The board was restarted."""


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
        self.most_bytes = None  # of a batch that the broker passes on; it drops a larger one, or the connection:
        self.throws_out = False
        self.connacks = []  # [(seconds until it comes, return code)] of the next connections
        self.calls = None  # function(name) that hears of each call that the kiosk makes to what surrounds it
        self.receipts = None  # function(receipt) -> [(delay in ms, receipt)]: what becomes of it
        self.steps = None  # a list that gets (name, "in" or "out", bytes of that direction when the packet ends)
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
            self.board.remember("the program ended: %r" % error)
        return RESTARTED

    async def dial(self):
        self.passed["dial"] += 1
        fault = self.fault
        if fault and fault.direction == "dial" and fault.struck_ms is None and self.passed["dial"] >= fault.at:
            fault.strike()
            if fault.how in ("freeze", "stall"):
                await asyncio.sleep(10)
                raise asyncio.TimeoutError
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
            assert virtual_time.ms() < limit, "%s: not within %d s; %s; %r" % (
                what,
                within_s,
                self.app.session.status,
                self.board.lines[-6:],
            )
            await asyncio.sleep(0.1)

    async def online(self, within_s=400):
        """The kiosk asks its question and the server has answered."""
        await self.until(
            lambda: self.app.session.status == "online"
            and self.app.sync.settled.is_set()
            and self.board.screen == "ready",
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
        assert self.thanked <= answered, "thanked and not booked: %r" % sorted(self.thanked - answered)
        for epoch, pressed in self.server.pressed.items():
            received = len([key for key in answered if key[0] == epoch])
            assert received <= pressed <= received + self.server.lost, "pressed %d, received %d, lost %d" % (
                pressed,
                received,
                self.server.lost,
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

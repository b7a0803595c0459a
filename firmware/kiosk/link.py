"""Keeps one connection to the broker alive and hands on what comes in. Knows neither answers nor questions.

Every way out of a connection: the peer closes or resets, TLS or MQTT finds fault, the broker refuses,
silence for 1.25 keepalives, a send or a packet that takes too long, the interface gone for some seconds.
All of them end in `run`, which waits (full jitter) and tries again; any other exception is a fault of the
program and goes to the supervisor.
"""

import asyncio
import json

from kiosk import mqtt
from kiosk.compat import const
from kiosk.stream import Dialer

_CONNACK = const(2)  # packet types
_PUBLISH = const(3)
_SUBACK = const(9)
LINK_ERRORS = (OSError, ValueError, EOFError, asyncio.TimeoutError)
_LONGEST_BACKOFF_S = const(300)
_HEALTHY_MS = const(60_000)  # only a connection that lasted starts the back-off anew
_INTERFACE_S = const(60)
_SEND_S = const(20)  # the first send includes the TLS handshake: seconds of arithmetic on the chip
_REPLY_S = const(10)
_PACKET_S = const(30)
_PARTED_MS = const(5_000)  # after a farewell: a kiosk that connected again and then slept would be "lost"
_GONE_MS = const(2_000)  # TCP survives a flicker
_POLL_S = const(2)
_MARGIN_S = const(60)
_LARGEST_JSON = const(4096)
_LONGEST_FAILURE = const(60)
_BUFFER_BYTES = const(512)  # a question set passes through it in pieces


class Session:
    """`starts`: number of this start of the device; with a count of connections it makes a number that rises.

    `.connection`: that number. `.status`: "online" (subscribed), "offline" (interface up, no broker) or "no-network".
    """

    def __init__(self, board, clock, uptime, sync, report, desired, sets, settings, starts, dialer=None):
        self._board = board
        self._clock = clock
        self._uptime = uptime
        self._sync = sync
        self._report = report
        self._desired = desired
        self._sets = sets
        self._settings = settings
        self._identity = identity = board.identity()
        self._up = "hymio/1/up/%s/" % identity["id"]
        self._down = "hymio/1/down/%s/" % identity["id"]
        self._valid_ms = None  # from when to when our CA is
        ca = None
        if identity["tls"]:
            with open(board.root + identity["ca"], "rb") as file:
                ca = file.read()
            from kiosk.certificate import validity  # code that a kiosk without TLS need not hold

            self._valid_ms = validity(ca)
        self._dialer = dialer or Dialer(board, identity["host"], identity["port"], ca)
        self._buffer = bytearray(_BUFFER_BYTES)
        self._sending = None  # a lock
        self._subscribed = asyncio.Event()
        self._ended = asyncio.Event()
        self._wake = asyncio.Event()  # there may be something to report
        self._error = None
        self._stream = None
        self._parts = []  # tasks of the present connection
        self._sent_ms = 0
        self._online_ms = None
        self._crash = None
        self._mark = None
        self.connection = starts << 16
        self.status = "no-network"
        self.failure = ""  # why the last connection ended or none came about, for a person

    async def run(self, beat):
        """Connect, stay, connect again, for ever; `beat()` is called at least once a minute."""
        attempt = 0
        while True:
            beat()
            try:
                if not self._board.link.up():
                    self.status = "no-network"
                    await asyncio.wait_for(self._board.link.connect(), _INTERFACE_S)
                    attempt = 0  # what failed before was the cable
                self.status = "offline"
                if not await self._back_off(attempt, beat):
                    continue
                attempt += 1
                self._online_ms = None
                await self._connect(beat)
            except LINK_ERRORS as error:
                self.failure = (str(error) or "time-out")[:_LONGEST_FAILURE]
                self._board.log("link: %r" % error)
            if self._online_ms is not None and self._uptime.ms() - self._online_ms >= _HEALTHY_MS:
                attempt = 0

    def log(self, crash):
        """Send a crash report (a dict) when there is a connection; a later one takes its place."""
        self._crash = crash
        self._wake.set()

    def received(self):
        """Bytes that came on the present connection; None without one."""
        return None if self._stream is None else self._stream.received

    async def leave(self, state, next_s):
        """Say farewell before a planned silence of `next_s` seconds: no will follows it, nor for some seconds another
        connection."""
        stream = self._stream
        if stream is None:
            return
        try:
            await self._state(state, next_s)
            await self._send(mqtt.DISCONNECT)
        except LINK_ERRORS as error:
            self._board.log("link: %r" % error)
        self._sent_ms = self._uptime.ms() + _PARTED_MS
        stream.close()

    async def _back_off(self, attempt, beat):
        """Wait 0 to 2^attempt seconds, evenly distributed: kiosks that lost one server must not return in
        step. False when the interface went away meanwhile."""
        longest_ms = min(_LONGEST_BACKOFF_S, 1 << min(attempt, 9)) * 1000
        until = max(self._sent_ms, self._uptime.ms() + self._fraction(longest_ms))
        while True:
            left = until - self._uptime.ms()
            if left <= 0:
                return True
            if not self._board.link.up():
                return False
            await asyncio.sleep(min(left, 1000) / 1000)
            beat()

    async def _connect(self, beat):
        """One connection from its opening to its end, which is always an exception."""
        if self._valid_ms and hasattr(self._board, "raise_clock"):
            floor, end = self._valid_ms
            now = self._clock.now()
            for at in (self._desired.version, now[0] if now else 0):
                if floor < at < end:  # a server's clock that was years ahead must not lock it out for ever
                    floor = at
            self._board.raise_clock(floor)
        await self._hang_up()  # what a fault of the program may have left of the connection before
        for event in (self._subscribed, self._ended, self._sync.settled):
            event.clear()
        self._sending = asyncio.Lock()  # a new one: without memory MicroPython cannot even leave `async with`
        self._error = None
        self._start(self._watch(beat))
        self._start(self._talk())
        try:
            await self._ended.wait()
        finally:
            await self._hang_up()
        raise self._error

    async def _hang_up(self):
        """End all parts of the connection, give back its descriptors."""
        while self._parts:
            while not self._parts[
                -1
            ].done():  # CPython's wait_for may swallow a cancellation (cpython issue 86296)
                self._parts[-1].cancel()
                await asyncio.sleep(0)
            self._parts.pop()
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _start(self, part):
        """Run `part` beside the others; the first of them to end ends the connection."""
        self._parts.append(asyncio.create_task(self._part(part)))

    async def _part(self, part):
        try:
            await part
        except Exception as error:  # _stay raises it
            self._error = self._error or error
        self._ended.set()

    async def _talk(self):
        """Dial, greet, subscribe, then exchange batches for receipts."""
        self._stream = await self._dialer.open()
        packets = mqtt.Packets(self._stream, self._buffer)
        await self._greet(packets)
        self._start(self._read(packets))
        topics = [self._down + name for name in ("receipt", "desired", "set")]
        await self._send(mqtt.subscribe(topics))
        await asyncio.wait_for(self._subscribed.wait(), _REPLY_S)
        self.status = "online"
        self._online_ms = self._uptime.ms()
        await self._send_report()
        self._start(self._tell())
        await self._sync.run(self._send_batch, self._settings.get("batch_bytes"))

    async def _greet(self, packets):
        identity = self._identity
        self.connection += 1
        will = json.dumps({"state": "lost", "conn": self.connection}).encode()
        keepalive = self._settings.get("keepalive_s")
        name = identity["id"]
        await self._send(mqtt.connect(name, name, identity["secret"], keepalive, self._up + "state", will))
        code = await asyncio.wait_for(_connack(packets), _REPLY_S)
        if code:
            raise ValueError(mqtt.refusal(code))

    async def _read(self, packets):
        while True:
            first = await packets.first()
            await asyncio.wait_for(self._packet(packets, first), _PACKET_S)

    async def _packet(self, packets, first):
        size = await packets.length()
        kind = first >> 4
        if kind == _PUBLISH:
            await self._incoming(packets, *await packets.topic(first, size))
        elif kind == _SUBACK and size == 5:
            codes = bytes(await packets.take(5))[2:]
            if max(codes) > 2:
                raise ValueError("broker refused a subscription")
            self._subscribed.set()
        else:
            await packets.skip(size)

    async def _incoming(self, packets, topic, size):
        """Hand on a message; one that is not for us, or too large, is read and forgotten."""
        name = topic[len(self._down) :] if topic and topic.startswith(self._down) else None
        if name == "set":
            await self._incoming_set(packets, size)
        elif name in ("receipt", "desired") and size <= _LARGEST_JSON:
            try:
                payload = bytearray(size)
            except MemoryError:
                self._board.log("no room for a %s of %d bytes" % (name, size))
                await packets.skip(size)
                return
            await packets.fill(memoryview(payload))
            if name == "receipt":
                self._sync.receipt(payload)
            else:
                reason = self._desired.apply(payload)
                if reason is not None:
                    self._board.log(reason)
        else:
            await packets.skip(size)
        self._wake.set()

    async def _incoming_set(self, packets, size):
        """Pass a question set on in pieces: it is never whole in memory."""
        reason = self._store(self._sets.begin, size)
        while size:
            piece = await packets.take(min(size, _BUFFER_BYTES))
            size -= len(piece)
            if reason is None:
                reason = self._store(self._sets.write, piece)
        if reason is None:
            reason = self._store(self._sets.finish)
        if reason is not None:
            self._board.log(reason)

    def _store(self, step, *things):
        """Do a step of taking a set; a full flash is a reason to refuse it, none to leave the broker."""
        try:
            return step(*things)
        except OSError as error:
            return "question set: cannot be stored (%s)" % error

    async def _watch(self, beat):
        """Ping when it is quiet, give up when nothing comes: a pulled cable is seen within 1.5 keepalives, and at once
        where the interface knows it."""
        keepalive_ms = self._settings.get("keepalive_s") * 1000
        received = 0
        heard = pinged = linked = self._sent_ms = self._uptime.ms()
        while True:
            await asyncio.sleep(min(1000, keepalive_ms // 8) / 1000)
            beat()
            now = self._uptime.ms()
            if self._board.link.up():
                linked = now
            elif now - linked >= _GONE_MS:
                raise OSError("interface down")
            if not self._subscribed.is_set():  # until then each step has a deadline of its own
                heard = now
                continue
            if self._stream.received != received:
                received, heard = self._stream.received, now
            if now - heard >= keepalive_ms * 5 // 4:
                raise OSError("nothing heard for %d s" % ((now - heard) // 1000))
            quiet = now - min(heard, self._sent_ms)
            if quiet >= keepalive_ms // 2 and now - pinged >= keepalive_ms // 4:
                pinged = now
                await self._send(mqtt.PINGREQ)

    async def _tell(self):
        """`ready` once the server has answered, then reports: on change, and at intervals (random phase)."""
        await self._sync.settled.wait()
        now = self._uptime.ms()
        if now - self._online_ms > _REPLY_S * 1000:
            await self._send_report()  # the server was away when the first one went out
        period_s = self._settings.get("report_s")
        await self._state("ready", period_s + _MARGIN_S)
        due = now + self._fraction(period_s * 1000)
        while True:
            if self._crash is not None:
                crash, self._crash = self._crash, None
                await self._publish("log", crash)
            now = self._uptime.ms()
            if now >= due:
                period_s = self._settings.get("report_s")
                due = now + period_s * 1000
                await self._send_report()
                await self._state("ready", period_s + _MARGIN_S)
            elif self._report.mark() != self._mark:
                await self._send_report()
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), _POLL_S)
            except asyncio.TimeoutError:
                pass

    async def _send_report(self):
        self._mark = self._report.mark()
        await self._publish("report", self._report.build())

    async def _state(self, state, next_s):
        await self._publish("state", {"state": state, "conn": self.connection, "next": next_s})

    async def _send_batch(self, buffer, at, end):
        """Send what Sync has laid ready, its header put before it: no copy, one segment."""
        head = mqtt.publish_head(self._up + "answers", end - at)
        at -= len(head)
        buffer[at : at + len(head)] = head
        await self._send(memoryview(buffer)[at:end])

    async def _publish(self, name, document):
        payload = json.dumps(document).encode()
        await self._send(mqtt.publish_head(self._up + name, len(payload)), payload)

    async def _send(self, *pieces):
        async with self._sending:
            for piece in pieces:
                await asyncio.wait_for(self._stream.send(piece), _SEND_S)
            self._sent_ms = self._uptime.ms()

    def _fraction(self, longest_ms):
        """A random time, evenly distributed up to `longest_ms`."""
        return longest_ms * int.from_bytes(self._board.random(2), "little") >> 16


async def _connack(packets):
    """Return code of the CONNACK that has to come first. Raises ValueError when something else does."""
    first = await packets.first()
    if first >> 4 != _CONNACK or await packets.length() != 2:
        raise ValueError("no MQTT broker: its first byte is 0x%02x" % first)
    return (await packets.take(2))[1]

"""Opens a TCP or TLS connection without blocking the loop and without losing a descriptor. Knows no MQTT.

On MicroPython `asyncio.open_connection` takes a refused connect for a success, its `close` closes nothing,
and after a failed TLS handshake the socket stays open for good (docs/decisions/0002): here the sockets are
our own.
"""

import asyncio
import sys

from kiosk.compat import const

_MICROPYTHON = sys.implementation.name == "micropython"
_CONNECT_S = const(10)
_CONNECTED = (106, 127, 56)  # EISCONN on Linux, ESP32 and macOS; MicroPython's errno has no name for it
_MOST_ADDRESSES = const(2)


class Stream:
    """A connection: `readinto`, `send`, `close`. `received` counts bytes, for whoever watches for silence."""

    def __init__(self, reader, writer, sockets):
        self._reader = reader
        self._writer = writer
        self._sockets = sockets
        self.received = 0

    async def readinto(self, view):
        """At least one byte into `view`; returns how many. Raises EOFError (the peer has closed), OSError."""
        count = None
        if _MICROPYTHON:
            while count is None:  # TLS: the wire was readable, but no whole record yet
                count = await self._reader.readinto(view)
        else:
            data = await self._reader.read(len(view))
            count = len(data)
            view[:count] = data
        if not count:
            raise EOFError("closed by the broker")
        self.received += count
        return count

    async def send(self, data):
        """Returns when the network has taken all of `data`; one sender at a time."""
        self._writer.write(data if _MICROPYTHON else bytes(data))  # CPython may keep what it cannot send yet
        await self._writer.drain()

    def close(self):
        """Give back every descriptor, whatever state the connection is in."""
        for socket in self._sockets:
            try:
                socket.close()
            except OSError:
                pass  # closed already


class Dialer:
    """Opens connections to one broker. `ca`: DER certificate (bytes) for TLS, None for plain TCP.

    The address is looked up rarely, because the look-up blocks: at first, and after 4, 8, 16... failures.
    """

    def __init__(self, host, port, ca=None):
        self._host = host
        self._port = port
        self._context = None if ca is None else _context(ca)
        self._addresses = None
        self._failures = 0

    async def open(self):
        """A connected Stream (its TLS handshake happens with the first bytes sent).

        Raises OSError, asyncio.TimeoutError; ValueError where MicroPython's TLS finds fault.
        """
        if not _MICROPYTHON:
            return await self._open_cpython()
        count = self._failures
        if self._addresses is None or (count >= 4 and not count & (count - 1)):
            self._addresses = self._look_up()
        self._failures += 1
        failure = None
        for address in self._addresses:
            try:
                stream = await self._dial(address)
                self._failures = 0
                return stream
            except (OSError, asyncio.TimeoutError) as error:
                failure = error
        raise failure

    def _look_up(self):
        import socket

        try:
            return socket.getaddrinfo(self._host, self._port, 0, socket.SOCK_STREAM)[:_MOST_ADDRESSES]
        except OSError:
            if self._addresses is None:
                raise
            return self._addresses  # no name server now: the broker has probably not moved

    async def _dial(self, address):
        import socket
        from errno import EINPROGRESS

        raw = socket.socket(address[0], address[1], address[2])
        wrapped = raw
        try:
            raw.setblocking(False)
            try:
                raw.connect(address[-1])
            except OSError as error:
                if error.errno != EINPROGRESS:
                    raise
                await asyncio.wait_for(_writable(raw), _CONNECT_S)
                try:
                    raw.connect(address[-1])  # there is no getsockopt: asking again gives the outcome
                except OSError as outcome:
                    if outcome.errno not in _CONNECTED:
                        raise
            if self._context is not None:
                # Without a name MicroPython would not check whose certificate it is.
                wrapped = self._context.wrap_socket(
                    raw, server_hostname=self._host, do_handshake_on_connect=False
                )
                wrapped.setblocking(False)
            stream = asyncio.StreamWriter(wrapped, {})
            return Stream(stream, stream, (wrapped, raw))
        except BaseException:
            raw.close()
            raise

    async def _open_cpython(self):
        name = self._host if self._context else None
        opening = asyncio.open_connection(self._host, self._port, ssl=self._context, server_hostname=name)
        reader, writer = await asyncio.wait_for(opening, _CONNECT_S)
        return Stream(reader, writer, (writer,))


def not_before(certificate):
    """When a DER certificate begins to be valid, UTC ms: what a clock that knows nothing may safely assume.

    Raises ValueError when no date is found.
    """
    at = certificate.find(b"\x17\x0d")  # UTCTime, 13 bytes: YYMMDDhhmmssZ (RFC 5280, 4.1.2.5.1)
    while at >= 0:
        digits = certificate[at + 2 : at + 14]
        if certificate[at + 14 : at + 15] == b"Z" and all(48 <= digit <= 57 for digit in digits):
            year, month, day, hour, minute, second = [int(digits[i : i + 2]) for i in range(0, 12, 2)]
            year += 1900 if year >= 50 else 2000
            return (((_days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000
        at = certificate.find(b"\x17\x0d", at + 1)
    raise ValueError("certificate without a date of beginning")


def _days(year, month, day):
    """Days from 1970-01-01; ports disagree about the epoch of `time`."""
    if month < 3:
        year, month = year - 1, month + 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day - 719_469


def _writable(raw):
    yield asyncio.core._io_queue.queue_write(raw)


def _context(ca):
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=ca)
    return context

"""Opens a TCP or TLS connection without blocking the loop and without losing a descriptor. Knows no MQTT.

On MicroPython `asyncio.open_connection` takes a refused connect for a success, its `close` closes nothing,
and after a failed TLS handshake the socket stays open for good (docs/decisions/0002): here the sockets are
our own.
It runs on MicroPython only; a kiosk under CPython is given another dialer.
"""

import asyncio

from kiosk.check import lend
from kiosk.compat import const

_CONNECT_S = const(10)
_MOST_ADDRESSES = const(2)
_NINE = const(57)  # its code: characters of a text would be interned one by one, for good


class Stream:
    """A connection: `readinto`, `send`, `close`. `received` counts bytes, for whoever watches for silence."""

    def __init__(self, stream, sockets):
        self._stream = stream
        self._sockets = sockets
        self.received = 0

    async def readinto(self, view):
        """At least one byte into `view`; returns how many. Raises EOFError (the peer has closed), OSError."""
        count = None
        while count is None:  # TLS: the wire was readable, but no whole record yet
            count = await self._stream.readinto(view)
        if not count:
            raise EOFError("closed by the broker")
        self.received += count
        return count

    async def send(self, data):
        """Returns when the network has taken all of `data`; one sender at a time."""
        self._stream.write(data)
        await self._stream.drain()

    def close(self):
        """Give back every descriptor, whatever state the connection is in."""
        for socket in self._sockets:
            try:
                socket.close()
            except OSError:
                pass  # closed already


class Dialer:
    """Opens connections to one broker. `ca`: DER certificate (bytes) for TLS, None for plain TCP.

    Of the board it takes chance and the name servers that its link knows. A name is looked up rarely, as that
    needs somebody who answers: at first, and after 4, 8, 16... failures; an address never.
    """

    def __init__(self, board, host, port, ca=None):
        self._board = board
        self._host = host
        self._port = port
        self._context = None if ca is None else _context(ca)
        self._addresses = None
        self._failures = 0

    async def open(self):
        """A connected Stream (its TLS handshake happens with the first bytes sent).

        Raises OSError, asyncio.TimeoutError; ValueError where MicroPython's TLS finds fault.
        """
        count = self._failures
        if self._addresses is None or (count >= 4 and not count & (count - 1)):
            self._addresses = await self._look_up()
        self._failures += 1
        failure = None
        for address in self._addresses[:_MOST_ADDRESSES]:
            try:
                stream = await self._dial(address)
                self._failures = 0
                return stream
            except (OSError, asyncio.TimeoutError) as error:
                failure = error
        raise failure

    async def _look_up(self):
        host = self._host
        if max(host.encode()) <= _NINE or ":" in host:  # an address: it asks nobody, so it does not block
            import socket

            return socket.getaddrinfo(host, self._port, 0, socket.SOCK_STREAM)
        try:
            return await lend("resolver").find(self._board, host, self._port)
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
                    if outcome.errno not in (106, 127, 56):  # EISCONN on Linux, ESP32, macOS: no name here
                        raise
            if self._context is not None:
                # Without a name MicroPython would not check whose certificate it is.
                wrapped = self._context.wrap_socket(
                    raw, server_hostname=self._host, do_handshake_on_connect=False
                )
                wrapped.setblocking(False)
            stream = asyncio.StreamWriter(wrapped, {})
            return Stream(stream, (wrapped, raw))
        except BaseException:
            raw.close()
            raise


def _writable(raw):
    yield asyncio.core._io_queue.queue_write(raw)


def _context(ca):
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=ca)
    return context

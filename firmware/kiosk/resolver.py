"""Asks name servers for the addresses of a host (IPv4, RFC 1035) without blocking the loop. Keeps nothing.

`getaddrinfo` blocks until a dead name server is given up, some 15 s in which no press would be thanked for
(docs/decisions/0002). This module is loaded for a look-up and let go after it, see kiosk/check.py.
Invariant: an answer counts only when it comes from where the question went, with its number and its words.
"""

# Words that the firmware has anyway cost nothing; any other would stay interned when the module has gone.
import asyncio

from kiosk.compat import const, ticks_diff, ticks_ms

_WAITS_MS = const((1000, 2000, 4000))
_LARGEST = const(512)  # bytes of an answer to a question that allows no more
_ONE_QUESTION = const(b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00")  # to a server that asks others for us
_ADDRESS = const(b"\x00\x01\x00\x01")  # of type A, of the internet
_NO_FAULT = const(0)
_NO_SUCH_NAME = const(3)


async def find(board, host, port):
    """Where `port` of `host` is, as `socket.getaddrinfo` gives it: at least one. The board's link knows whom to ask.

    All name servers are asked, then again with more patience, and once more. Raises OSError when none knew an
    address, or one knew that there is none; ValueError when `host` cannot be a name.
    """
    import socket

    if host.encode() == b"localhost":
        return socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)  # every system knows it
    found = await _look_up(board, host)
    return [socket.getaddrinfo(address, port, 0, socket.SOCK_STREAM)[0] for address in found]


async def _look_up(board, host):
    question = build(host)
    servers = board.link.name_servers()
    reason = "the network has named no name server"
    for timeout_ms in _WAITS_MS:
        for server in servers:
            try:
                code, found = await _talk(server, board.random(2) + question, timeout_ms)
            except asyncio.TimeoutError:
                reason = "name server %s does not answer" % server[0]
                continue
            except OSError as error:
                reason = "name server %s: %r" % (server[0], error)
                continue
            if code == _NO_FAULT and found:
                return found
            if code == _NO_FAULT or code == _NO_SUCH_NAME:
                raise OSError("host '%s' has no address, says name server %s" % (host, server[0]))
            reason = "name server %s refuses (code %d)" % (server[0], code)
    raise OSError("host '%s' cannot be looked up: %s" % (host, reason))


async def _talk(server, question, timeout_ms):
    """What `read` makes of the answer. Every way out closes the socket: OSError, TimeoutError, cancelled."""
    import socket

    where = socket.getaddrinfo(server[0], server[1])[0]  # an address: it asks nobody
    raw = socket.socket(where[0], socket.SOCK_DGRAM)  # the system picks a port, another for each question
    try:
        raw.setblocking(False)
        raw.connect(where[-1])  # what comes from elsewhere is dropped from now on
        raw.send(question)
        started = ticks_ms()
        while True:
            left_ms = timeout_ms - ticks_diff(ticks_ms(), started)
            if left_ms <= 0:
                raise asyncio.TimeoutError
            await asyncio.wait_for(_arrived(raw), left_ms / 1000)
            said = read(raw.recv(_LARGEST), question)  # `readinto` would join one datagram to the next
            if said is not None:
                return said
    finally:
        raw.close()


def _arrived(raw):
    yield asyncio.core._io_queue.queue_read(raw)


def build(host):
    """The question for `host` without the two bytes of its number. ValueError when it cannot be a name."""
    question = _ONE_QUESTION
    for label in host.encode().rstrip(b".").split(b"."):
        if not 0 < len(label) < 64:
            raise ValueError("host '%s': a part of a name has 1 to 63 characters" % host)
        question += bytes((len(label),)) + label
    return question + b"\x00" + _ADDRESS


def read(payload, question):
    """(code, addresses as texts) of a whole answer to `question`; None: it is none, and the true one may still come.

    All addresses are taken: between the name and them there may be aliases, and those the server has followed.
    """
    end = len(question)
    if (
        len(payload) < end
        or payload[:2] != question[:2]
        or payload[2] & 0xFA != 0x80  # an answer, to an ordinary question, that was not cut off
        or payload[4:6] != question[4:6]
        or payload[12:end].lower() != question[12:].lower()
    ):
        return None
    found = []
    for _ in range(payload[6] << 8 | payload[7]):
        at = behind(payload, end)
        if at + 10 > len(payload):
            return None
        end = at + 10 + (payload[at + 8] << 8 | payload[at + 9])
        if end > len(payload):
            return None
        if payload[at : at + 4] == _ADDRESS and end == at + 14:
            found.append("%d.%d.%d.%d" % tuple(payload[at + 10 : end]))
    return payload[3] & 15, found


def behind(payload, at):
    """Where the name at `at` ends, or the payload's end. A pointer ends a name; it is never followed."""
    while at < len(payload):
        size = payload[at]
        if size >= 0xC0:
            return at + 2
        if size > 63:
            break  # no such kind of label
        at += 1 + size
        if not size:
            return at
    return len(payload)

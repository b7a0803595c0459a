"""The bytes of MQTT 3.1.1 as far as a kiosk needs them: QoS 0, clean session. Opens and retries nothing.

Encoders return whole packets. `Packets` reads a stream; what is too large or not for us is read and thrown
away, so that a stranger's message cannot end the connection. Chapters are those of the OASIS standard of
2014-10-29.
"""

import struct

from kiosk.compat import const

PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"
_CONNECT_FLAGS = const(0xC6)  # user name, password, will at QoS 0 not retained, clean session (3.1.2.3)
_LONGEST_TOPIC = const(64)  # ours have at most 34 bytes


def connect(client, user, password, keepalive_s, will_topic, will):
    """CONNECT with a will (3.1). `will` is bytes, the rest text."""
    body = b"\x00\x04MQTT\x04" + struct.pack(">BH", _CONNECT_FLAGS, keepalive_s) + _string(client)
    body += _string(will_topic) + struct.pack(">H", len(will)) + will + _string(user) + _string(password)
    return _packet(0x10, body)


def subscribe(topics):
    """SUBSCRIBE to each topic at QoS 0 (3.8). Its identifier is always 1: a connection subscribes once."""
    body = b"\0\1"
    for topic in topics:
        body += _string(topic) + b"\x00"
    return _packet(0x82, body)


def publish_head(topic, size):
    """PUBLISH at QoS 0, not retained (3.3), up to its payload of `size` bytes: no copy of that is needed."""
    name = _string(topic)
    return _head(0x30, len(name) + size) + name


def refusal(code):
    """Why a CONNACK's return code says no (3.2.2.3)."""
    reasons = ("", "protocol version", "client id", "unavailable", "wrong id or secret", "not authorised")
    return "broker refused: %s (%d)" % (reasons[code] if code < len(reasons) else "unknown reason", code)


class Packets:
    """Reads packets from `stream.readinto(view) -> count` (raises EOFError at the end) through one buffer."""

    def __init__(self, stream, buffer):
        self._stream = stream
        self._view = memoryview(buffer)

    async def first(self):
        """First byte of the next packet: type in the high half. May wait for ever."""
        return (await self.take(1))[0]

    async def length(self):
        """Remaining length (2.2.3). Raises ValueError when it has more than four bytes."""
        size = shift = 0
        while shift < 28:
            byte = (await self.take(1))[0]
            size |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return size
            shift += 7
        raise ValueError("MQTT: remaining length of more than four bytes")

    async def topic(self, first, size):
        """Topic of a PUBLISH, and how many bytes of payload follow: `(text or None, left)`; None for a
        topic that is too long to be ours. Raises ValueError when it does not fit the packet."""
        pair = await self.take(2)
        length = pair[0] << 8 | pair[1]
        left = size - 2 - length - (2 if first & 0x06 else 0)
        if left < 0:
            raise ValueError("MQTT: topic of %d bytes in a packet of %d" % (length, size))
        name = None
        if length > _LONGEST_TOPIC:
            await self.skip(length)
        else:
            try:
                name = str(await self.take(length), "utf-8")
            except UnicodeError:
                pass  # nobody's topic
        if first & 0x06:
            await self.skip(2)  # the identifier of a QoS that was not asked for
        return name, left

    async def take(self, count):
        """The next `count` bytes, as a view that holds until the next call. At most the buffer's size."""
        view = self._view[:count]
        await self.fill(view)
        return view

    async def fill(self, view):
        """The next bytes into all of `view`."""
        have = 0
        while have < len(view):
            have += await self._stream.readinto(view[have:])

    async def skip(self, count):
        while count:
            count -= len(await self.take(min(count, len(self._view))))


def _string(text):
    coded = text.encode()
    return struct.pack(">H", len(coded)) + coded


def _packet(first, body):
    return _head(first, len(body)) + body


def _head(first, size):
    head = bytearray((first,))
    while size > 0x7F:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return bytes(head)

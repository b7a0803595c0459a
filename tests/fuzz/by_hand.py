"""What bytes mean by the standards alone, said otherwise than by the firmware: CRC-32, MQTT, name servers.

Runs on CPython and on MicroPython.
"""

import hashlib
from struct import pack_into, unpack_from

from tests.fuzz.kiosk_parts import MOST_JSON_BYTES


def crc_by_hand(data, start):
    """zlib's CRC-32, four bits at a time: not the one that the firmware uses."""
    crc = start ^ 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        crc = (crc >> 4) ^ _NIBBLES[crc & 15]
        crc = (crc >> 4) ^ _NIBBLES[crc & 15]
    return crc ^ 0xFFFFFFFF


def _nibble(value):
    for _ in range(4):
        value = (value >> 1) ^ (0xEDB88320 if value & 1 else 0)
    return value


_NIBBLES = [_nibble(value) for value in range(16)]


def messages_for(device, data):
    """What a stream of MQTT packets says to a device, by the standard alone: [(receipt, desired or set, payload)]."""
    found = []
    at = 0
    while at + 2 <= len(data):
        first = data[at]
        size = shift = 0
        while True:
            at += 1
            if at == len(data) or shift == 28:
                return found
            size |= (data[at] & 0x7F) << shift
            shift += 7
            if not data[at] & 0x80:
                break
        at += 1
        body = data[at : at + size]
        whole = len(body) == size
        at += size
        if first >> 4 == 9 and size == 5 and whole and max(body[2:]) > 2:
            return found  # refused
        if first >> 4 == 3:
            if len(body) < 2:
                return found
            length = body[0] << 8 | body[1]
            behind = 2 + length + (2 if first & 6 else 0)
            if behind > size:
                return found
            for name in ("receipt", "desired", "set"):
                topic = f"hymio/1/down/{device}/{name}".encode()
                if (
                    whole
                    and body[2 : 2 + length] == topic
                    and (name == "set" or size - behind <= MOST_JSON_BYTES)
                ):
                    found.append((name, body[behind:]))
        if not whole:
            return found
    return found


def answered(data, query):
    """What a message says as the answer to `query`, by RFC 1035 alone: (code, IPv4 addresses), or None."""
    if len(data) < len(query):
        return None
    number, flags, questions, count = unpack_from(">HHHH", data)
    if number != unpack_from(">H", query)[0] or questions != 1 or flags & 0xFA00 != 0x8000:
        return None
    if data[12 : len(query)].lower() != query[12:].lower():
        return None
    rest = data[len(query) :]
    found = []
    while count:
        while rest and 0 < rest[0] < 64:
            rest = rest[1 + rest[0] :]
        if not rest or 64 <= rest[0] < 192:
            return None
        rest = rest[2 if rest[0] else 1 :]
        if len(rest) < 10:
            return None
        kind, group, _, size = unpack_from(">HHIH", rest)
        body, rest = rest[10 : 10 + size], rest[10 + size :]
        if len(body) < size:
            return None
        if (kind, group, size) == (1, 1, 4):
            found.append(".".join([str(byte) for byte in body]))
        count -= 1
    return flags & 15, found


def digest(data):
    return "".join([f"{byte:02x}" for byte in hashlib.sha256(data).digest()])


def with_crc(data, epoch):
    """The same with the CRC at its end made right."""
    out = bytearray(data)
    if len(out) >= 4:
        pack_into("<I", out, len(out) - 4, crc_by_hand(out[:-4], epoch))
    return bytes(out)

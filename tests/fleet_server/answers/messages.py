"""Messages as a kiosk would send them, encoded by the firmware's own codec."""

import struct
from dataclasses import dataclass, field, replace
from typing import Any
from zlib import crc32

from kiosk import record as codec

from tests.firmware.whole import encode, encode_batch

KNOWN_SET = 7  # question 0 has five faces, question 1 takes text


@dataclass(frozen=True)
class Rec:
    """A record before it is encoded."""

    seq: int
    kind: int = codec.KIND_ANSWER
    flags: int = 0
    boot: int = 1
    uptime: int = 0
    set_number: int = KNOWN_SET
    session: int = 0
    question: int = 0
    value: int = 5
    pressed: int = 0
    body: bytes = b""
    damaged: bool = False  # its own CRC is wrong

    def encode(self, epoch: int) -> bytes:
        raw = encode(
            epoch, self.kind, self.flags, self.seq, self.boot, self.uptime, self.set_number, self.session,
            self.question, 0, self.value, self.pressed, self.body,
        )  # fmt: skip
        if not self.damaged:
            return raw
        return raw[:23] + bytes([raw[23] ^ 0x40]) + raw[24:]

    def but(self, **changes: Any) -> "Rec":
        return replace(self, **changes)


def press(seq: int, **more: Any) -> Rec:
    """By default half a minute after the one before, so that no misuse rule is interested."""
    return Rec(seq, **({"uptime": 300 * seq} | more))


def boot(seq: int, number: int = 1) -> Rec:
    return Rec(seq, codec.KIND_BOOT, boot=number, session=255, set_number=0, body=codec.boot_body(1, 1))


def clock(seq: int, utc_ms: int, uptime: int, uncertainty_ms: int = 50, boot: int = 1) -> Rec:
    body = codec.clock_body(utc_ms, uncertainty_ms)
    return Rec(seq, codec.KIND_CLOCK, boot=boot, uptime=uptime, session=255, set_number=0, body=body)


@dataclass(frozen=True)
class Msg:
    """A batch before it is encoded."""

    epoch: int
    start: int
    to: int
    records: tuple[Rec, ...] = ()
    next: int = -1  # -1: as `to`
    pressed: int = 0
    waiting: int = 0
    nonce: int = 1
    version: int = 1
    extra: dict[str, Any] = field(default_factory=dict)

    def encode(self) -> bytes:
        raw = encode_batch(
            self.epoch, self.nonce, self.start, self.to, self.highest, self.pressed, self.waiting, 1, 0,
            [record.encode(self.epoch) for record in self.records],
        )  # fmt: skip
        return as_version(bytes(raw), self.version)

    @property
    def highest(self) -> int:
        return self.to if self.next < 0 else self.next


def batch(epoch: int, *records: Rec, start: int | None = None, to: int | None = None, **more: Any) -> Msg:
    """A message that carries `records` and says that they are all there is in its range."""
    first = records[0].seq if start is None else start
    last = records[-1].seq + 1 if to is None else to
    answers = sum(record.kind == codec.KIND_ANSWER for record in records)
    return Msg(epoch, first, last, records, **({"pressed": answers} | more))


def as_version(raw: bytes, version: int) -> bytes:
    """The same message under another version number, its CRC right."""
    body = bytes([version]) + raw[1:-4]
    return body + struct.pack("<I", crc32(body))

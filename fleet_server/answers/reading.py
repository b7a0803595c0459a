"""Writes out what lies in quarantine for a person's eyes: bytes and fields. It books nothing and judges nothing."""

from collections.abc import Iterator

from fleet_server.answers import wire
from fleet_server.answers.models import Quarantine
from fleet_server.instants import local

_KINDS = {
    wire.KIND_ANSWER: "answer",
    wire.KIND_BOOT: "boot",
    wire.KIND_CLOCK: "clock",
    wire.KIND_REFUSED: "refused",
}
_ROW_BYTES = 16
_FIELDS = (
    "flags", "seq", "boot", "uptime", "set_number", "session", "question", "language", "value", "pressed", "crc",
)  # fmt: skip


def described(row: Quarantine) -> Iterator[str]:
    """Lines: what it is, its fields as far as they can be read, its bytes."""
    yield f"id {row.id}: {row.what} of device {row.device_id}, came {local(row.at):%Y-%m-%d %H:%M:%S} by {row.source}"
    yield f"reason: {printable(row.reason)}"
    raw = bytes(row.raw)
    yield from _record(raw) if row.what == "record" else _message(raw)
    for at in range(0, len(raw), _ROW_BYTES):
        piece = raw[at : at + _ROW_BYTES]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
        yield f"{at:06x}  {piece.hex(' '):<{3 * _ROW_BYTES - 1}}  {letters}"


def printable(text: str) -> str:
    """The text without what could steer a terminal: some of it is what a kiosk sent."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _message(raw: bytes) -> Iterator[str]:
    try:
        batch = wire.read_batch(raw)
    except wire.Damaged as fault:
        yield f"not a whole batch: {fault}"
        return
    yield (
        f"batch: version {batch.version}, epoch {batch.epoch:08x}, nonce {batch.nonce}, "
        f"range [{batch.start}, {batch.to}), next {batch.next}, pressed {batch.pressed}, waiting {batch.waiting}"
    )
    for record in batch.records:
        yield from _fields(record)


def _record(raw: bytes) -> Iterator[str]:
    # Wrapped as for its replay; the epoch only matters for its checksum, which `read_batch` does not insist on.
    try:
        (record,) = wire.read_batch(wire.wrap(raw, epoch=0, seq=0, next_seq=0, pressed=0, waiting=0)).records
    except wire.Damaged as fault:
        yield f"not a whole record: {fault}"
        return
    yield from _fields(record)


def _fields(record: wire.Record) -> Iterator[str]:
    fields = ", ".join(f"{name} {getattr(record, name)}" for name in _FIELDS)
    yield f"{_KINDS.get(record.kind, f'record of kind {record.kind}')}: {fields}"
    if record.body and record.kind == wire.KIND_ANSWER:
        yield f"text: {printable(record.body.decode('utf-8', 'replace'))}"
    elif record.body:
        yield f"body: {record.body.hex(' ')}"

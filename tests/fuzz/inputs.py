"""Valid inputs of every kind, and how a case is made of them: one number gives the bytes, on any machine.

`CASES[name](seed)` is a case: what is handed to the end that is fuzzed, and whether its checksum is right again.
"""

import json
import struct
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple
from zlib import crc32

from kiosk import mqtt
from kiosk import record as codec

from fleet_server.answers import wire
from fleet_server.questions.national import national_sets
from fleet_server.questions.schema import canonical
from fleet_server.questions.views import view_bytes, view_faults
from tests.conftest import MONDAY_10
from tests.firmware.net import names
from tests.firmware.whole import encode, encode_batch
from tests.fuzz.kiosk_parts import DEVICE, EPOCH, GOOD_RECEIPT, NAME_QUERY, NONCE
from tests.fuzz.mutate import Mutator

KNOWN_SET = 7
FIRST_SEQ = 20  # of the batches here; what is below is booked before
HASH = "0123456789abcdef" * 4


class Case(NamedTuple):
    """`original`: the valid bytes it came from. `sealed`: its checksums were made right again over the change."""

    data: bytes
    original: bytes
    sealed: bool


def records(chance: Any) -> list[bytes]:
    """A few records of one epoch as a kiosk writes them, beginning with a boot and a clock."""
    seq = FIRST_SEQ
    found = [
        press(seq, codec.KIND_BOOT, body=codec.boot_body(chance.randrange(1, 7), 100), value=0),
        press(seq + 1, codec.KIND_CLOCK, body=codec.clock_body(MONDAY_10, 50), value=0),
    ]
    for place in range(2, chance.randrange(3, 9)):
        what = chance.randrange(8)
        if what == 0:
            text = ("Kiitos hyvästä hoidosta! €\U0001f600" * 40).encode()[: chance.choice((1, 12, 997, 1000))]
            text = text.decode(errors="ignore").encode()
            found.append(press(seq + place, body=text, question=1, value=0, flags=chance.choice((0, 1, 2))))
        elif what == 1:
            found.append(press(seq + place, codec.KIND_REFUSED, body=codec.refused_body(3, 100), value=0))
        else:
            found.append(
                press(seq + place, value=chance.randrange(1, 6), flags=chance.choice((0, 4)), pressed=place)
            )
    return found


def batch(chance: Any) -> bytes:
    """A batch as it follows on what `FIRST_SEQ` says; now and then with a gap, or a question without records."""
    held = records(chance)
    while sum(map(len, held)) > wire.MAX_BATCH_BYTES - codec.BATCH_OVERHEAD_BYTES:
        held.pop()  # it goes with the next batch
    to = FIRST_SEQ + len(held)
    if chance.random() < 0.1:
        held, to = [], FIRST_SEQ
    elif chance.random() < 0.2:
        del held[chance.randrange(len(held))]
    answers = FIRST_SEQ - 10 + sum(raw[2] == codec.KIND_ANSWER for raw in held)
    return bytes(encode_batch(EPOCH, NONCE, FIRST_SEQ, to, to, answers, len(held), 1, 900, held))


def press(seq: int, kind: int = codec.KIND_ANSWER, epoch: int = EPOCH, **more: Any) -> bytes:
    """A record, an answer to question 0 of KNOWN_SET unless told otherwise."""
    fields = {
        "flags": 0,
        "boot": 1,
        "uptime": 900 + seq,
        "set": KNOWN_SET,
        "session": 0,
        "question": 0,
        "value": 5,
    }
    fields |= {"pressed": 0, "body": b""} | more
    return encode(
        epoch, kind, fields["flags"], seq, fields["boot"], fields["uptime"], fields["set"], fields["session"],
        fields["question"], 0, fields["value"], fields["pressed"], fields["body"],
    )  # fmt: skip


@cache
def question_sets() -> list[bytes]:
    """The national sets as they are kept."""
    return [canonical(body) for body in national_sets()]


@cache
def views() -> list[bytes]:
    """What button kiosks get of them."""
    return [view_bytes(body, "button5") for body in national_sets() if not view_faults(body, "button5")]


@cache
def wishes() -> list[bytes]:
    """Documents that a server might wish, from the barest to the fullest."""
    entry = {"number": 14, "hash": HASH, "from": None, "to": None, "hours": None}
    hours = {"mon": [["08:00", "16:00"]], "sun": []}
    later = entry | {
        "number": 15,
        "hash": HASH[::-1],
        "from": MONDAY_10,
        "to": MONDAY_10 + 1000,
        "hours": hours,
    }
    settings = {
        "lockout_ms": 1500,
        "repeat_ms": 400,
        "stuck_s": 20,
        "thanks_ms": 700,
        "sound": False,
        "language": 1,
    }
    settings |= {"report_s": 600, "keepalive_s": 20, "batch_bytes": 1024}
    settings["said"] = [{"id": 7, "until": MONDAY_10, "fi": ["Kylmä", "Lämmin"], "sv": ["Kallt", "Varmt"]}]
    offset = [[MONDAY_10, 120], [MONDAY_10 + 10**9, 180]]
    documents: list[dict[str, Any]] = [
        {"version": MONDAY_10, "sets": [], "offset": [], "settings": {}, "firmware": None},
        {
            "version": MONDAY_10,
            "sets": [entry, later],
            "offset": offset,
            "settings": settings,
            "firmware": None,
        },
        {"version": 1001, "sets": [entry], "offset": offset, "settings": {"sound": True}},
    ]
    return [json.dumps(document, separators=(",", ":")).encode() for document in documents]


def receipt(chance: Any) -> bytes:
    """One that counts, of each sort: all booked, a part, gone back, a twin, something rejected."""
    said = json.loads(GOOD_RECEIPT)
    said["through"] = chance.choice((120, 110, 104, 90, 0, 150, 151))
    said["seen"] = chance.choice((150, 151, 120))
    said["fork"] = chance.random() < 0.2
    if chance.random() < 0.3:
        said["rejected"] = [[104, 105, "value"], [110, 112, "crc"]]
    return json.dumps(said, separators=(",", ":")).encode()


def report(chance: Any) -> bytes:
    """A full one, or one of a kiosk that does not know much yet."""
    health: dict[str, Any] = {"reset": 1, "signal": -61, "supply": 5012, "temperature": 21.5, "heap": 61200}
    health |= {"flash": 1_800_000, "fill": 0.0124, "clock": 300, "buttons": [2], "slow": 0, "dropped": 0}
    health |= {"ignored": {"lockout": 3, "repeat": 1, "cleaning": 0}, "unreadable": 0, "uptime": 86400}
    if chance.random() < 0.3:
        health |= dict.fromkeys(("signal", "supply", "temperature", "clock"))
    said = {
        "v": 1, "board": "button_poe", "model": "button5", "firmware": "0.1.0", "build": 100, "slot": "a",
        "desired": MONDAY_10, "update": {"version": MONDAY_10, "result": "refused", "reason": "question set 14: no"},
        "sets": [[1, HASH]], "running": 1, "want": chance.choice((None, HASH)),
        "epochs": [[EPOCH - 1, 0, 40, 30], [EPOCH, 3, 100, 90]], "health": health,
    }  # fmt: skip
    return json.dumps(said, separators=(",", ":")).encode()


def state(chance: Any) -> bytes:
    """What a kiosk, or the broker for it, says of its presence."""
    said = {"state": chance.choice(("ready", "sleeping", "update", "lost")), "conn": 65537, "next": 960}
    return json.dumps(said).encode()


def log(chance: Any) -> bytes:
    """A crash report."""
    said = {
        "firmware": "0.1.0",
        "uptime": 77,
        "task": "link",
        "trace": "Traceback\n  OSError: 5",
        "lines": ["a", "b"],
    }
    return json.dumps(said).encode()


def down(chance: Any) -> bytes:
    """A stream of packets as a broker sends them to a kiosk."""
    packets = [b"\x20\x02\0\0", b"\x90\x05\0\1\0\0\0", b"\xd0\x00"]
    for _ in range(chance.randrange(1, 4)):
        name = chance.choice(("receipt", "receipt", "desired", "set", "other"))
        device = DEVICE if chance.random() < 0.85 else "kiosk0000002"
        payload = {
            "receipt": GOOD_RECEIPT,
            "desired": wishes()[1],
            "set": views()[0],
            "other": b"x" * chance.choice((0, 600, 5000)),
        }[name]
        packets.append(_publish(f"hymio/1/down/{device}/{name}", payload))
        if chance.random() < 0.2:
            packets.append(b"\xd0\x00")
    return b"".join(packets if chance.random() < 0.5 else packets[1:])


def up(chance: Any) -> bytes:
    """A stream of packets as a kiosk sends them to the broker, behind its CONNECT."""
    packets = [mqtt.subscribe([f"hymio/1/down/{DEVICE}/{name}" for name in ("receipt", "desired", "set")])]
    for _ in range(chance.randrange(1, 4)):
        name = chance.choice(("answers", "report", "state", "log"))
        packets.append(_publish(f"hymio/1/up/{DEVICE}/{name}", b"x" * chance.choice((2, 40, 600))))
    return b"".join([*packets, chance.choice((mqtt.PINGREQ, mqtt.DISCONNECT))])


def name_answer(chance: Any) -> bytes:
    """What a name server says: an address or more, behind aliases or not, or that there is none."""
    what = chance.randrange(4)
    if what == 0:
        return names.by_alias(NAME_QUERY, "10.1.2.3")
    if what == 1:
        return names.answer(NAME_QUERY, [], chance.choice((0, names.SERVER_FAILURE, names.NO_SUCH_NAME)))
    owner = chance.choice((names.ASKED_NAME, names.labels("mqtt.palaute.example"), b"\0"))
    found = [names.address(f"10.1.2.{place}", owner) for place in range(chance.randrange(1, 5))]
    if chance.random() < 0.5:
        found.insert(0, names.record(owner, chance.choice((names.TYPE_AAAA, 46)), bytes(16)))
    return names.answer(NAME_QUERY, found)


def _publish(topic: str, payload: bytes) -> bytes:
    return mqtt.publish_head(topic, len(payload)) + payload


def _record_case(seed: int) -> Case:
    mutator = Mutator(seed)
    held = records(mutator.chance)
    original = mutator.chance.choice(held)
    if mutator.chance.random() < 0.3:
        original = b"".join(held)
    data = mutator.of_bytes(original, b"".join(held))
    sealed = mutator.chance.random() < 0.4
    return Case(sealed_record(data) if sealed else data, original, sealed)


def sealed_record(data: bytes) -> bytes:
    """The first record of `data` with the CRC that its length field says where to find."""
    end = int.from_bytes(data[:2], "little")
    if len(data) < 28 or end + 4 > len(data):
        return data
    return data[:end] + struct.pack("<I", crc32(data[:end], EPOCH)) + data[end + 4 :]


def _batch_case(seed: int) -> Case:
    """Mutated as a whole; or one record of it, its own CRC right again; the message's CRC mostly right again, too."""
    mutator = Mutator(seed)
    chance = mutator.chance
    original, other = batch(chance), batch(chance)
    if chance.random() < 0.4:
        data = _with_mutated_record(mutator, original)
    else:
        data = mutator.of_bytes(original, other)
    sealed = chance.random() < 0.85
    if sealed and len(data) >= 4:
        data = data[:-4] + struct.pack("<I", crc32(data[:-4]))
    return Case(data, original, sealed)


def _with_mutated_record(mutator: Mutator, message: bytes) -> bytes:
    spots = []
    at = 40
    while at + 28 <= len(message) - 4:
        size = codec.size(message, at)
        spots.append((at, size))
        at += size
    if not spots:
        return mutator.of_bytes(message, message)
    at, size = mutator.chance.choice(spots)
    record = mutator.of_bytes(message[at : at + size], message)
    if mutator.chance.random() < 0.7:
        record = sealed_record(record)
    return message[:at] + record + message[at + size :]


def _json_case(make: Callable[[Any], bytes]) -> Callable[[int], Case]:
    def case(seed: int) -> Case:
        mutator = Mutator(seed)
        original = make(mutator.chance)
        return Case(mutator.of_json(original, make(mutator.chance)), original, False)

    return case


def _one_of(found: Callable[[], list[bytes]]) -> Callable[[Any], bytes]:
    return lambda chance: chance.choice(found())


def _stream_case(make: Callable[[Any], bytes]) -> Callable[[int], Case]:
    def case(seed: int) -> Case:
        mutator = Mutator(seed)
        original = make(mutator.chance)
        return Case(mutator.of_bytes(original, make(mutator.chance)), original, False)

    return case


CASES: dict[str, Callable[[int], Case]] = {
    "record": _record_case,
    "batch": _batch_case,
    "receipt": _json_case(receipt),
    "down": _stream_case(down),
    "up": _stream_case(up),
    "name": _stream_case(name_answer),
    "view": _json_case(_one_of(views)),
    "set": _json_case(_one_of(question_sets)),
    "wish": _json_case(_one_of(wishes)),
    "report": _json_case(report),
    "state": _json_case(state),
    "log": _json_case(log),
}

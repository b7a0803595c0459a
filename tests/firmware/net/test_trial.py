"""Network settings from the server are tried, kept after a receipt, and given up after ten minutes, whenever the power
fails: the kiosk always has those that were good, and never tries a version again that failed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kiosk import trial as steps
from kiosk import wish
from kiosk.clock import Uptime
from kiosk.store import Store, kept
from kiosk.tried import Tried

from tests.firmware.nor import PowerCut

IDENTITY = {
    "id": "kiosk0000001",
    "secret": "s" * 43,
    "host": "old.example",
    "port": 8883,
    "tls": True,
    "ca": "/ca",
}
NETWORK = {"ssid": "Old", "key": "old-secret"}
WISH = {"version": 7, "host": "new.example", "port": 8884}
TRYING, KEPT, BACK = "trying", "kept", "back"
GOOD = ("old.example", 8883, "Old", "old-secret")
NEW = ("new.example", 8884, "Old", "old-secret")
HALF_S = 0.5


class World:
    """One kiosk's flash and clock; `reachable` are the settings over which a receipt comes."""

    def __init__(self, root: Path, *reachable: tuple[Any, ...]) -> None:
        self.root = str(root)
        (root / "state").mkdir()
        self.reachable = reachable
        self.now_ms = 0
        self.powered_s = 0.0
        self.lines: list[str] = []
        self.boot()

    def boot(self) -> None:
        self.now_ms = 5
        self.identity, self.network = IDENTITY, NETWORK
        there = kept(self.root + "/state/network")
        if there:
            self.identity, self.network = steps.effective(self.root, IDENTITY, NETWORK)
        self.trial: Any = None
        if there:
            self.trial = Tried(self.root, Uptime(lambda: self.now_ms), self.lines.append)

    @property
    def uses(self) -> tuple[Any, ...]:
        return (
            self.identity["host"],
            self.identity["port"],
            self.network.get("ssid"),
            self.network.get("key"),
        )

    def run(self, seconds: float, wished: dict[str, Any] | None = None) -> None:
        """Powered for so long, restarting when that is asked for, as App does."""
        for _ in range(int(seconds / HALF_S)):
            reached = self.uses in self.reachable
            if self.trial is None:
                if wished is None:
                    continue
                self.trial = Tried(self.root, Uptime(lambda: self.now_ms), self.lines.append)
            self.trial.look(wished, reached, "" if reached else "connection refused")
            if self.trial.restart:
                self.boot()
            self.now_ms += int(HALF_S * 1000)
            self.powered_s += HALF_S


def test_what_brings_a_receipt_is_kept_over_power_cuts(tmp_path: Path) -> None:
    world = World(tmp_path, GOOD, NEW)
    world.run(5, WISH)
    assert (world.uses, world.trial.state) == (GOOD, TRYING), (
        "the server hears of it over the old network first"
    )
    world.run(10, WISH)
    assert (world.uses, world.trial.state) == (NEW, KEPT)
    world.boot()
    assert world.uses == NEW
    assert world.trial.report() == {"version": 7, "state": KEPT, "reason": ""}


def test_what_brings_none_is_given_up_after_ten_minutes_and_not_tried_again(tmp_path: Path) -> None:
    world = World(tmp_path, GOOD)
    world.run(15, WISH)
    assert world.uses == NEW
    world.run(580, WISH)
    assert world.uses == NEW
    world.run(30, WISH)
    assert world.uses == GOOD
    assert world.trial.report() == {"version": 7, "state": BACK, "reason": "connection refused"}
    world.run(1000, WISH)
    world.boot()
    world.run(1000, WISH)
    assert world.uses == GOOD
    held = Store(world.root + "/state/network").load()
    assert held is not None
    assert b"new.example" not in held
    world.run(15, {**WISH, "version": 8})
    assert world.uses == NEW, "a later version is tried"


def test_starts_use_up_the_time_so_that_no_kiosk_stays_lost_for_crashing(tmp_path: Path) -> None:
    world = World(tmp_path, GOOD)
    world.run(15, WISH)
    starts = 0
    while world.uses != GOOD:
        world.boot()
        starts += 1
    assert starts == 10
    assert world.trial.state == BACK


def test_what_was_kept_before_is_what_a_later_trial_goes_back_to(tmp_path: Path) -> None:
    world = World(tmp_path, GOOD, NEW)
    world.run(30, WISH)
    world.run(15, {"version": 8, "ssid": "Guests"})
    assert world.uses == ("new.example", 8884, "Guests", None), "another network has not the old one's key"
    world.run(700)
    assert world.uses == NEW
    world.run(15, {"version": 9, "ssid": ""})
    assert world.uses[2] == "", "by cable"


def cut_at(number: int, whole: bool) -> Callable[[Store, bytes], None]:
    """A `Store.save` whose `number`th call from now is cut short, before its end or just after it."""
    save = Store.save
    calls = [0]

    def cut(store: Store, body: bytes) -> None:
        calls[0] += 1
        if calls[0] != number:
            return save(store, body)
        serial = store._serial
        save(store, body)
        if not whole:
            path = Path(f"{store._path}.{(serial + 1) & 1}")
            path.write_bytes(path.read_bytes()[:-3])
        raise PowerCut

    return cut


@pytest.mark.parametrize("reaches", [True, False])
@pytest.mark.parametrize("whole", [True, False], ids=["after", "torn"])
@pytest.mark.parametrize("step", range(1, 15))
def test_a_power_cut_at_every_write_leaves_a_network_and_an_end(
    step: int, whole: bool, reaches: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, GOOD, *([NEW] if reaches else []))
    monkeypatch.setattr(Store, "save", cut_at(step, whole))
    cuts = 0
    for _ in range(4):
        try:
            world.run(720, WISH)
            break
        except PowerCut:
            cuts += 1
            try:
                world.boot()
            except PowerCut:  # not again: the number is passed
                raise AssertionError("two cuts at one step") from None
        assert world.uses in (GOOD, NEW)
    # Take, first start, kept; or take, start, nine minutes, the end: later numbers are not reached.
    assert cuts <= 1
    assert (world.uses, world.trial.state) == ((NEW, KEPT) if reaches else (GOOD, BACK))
    assert world.powered_s < 4 * 720


@given(st.lists(st.tuples(st.floats(1, 400), st.booleans()), max_size=12))
@settings(max_examples=25, deadline=None)
def test_no_series_of_power_cuts_keeps_a_kiosk_off_its_network(life: list[tuple[float, bool]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), GOOD)
        world.run(15, WISH)
        for seconds, cut in life:
            world.run(seconds)
            if cut:
                world.boot()
        world.run(610)
        assert world.uses == GOOD


def test_flash_that_takes_nothing_tries_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, GOOD)

    def full(*_: object) -> None:
        raise OSError(28)

    monkeypatch.setattr(Store, "save", full)
    world.run(60, WISH)
    assert world.uses == GOOD
    assert world.trial.report() == {"version": 7, "state": BACK, "reason": "the settings cannot be stored"}


def test_flash_that_fails_at_the_start_of_a_trial_uses_what_is_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, GOOD)
    world.run(5, WISH)

    def full(*_: object) -> None:
        raise OSError(28)

    monkeypatch.setattr(Store, "save", full)
    world.boot()
    assert world.uses == GOOD


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"state": "trying"}', b'{"version": 1, "state": 3}'])
def test_what_cannot_be_read_is_as_if_nothing_had_been_wished(body: bytes, tmp_path: Path) -> None:
    world = World(tmp_path, GOOD)
    Store(world.root + "/state/network").save(body)
    world.boot()
    assert world.uses == GOOD
    world.run(15, WISH)
    assert world.uses == NEW


def test_no_network_and_no_key_is_in_the_report_or_the_log(tmp_path: Path) -> None:
    world = World(tmp_path, GOOD)
    world.run(700, {"version": 7, "ssid": "Sairaala-2", "key": "hunter22"})
    told = f"{world.trial.report()} {world.lines}"
    assert "hunter22" not in told
    assert "Sairaala" not in told


@pytest.mark.parametrize(
    ("network", "what"),
    [
        ({}, "nothing to try"),
        ({"host": ""}, "host is no text"),
        ({"ssid": "x" * 33}, "ssid is no text"),
        ({"ssid": "å" * 17}, "ssid is no text"),
        ({"key": "k" * 64}, "key is no text"),
        ({"key": 12345678}, "key is no text"),
        ({"port": 0}, "port is not"),
        ({"port": 65_536}, "port is not"),
        ({"port": 1, "seconds": 601}, "seconds is not"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_by_its_field_without_its_values(
    network: Any, what: str, tmp_path: Path
) -> None:
    world = World(tmp_path, GOOD)
    world.run(700, {"version": 7, **network})
    told = world.trial.report()
    assert told is not None
    assert (told["state"], world.uses) == (BACK, GOOD)
    assert told["reason"].startswith(what)
    assert "kkk" not in told["reason"]
    assert "12345678" not in told["reason"]
    world.run(15, {"version": 8, "port": 8884})
    assert world.uses[1] == 8884


@pytest.mark.parametrize("network", ["new", {}, {"version": 0, "port": 1}, {"version": True, "port": 1}, []])
def test_a_wish_without_a_version_is_refused_with_its_document(network: Any) -> None:
    document = {"version": 5, "sets": [], "offset": [], "settings": {"network": network}}
    assert wish.fault(document) == "setting network: no version"
    document["settings"] = {"network": WISH}
    assert wish.fault(document) is None

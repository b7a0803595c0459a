"""A kiosk with a printed card asks what the card says: another set waits until somebody says that its card is in."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from kiosk.buttons import Buttons
from kiosk.card import Card
from kiosk.clock import Clock, Uptime
from kiosk.report import Report
from kiosk.sets import Sets
from kiosk.settings import Settings

from tests.firmware.front.kiosk_rig import QUESTION_SET, view_bytes

OLD = QUESTION_SET
NEW = {**QUESTION_SET, "number": 15}
HASH = {view["number"]: hashlib.sha256(view_bytes(view)).hexdigest() for view in (OLD, NEW)}


class World:
    """The sets of a card kiosk with its buttons; `cut` is a start from what is in flash."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.now_ms = 1_000_000
        self.log: list[str] = []
        self.said: str | None = None
        self.cut()

    def cut(self) -> None:
        uptime = Uptime(lambda: self.now_ms % (1 << 30))
        self.settings = Settings()
        self.sets = Sets(self.root, Clock(uptime), 5)
        self.card = Card(self.root, self.settings, self.log.append)
        self.sets.card = self.card
        self.buttons = Buttons(5, self.now_ms, 0, self.settings.get)
        self.buttons.card_waits = self.sets.waiting
        self.page(self.said)

    def plan(self, view: dict[str, Any]) -> None:
        """The server wishes this set and sends it when it is asked for."""
        hash = HASH[view["number"]]
        entry = {"number": view["number"], "hash": hash, "from": None, "to": None, "hours": None}
        self.sets.plan([entry])
        self.wished = view
        if self.sets.want() == hash:
            body = view_bytes(view)
            assert self.sets.begin(len(body)) is None
            self.sets.write(body)
            assert self.sets.finish() is None
        self.sets.switch()

    def page(self, hash: str | None) -> None:
        self.said = hash
        self.settings.update({} if hash is None else {"card": hash})

    def hold(self, mask: int, ms: int) -> None:
        """Buttons are held for so long, then let go; the program does what App does."""
        end = self.now_ms + ms
        while self.now_ms < end:
            self.buttons.scan(mask, self.now_ms)
            if self.buttons.card_changed:
                self.buttons.card_changed = False
                self.card.confirm(self.sets.waiting())
            self.sets.switch()
            self.now_ms += 25
        for _ in range(4):
            self.buttons.scan(0, self.now_ms)
            self.now_ms += 60

    @property
    def asked(self) -> int | None:
        number: int | None = self.sets.running
        return number


ENDS = 0b10001


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Asks set 14, whose card is in; set 15 is wished."""
    world = World(tmp_path)
    world.plan(OLD)
    assert world.asked is None, "nobody has said yet what is printed on the card"
    assert world.sets.waiting() == HASH[14]
    world.hold(ENDS, 5100)
    assert world.asked == 14
    world.plan(NEW)
    return world


def test_the_old_set_is_asked_until_the_card_was_changed(world: World) -> None:
    assert world.asked == 14
    assert world.sets.waiting() == HASH[15]
    world.cut()
    world.plan(NEW)
    assert world.asked == 14, "after a power cut too"


def test_the_outer_buttons_held_for_five_seconds_say_that_it_was(world: World) -> None:
    world.hold(ENDS, 4900)
    assert world.asked == 14
    world.hold(ENDS, 5100)
    assert world.asked == 15
    assert world.sets.waiting() is None
    world.cut()
    world.plan(NEW)
    assert world.asked == 15


def test_the_hold_that_changed_the_card_does_not_begin_cleaning_as_well(world: World) -> None:
    world.hold(ENDS, 20_000)
    assert world.asked == 15
    assert not world.buttons.cleaning
    world.hold(ENDS, 3100)
    assert world.buttons.cleaning, "with no set waiting the gesture is the cleaner's"
    assert world.asked == 15


@pytest.mark.parametrize("mask", [0b00001, 0b01001, 0b00110])
def test_other_buttons_held_as_long_change_no_card(world: World, mask: int) -> None:
    world.hold(mask, 8000)
    assert world.asked == 14


def test_the_page_can_say_so_too(world: World) -> None:
    world.page(HASH[15])
    world.sets.switch()
    assert world.asked == 15
    world.page(None)
    world.cut()
    world.plan(NEW)
    assert world.asked == 15, "what it said once holds"


def test_an_old_word_of_the_page_does_not_undo_a_change_at_the_kiosk(world: World) -> None:
    """The server may keep saying what was confirmed on the page long ago."""
    world.page(HASH[15])
    world.sets.switch()
    world.plan(OLD)
    assert world.asked == 15
    world.hold(ENDS, 5100)
    assert world.asked == 14
    world.plan(NEW)
    world.cut()
    world.plan(NEW)
    assert world.asked == 14, "the card for 14 is in, whatever was said before"
    assert world.sets.waiting() == HASH[15]


def test_the_page_may_say_so_before_the_set_has_come(world: World) -> None:
    """The card in the kiosk is the new one then: the old question would be answered by its faces."""
    world.plan({**NEW, "number": 14})  # wishes the old one again, and knows no other
    other = {**QUESTION_SET, "number": 16}
    HASH[16] = hashlib.sha256(view_bytes(other)).hexdigest()
    world.page(HASH[16])
    world.sets.switch()
    assert world.asked is None
    world.plan(other)
    assert world.asked == 16


def test_a_server_that_wants_nothing_asked_is_obeyed_at_once(world: World) -> None:
    world.sets.plan([])
    world.sets.switch()
    assert world.asked is None
    assert world.sets.waiting() is None


def test_flash_that_takes_no_word_leaves_everything_as_it_was(world: World) -> None:
    def full(body: bytes) -> None:
        raise OSError(28)

    world.card._store.save = full
    world.hold(ENDS, 5100)
    assert world.asked == 14
    assert "cannot be stored" in world.log[-1]


def test_the_report_says_what_waits(world: World, tmp_path: Path) -> None:
    class Desired:
        version, refusal = 1, None
        notes = staticmethod(lambda: None)

    class Journal:
        epoch = 7

    class Board:
        faces = 5

    report = Report(Board(), Journal(), None, None, world.sets, Desired())
    before = report.mark()
    assert HASH[15] in before
    report._health = dict
    for name in ("name", "model", "firmware", "build"):
        setattr(Board, name, "x")
    Journal.epochs = staticmethod(list)  # type: ignore[attr-defined]
    assert report.build()["card"] == HASH[15]
    world.hold(ENDS, 5100)
    assert report.build()["card"] is None
    assert report.mark() != before
    json.dumps(report.build())


def test_a_kiosk_without_a_card_waits_for_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.sets.card = None
    world.plan(OLD)
    assert world.asked == 14
    assert world.sets.waiting() is None

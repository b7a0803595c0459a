"""The display shows the page, whatever was shown before; only what changed is sent, and a finger is answered first."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from screens.page import Page
from screens.painter import Painter
from screens.widgets import Label, Panel

from tests import effort
from tests.firmware.screens import pieces

ASSETS = str(Path(__file__).resolve().parents[3] / "firmware" / "assets")
KITS = {mono: pieces.Kit(ASSETS, mono) for mono in (False, True)}
WHOLE_BYTES = 480 * 320 * 2
# 40 MHz, eight clocks a byte: what the display's bus moves in a millisecond.
BYTES_PER_MS = 40_000_000 // 8 // 1000

steps = st.lists(
    st.one_of(
        st.tuples(st.just("show"), st.integers(0, 13)),
        st.tuples(st.just("change"), st.integers(0, 13)),
        st.tuples(st.just("step"), st.integers(1, 6)),
        st.tuples(st.just("press"), st.integers(0, 30)),
        st.tuples(st.just("release"), st.just(0)),
        st.tuples(st.just("forget"), st.just(0)),
    ),
    min_size=1,
    max_size=12,
)


def painter_of(kit: pieces.Kit) -> tuple[Any, Painter]:
    screen = kit.screen()
    return screen, Painter(screen, kit.canvas())


def whole(kit: pieces.Kit, page: Any, pressed: Any = None) -> bytearray:
    """The page drawn in full on a fresh display."""
    screen, painter = painter_of(kit)
    painter.page, painter.pressed = page, pressed
    painter._waiting = [[0, 0, screen.width, screen.height]]
    while painter.step():
        pass
    return screen.pixels


@pytest.mark.parametrize("mono", [False, True], ids=["touch", "paper"])
@settings(max_examples=effort.pick(30, 100, 1_000), deadline=None)
@given(steps)
def test_after_any_sequence_of_pages_and_fingers_the_display_equals_a_full_drawing(
    mono: bool, steps: list[tuple[str, int]]
) -> None:
    kit = KITS[mono]
    screen, painter = painter_of(kit)
    pages = pieces.pages(kit)
    for what, number in steps:
        if what == "show":
            painter.show(pages[number])
            assert screen.pixels == whole(kit, pages[number])
        elif what == "change":
            painter.change(pages[number])
        elif what == "step":
            for _ in range(number):
                painter.step()
        elif what == "forget":
            screen.pixels[:] = b"\xa5" * len(screen.pixels)
            painter.forget()
        elif painter.page is not None:
            touchable = [widget for widget in painter.page.widgets if widget.action is not None]
            pressed = touchable[number % len(touchable)] if touchable and what == "press" else None
            painter.press(pressed)
    while painter.step():
        pass
    if painter.page is not None:
        assert screen.pixels == whole(kit, painter.page, painter.pressed)


def test_a_page_that_is_the_same_costs_nothing() -> None:
    kit = KITS[False]
    _, painter = painter_of(kit)
    painter.show(pieces.scale(kit))
    assert (painter.bytes, painter.bands) == (WHOLE_BYTES, 8)
    painter.show(pieces.scale(kit))
    assert (painter.bytes, painter.bands) == (WHOLE_BYTES, 8)


def test_a_finger_on_a_face_is_answered_in_one_band_and_a_tenth_of_the_time_that_it_may_take() -> None:
    kit = KITS[False]
    _, painter = painter_of(kit)
    page = pieces.scale(kit)
    painter.show(page)
    for widget in page.widgets:
        if widget.action is not None:
            before = painter.bytes, painter.bands
            painter.press(widget)
            spent = painter.bytes - before[0]
            assert (
                spent == (widget.rect[2] + 4) * (widget.rect[3] + 4) * 2
                or widget.rect[1] < 2
                or widget.rect[0] < 2
            )
            assert painter.bands == before[1] + 1
            assert spent / BYTES_PER_MS < 10
            painter.press(None)


def test_a_finger_is_drawn_before_a_page_that_is_on_its_way() -> None:
    kit = KITS[False]
    screen, painter = painter_of(kit)
    page = pieces.scale(kit)
    painter.show(Page([], page.theme))
    painter.change(page)
    painter.step()
    face = page.widgets[-1]
    before = bytes(screen.pixels)
    painter.press(face)
    x, y = face.rect[0] + 2, face.rect[1] + 20
    at = (y * screen.width + x) * 2
    assert screen.pixels[at : at + 2] != before[at : at + 2]
    assert painter.step()


def test_a_chosen_face_and_a_second_of_the_countdown_send_only_themselves() -> None:
    kit = KITS[False]
    _, painter = painter_of(kit)
    painter.show(pieces.scale(kit))
    for page, most in (
        (pieces.scale(kit, chosen=2), 80 * 136 * 2),
        (pieces.scale(kit, chosen=2, left=19), 164 * 40 * 2),
    ):
        before = painter.bytes
        painter.show(page)
        assert 0 < painter.bytes - before <= most


def test_another_theme_and_a_display_that_was_off_are_drawn_whole() -> None:
    kit = KITS[False]
    _, painter = painter_of(kit)
    painter.show(pieces.scale(kit))
    painter.show(pieces.scale(kit, "dark"))
    assert painter.bytes == 2 * WHOLE_BYTES
    painter.forget()
    painter.show(pieces.scale(kit, "dark"))
    assert painter.bytes == 3 * WHOLE_BYTES


def test_others_run_between_the_bands_of_a_page() -> None:
    kit = KITS[False]
    _, painter = painter_of(kit)
    seen = []

    async def story() -> None:
        async def watch() -> None:
            while True:
                seen.append(painter.bands)
                await asyncio.sleep(0)

        watcher = asyncio.create_task(watch())
        await painter.flow(pieces.scale(kit))
        watcher.cancel()

    asyncio.run(story())
    assert sorted(set(seen)) == list(range(1, 8))


def test_a_touch_means_the_widget_whose_area_holds_it() -> None:
    kit = KITS[False]
    page = pieces.scale(kit)
    face = page.widgets[-1]
    x, y, width, height = face.rect
    assert page.hit(x, y) is face
    assert page.hit(x + width - 1, y + height - 1) is face
    assert page.hit(x + width, y) is not face
    assert page.hit(200, 80) is None, "a label has no action"
    face.area = (x - 10, y - 10, width + 20, height + 20)
    assert page.hit(x + width + 9, y + height + 9) is face


def test_what_does_not_fit_is_told_by_its_role() -> None:
    kit = KITS[False]
    theme = kit.theme("light")
    label = Label((0, 0, 60, 30), "Terveydenhuoltohenkilökunta", [kit.middle, kit.small], role="question")
    assert Page([Panel((0, 0, 9, 9)), label], theme).overflows == [
        ("question", "Terveydenhuoltohenkilökunta")
    ]

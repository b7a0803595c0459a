"""A text keeps its words, goes in lines no wider than its box, and is drawn as large as it fits."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from screens import fonts
from screens.fit import SOFT_HYPHEN, best, wrap

ASSETS = str(Path(__file__).resolve().parents[3] / "firmware" / "assets")
FONTS = fonts.load(ASSETS, ("s", "m", "l", "p20"))
LARGEST_FIRST = [FONTS["l"], FONTS["m"], FONTS["s"]]

letters = st.sampled_from("aäö iilmnWŠđ.,-" + SOFT_HYPHEN)
texts = st.lists(st.text(letters, min_size=1, max_size=14), max_size=12).map(" ".join)
some_font = st.sampled_from(sorted(FONTS)).map(FONTS.__getitem__)


@given(texts, some_font, st.integers(20, 480))
def test_wrapping_keeps_every_word_in_its_order(text: str, font: fonts.Font, width: int) -> None:
    text = text.replace("-", "")
    lines = wrap(text, font, width)
    kept = "".join(line.replace(" ", "").removesuffix("-") for line in lines)  # hyphens were put in
    assert kept == "".join(text.split()).replace(SOFT_HYPHEN, "")


@given(texts, some_font, st.integers(20, 480))
def test_a_line_is_too_wide_only_when_one_piece_of_a_word_is(text: str, font: fonts.Font, width: int) -> None:
    for line in wrap(text, font, width):
        if font.width(line) > width:
            assert " " not in line
            pieces = [piece for word in text.split() for piece in word.split(SOFT_HYPHEN)]
            assert any(font.width(piece + "-") > width for piece in pieces)


@given(texts, some_font, st.integers(20, 480))
def test_lines_are_as_full_as_can_be(text: str, font: fonts.Font, width: int) -> None:
    """The first word of a line would not have fitted on the line before it."""
    lines = wrap(text.replace(SOFT_HYPHEN, ""), font, width)
    for line, following in zip(lines, lines[1:], strict=False):
        assert font.width(f"{line} {following.split(' ')[0]}") > width


@given(texts, st.integers(20, 480), st.integers(10, 320))
def test_what_is_said_to_fit_fits_and_no_larger_font_would(text: str, width: int, height: int) -> None:
    font, lines, fits = best(text, LARGEST_FIRST, width, height)

    def well(one: fonts.Font) -> bool:
        found = wrap(text, one, width)
        return len(found) * one.height <= height and all(one.width(line) <= width for line in found)

    assert lines == wrap(text, font, width)
    assert fits == well(font)
    larger = LARGEST_FIRST[: LARGEST_FIRST.index(font)]
    assert not any(well(one) for one in larger)


def test_a_word_is_broken_at_a_soft_hyphen_only_when_it_has_no_room_on_a_line_of_its_own() -> None:
    font = FONTS["m"]
    word = "henkilö\u00adtunnuksia"
    whole = font.width("henkilötunnuksia")
    assert wrap(f"Älä kirjoita {word}", font, whole) == ["Älä kirjoita", "henkilötunnuksia"]
    assert wrap(word, font, whole - 1) == ["henkilö-", "tunnuksia"]
    assert best("henkilötunnuksia", [font], whole - 1, 300)[2] is False


def test_a_line_break_in_a_text_is_kept() -> None:
    assert wrap("Kiitos!\nTack!\nThank you!", FONTS["s"], 400) == ["Kiitos!", "Tack!", "Thank you!"]

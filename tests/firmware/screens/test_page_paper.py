"""The e-paper page: question in three languages, answers' words where the buttons are, nothing cut off unseen."""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import paper_pages
from paper_pages import FOLDER, FONTS, HEIGHT, LANGUAGES, STATES, WIDTH, items, question, state, view

from fleet_server.screens.png import frame


def smiley(
    labels: list[str], text: str = "Miten käynti sujui?", languages: tuple[str, ...] = ("fi",)
) -> dict[str, Any]:
    asked = {
        "position": 0,
        "text": dict.fromkeys(languages, text),
        "labels": dict.fromkeys(languages, labels),
    }
    return {"languages": list(languages), "questions": [asked], "button": {"question": 0}}


def ink(page: Any) -> list[tuple[int, int]]:
    """Black pixels."""
    pixels = frame(page, WIDTH, HEIGHT, mono=True).pixels
    return [
        (x, y)
        for y in range(HEIGHT)
        for x in range(WIDTH)
        if not pixels[(y * WIDTH + x) >> 3] >> (7 - (x & 7)) & 1
    ]


@pytest.mark.parametrize("first", range(3))
@pytest.mark.parametrize("item", items(), ids=lambda item: item["code"])
def test_every_question_for_buttons_fits_whichever_language_comes_first(
    item: dict[str, Any], first: int
) -> None:
    page = question(view(item), first)
    assert page.overflows == []
    said = [piece for piece in page.widgets if piece.role == "question"]
    order = [LANGUAGES[first], *[code for code in LANGUAGES if code != LANGUAGES[first]]]
    assert [piece.text for piece in said] == [item["text"][code]["text"] for code in order]
    heights = [piece._font.height for piece in said]
    assert heights == sorted(heights, reverse=True), "the first language is the largest"
    tops = [piece.rect[1] for piece in said]
    assert tops == sorted(tops)


@pytest.mark.parametrize("item", items(), ids=lambda item: item["code"])
def test_both_ends_of_the_answers_are_named_in_every_language_on_their_side(item: dict[str, Any]) -> None:
    page = question(view(item))
    words = {piece.text: piece.rect for piece in page.widgets if piece.role.startswith("label")}
    for language in LANGUAGES:
        first, last = item["labels"][language][0], item["labels"][language][-1]
        assert words[first][0] < WIDTH // 2 <= words[last][0] + words[last][2] // 2


def test_short_answers_stand_each_under_its_button() -> None:
    labels = ["Hyvin", "Ok", "Niin", "Huono", "Ei"]
    page = question(smiley(labels))
    found = {piece.text: piece.rect for piece in page.widgets if piece.role.startswith("label")}
    for number, label in enumerate(labels):
        x, _, width, _ = found[label]
        assert x + width // 2 == number * 80 + 40
    assert page.overflows == []


def test_nothing_is_drawn_outside_or_over_something_else() -> None:
    for name, page in paper_pages.pages():
        rects = [piece.rect for piece in page.widgets]
        if name.startswith("sign"):
            rects = rects[:-1]  # it stands beside what is written, on what its rectangle leaves free
        for number, (x, y, width, height) in enumerate(rects):
            assert x >= 0
            assert y >= 0
            assert x + width <= WIDTH
            assert y + height <= HEIGHT
            for left, top, wide, high in rects[:number]:
                apart = x + width <= left or left + wide <= x or y + height <= top or top + high <= y
                assert apart, (rects[number], (left, top, wide, high))
        assert all(2 <= x < WIDTH - 2 and 2 <= y < HEIGHT - 2 for x, y in ink(page))


def test_a_text_without_room_is_told_and_not_drawn_over_the_answers() -> None:
    long = " ".join(["palvelukokemus"] * 14)
    page = question(smiley(["a", "b", "c", "d", "e"], long, LANGUAGES))
    assert ("question", long) in page.overflows
    bottom = max(y + height for x, y, width, height in [p.rect for p in page.widgets if p.role == "question"])
    top = min(p.rect[1] for p in page.widgets if p.role.startswith("label"))
    assert bottom <= top


def test_a_word_wider_than_the_page_is_told() -> None:
    word = "lääkkeenmääräämiskäytäntöjenkehittämistyöryhmän"
    assert question(smiley(["a", "b", "c", "d"], word)).overflows == [("question", word)]


def test_answers_without_room_are_told() -> None:
    labels = ["Erittäin tyytyväinen kaikkeen saamaani palveluun", "b", "c", "d", "Ei"]
    page = question(smiley(labels, languages=("fi", "sv", "en")))
    assert ("label 1", labels[0]) in page.overflows


def test_at_most_three_languages_are_shown_the_chosen_one_first() -> None:
    languages = ("fi", "sv", "en", "sme")
    seen = smiley(["1", "2", "3", "4"], languages=languages)
    seen["questions"][0]["text"] = {code: f"Kysymys {code}" for code in languages}
    page = question(seen, 3)
    said = [piece.text for piece in page.widgets if piece.role == "question"]
    assert said == ["Kysymys sme", "Kysymys fi", "Kysymys sv"]


@pytest.mark.parametrize("item", items(), ids=lambda item: item["code"])
def test_every_page_has_room_for_the_sign_on_blank_paper(item: dict[str, Any]) -> None:
    page = question(view(item))
    written = ink(page)
    paper_pages.paper._add(page, 1, paper_pages.Size, paper_pages.PICTURES["pcorner"])
    x, y, width, height = page.widgets[-1].rect
    assert (width, height) == (24, 24)
    assert not [at for at in written if x - 4 <= at[0] < x + 28 and y - 4 <= at[1] < y + 28]


@pytest.mark.parametrize("name", STATES)
def test_a_page_without_a_question_says_why_in_three_languages(name: str) -> None:
    page = state(name)
    assert page.overflows == []
    assert len([piece for piece in page.widgets if piece.role == name]) == 3
    assert len(ink(page)) > 1000


@pytest.mark.parametrize(
    ("name", "page"), list(paper_pages.pages()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_page_looks_like_its_reference(name: str, page: Any, tmp_path: Path) -> None:
    drawn = paper_pages.png(page)
    reference = FOLDER / name
    if not reference.exists() or drawn != reference.read_bytes():
        (tmp_path / name).write_bytes(drawn)
        pytest.fail(
            f"{name}: is {tmp_path / name}, was {reference}. Compare them; when the new one is right, renew with "
            "python tests/firmware/screens/paper_pages.py"
        )


def test_no_reference_is_left_of_a_page_that_is_gone() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {name for name, _ in paper_pages.pages()}
    assert all(FONTS[name].bits == 1 for name in FONTS)

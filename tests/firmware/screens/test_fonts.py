"""The committed fonts and pictures are whole, have every letter that a question may have, and cost a kiosk little."""

import json
import struct
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kiosk.compat import crc32
from screens import fonts
from screens.fonts import CORNER, ICONS, SIGNS, Font, Picture, load, missing, pictures

ROOT = Path(__file__).resolve().parents[3]
ASSETS = ROOT / "firmware" / "assets"
QUESTIONS = ROOT / "fleet_server" / "questions" / "data"
GREY, PAPER = ("s", "m", "l"), ("p20", "p30", "p44")
ALL = GREY + PAPER
ASCII = "".join(map(chr, range(32, 127)))
FINNISH_SWEDISH = "åäöÅÄÖéÉšžŠŽ"
SAMI = "áčđŋšŧžâõǥǧǩʒǯåäöÁČĐŊŠŦŽÂÕǤǦǨƷǮÅÄÖʹ"
SIGNS_IN_TEXTS = "–—’‘”“…•€°·"


@pytest.fixture(scope="module")
def all_fonts() -> dict[str, Font]:
    return load(str(ASSETS), ALL)


def texts(value: Any) -> str:
    """Everything that is text in a JSON value."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "".join(map(texts, value.values()))
    return "".join(map(texts, value)) if isinstance(value, list) else ""


@pytest.mark.parametrize("name", ALL)
def test_every_letter_of_finnish_swedish_english_and_the_sami_languages_is_there(
    name: str, all_fonts: dict[str, Font]
) -> None:
    letters = all_fonts[name].letters()
    assert missing(ASCII + FINNISH_SWEDISH + SAMI + SIGNS_IN_TEXTS, letters) is None


@pytest.mark.parametrize("path", sorted(QUESTIONS.glob("*.json")), ids=lambda path: path.name)
def test_every_letter_of_the_national_questions_is_there(path: Path, all_fonts: dict[str, Font]) -> None:
    said = texts(json.loads(path.read_text("utf-8")))
    for font in all_fonts.values():
        assert missing(said, font.letters()) is None


def test_all_sizes_have_the_same_letters(all_fonts: dict[str, Font]) -> None:
    assert len({font.letters() for font in all_fonts.values()}) == 1


def test_a_letter_that_no_font_has_is_named_and_drawn_as_a_box(all_fonts: dict[str, Font]) -> None:
    for font in all_fonts.values():
        assert missing("Привет", font.letters()) == "П"
        assert not font.has("П")
        box = [bytes(part) if isinstance(part, memoryview) else part for part in font.glyph("□")]
        pixels, *rest = font.glyph("П")
        assert [bytes(pixels), *rest] == box
        assert font.width("П") == font.width("□")


@pytest.mark.parametrize("name", ALL)
def test_a_font_file_is_what_its_head_says(name: str) -> None:
    content = (ASSETS / f"{name}.font.bin").read_bytes()
    magic, bits, height, ascent, count, size, largest = struct.unpack_from("<4sBBBxHHH", content)
    assert (magic, bits) == (b"HyF1", 4 if name in GREY else 1)
    assert len(content) == 14 + 10 * count + size < 1 << 16
    rows = [struct.unpack_from("<HHBBbBB", content, 14 + 10 * i) for i in range(count)]
    codes = [row[0] for row in rows]
    assert codes == sorted(set(codes))
    assert codes[:95] == list(range(32, 127)), "ASCII is found by counting"
    at = 0
    for code, offset, width, letter_height, left, top, advance in rows:
        per_byte = 8 // bits
        used = (width + per_byte - 1) // per_byte * letter_height
        assert (offset, used <= largest) == (at, True), chr(code)
        assert top + letter_height <= height, f"{chr(code)!r} reaches out of its line"
        assert -height // 4 <= left <= advance, chr(code)
        at += used
    assert at == size
    assert 0 < ascent < height


def test_letters_look_like_letters(all_fonts: dict[str, Font]) -> None:
    """Each has ink (but blanks), capitals stand on the baseline, an accent changes the picture."""
    for font in all_fonts.values():
        shapes = {}
        for letter in font.letters():
            pixels, width, height, _, _, top, _ = font.glyph(letter)
            assert any(pixels) == (width > 0) == (letter not in " \u00a0\u00ad"), repr(letter)
            shapes[letter] = (bytes(pixels), width)
            if letter in "ABDEFHIKLMNPRTXYZÄÅŽÁ":
                assert top + height == font.ascent, letter
        assert font.width("\u00ad") == 0
        for letter in SAMI + FINNISH_SWEDISH:
            plain = unicodedata.normalize("NFD", letter)[0]
            assert plain == letter or shapes[plain] != shapes[letter], letter


def test_reading_letter_by_letter_gives_what_loading_whole_gives(all_fonts: dict[str, Font]) -> None:
    for name, font in all_fonts.items():
        by_letter = Font(str(ASSETS / f"{name}.font.bin"), False)
        for letter in font.letters():
            (pixels, *rest), (again, *more) = font.glyph(letter), by_letter.glyph(letter)
            assert (bytes(pixels), rest) == (bytes(again), more)
        by_letter.close()


def test_the_five_faces_differ_in_mouth_and_in_brows() -> None:
    """Whoever sees no colour sees five moods: at least a quarter of the strokes lies elsewhere."""
    for name in ("face84", "face60", "pface48"):
        picture = Picture(str(ASSETS / f"{name}.picture.bin"), True)
        assert picture.count == 5
        frames = [grid(picture, index) for index in range(5)]
        middle = range(picture.w // 5, picture.w * 4 // 5)
        for part in (range(picture.h // 5, picture.h * 2 // 5), range(picture.h // 2, picture.h * 9 // 10)):
            features = [[frame[y][x] for y in part for x in middle] for frame in frames]
            for one in range(5):
                strokes = min(sum(features[one]), len(features[one]) - sum(features[one]))
                for other in range(one):
                    differing = sum(a != b for a, b in zip(features[one], features[other], strict=True))
                    assert differing >= strokes / 4, (name, part, one, other)


def grid(picture: Picture, index: int) -> list[list[bool]]:
    pixels, width, height, stride = picture.frame(index)
    if picture.bits == 1:
        return [
            [bool(pixels[(y * stride + x) >> 3] >> (7 - (x & 7)) & 1) for x in range(width)]
            for y in range(height)
        ]
    return [
        [(pixels[(y * stride + x) >> 1] >> (0 if x & 1 else 4) & 15) > 7 for x in range(width)]
        for y in range(height)
    ]


def test_pictures_are_what_screens_ask_for_by_name() -> None:
    touch, paper = pictures(str(ASSETS), "touch"), pictures(str(ASSETS), "paper", False)
    assert {name: (p.w, p.h, p.count, p.bits) for name, p in touch.items()} == {
        "face84": (84, 84, 5, 4), "face60": (60, 60, 5, 4), "icons": (32, 32, len(ICONS), 4),
        "corner": (24, 24, len(CORNER), 4),
    }  # fmt: skip
    assert {name: (p.w, p.h, p.count, p.bits) for name, p in paper.items()} == {
        "pface48": (48, 48, 5, 1), "psigns": (64, 64, len(SIGNS), 1),
        "pcorner": (24, 24, len(CORNER), 1),
    }  # fmt: skip
    assert len({bytes(touch["icons"].frame(index)[0]) for index in ICONS.values()}) == len(ICONS)
    for name, picture in paper.items():
        whole = Picture(str(ASSETS / f"{name}.picture.bin"), True)
        for index in range(picture.count):
            assert bytes(picture.frame(index)[0]) == bytes(whole.frame(index)[0])
        picture.close()
    with pytest.raises(IndexError, match="no frame 5"):
        touch["face84"].frame(5)


def test_the_drawings_have_the_order_of_their_names() -> None:
    import ast

    tree = ast.parse((ROOT / "tools" / "drawings.py").read_text("utf-8"))
    named = {
        target.id: [key.value for key in node.value.keys if isinstance(key, ast.Constant)]
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert named["ICONS"] == sorted(ICONS, key=lambda name: ICONS[name])
    assert named["CORNER_SIGNS"] == list(CORNER)
    assert named["PAPER_SIGNS"] == sorted(SIGNS, key=lambda name: SIGNS[name])


def test_the_licence_of_the_letters_is_kept_beside_them() -> None:
    vendored = ROOT / "fleet_server/web/static/vendor/source-sans-3/LICENSE.txt"
    assert (ASSETS / "LICENSE").read_bytes() == vendored.read_bytes()
    assert b"SIL OPEN FONT LICENSE" in (ASSETS / "LICENSE").read_bytes().upper()


def test_a_file_that_is_no_font_is_refused_by_name(tmp_path: Path) -> None:
    other = tmp_path / "x.font.bin"
    other.write_bytes(b"something else")
    with pytest.raises(ValueError, match=r"x\.font\.bin"):
        Font(str(other), True)
    with pytest.raises(ValueError, match=r"x\.font\.bin"):
        Picture(str(other), True)


@pytest.mark.parametrize("way", ["loaded", "file"])
def test_micropython_reads_the_same_pixels_within_its_memory(
    way: str, all_fonts: dict[str, Font], micropython_program: Callable[..., Any]
) -> None:
    told = micropython_program("screens/fonts_probe.py", "256K", 60, ASSETS, way)
    for name, font in all_fonts.items():
        crc = 0
        for letter in font.letters():
            pixels, *rest = font.glyph(letter)
            crc = crc32(bytes(pixels), crc32(repr(rest).encode(), crc))
        seen = told["fonts"][name]
        assert seen["crc"] == crc, name
        assert seen["garbage"] <= 96, (name, seen)
    for names in (GREY, PAPER):
        whole = sum((ASSETS / f"{name}.font.bin").stat().st_size for name in names)
        assert told["kept"][names[0]] <= (whole + 2048 if way == "loaded" else 9 * 1024), told["kept"]
    for screen in ("touch", "paper"):
        for name, picture in pictures(str(ASSETS), screen).items():
            crc = 0
            for index in range(picture.count):
                crc = crc32(bytes(picture.frame(index)[0]), crc)
            assert told["pictures"][name] == crc


def test_the_reader_itself_is_small(compiled_firmware: Path) -> None:
    """Code costs 2.2 bytes of heap a byte; the e-paper kiosk loads it for each drawing."""
    assert (compiled_firmware / "screens" / "fonts.mpy").stat().st_size < 3072
    assert fonts.missing("", "") is None

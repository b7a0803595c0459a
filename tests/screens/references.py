"""Renews the reference pictures of the screens, and the checksums of those that have no picture.

    .venv/bin/python tests/screens/references.py

Knows no test. Invariant: every screen has a picture in every language, and one in each mode; every screen in every
language with every combination of modes has a checksum. Whoever renews them looks at what has changed.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from fleet_server.screens import drawing  # noqa: E402
from fleet_server.screens.png import frame  # noqa: E402
from tests.screens.pictures import HEIGHT, WIDTH, Pixels, kept, rows  # noqa: E402
from tests.screens.scenes import COMBINATIONS, LANGUAGES, MODES, Screen, screens  # noqa: E402

FOLDER = Path(__file__).resolve().parent / "reference"
CHECKSUMS = FOLDER / "checksums.txt"
Reference = tuple[str, Screen, int, tuple[str, ...]]


def pictured() -> Iterator[Reference]:
    """(file name, screen, language, modes) of every kept picture."""
    for number, screen in enumerate(screens()):
        for language in range(len(screen.languages)):
            yield _name(screen, language, ()), screen, language, ()
        # The languages take turns in the modes: three times the pictures would show little more.
        for turn, mode in enumerate(MODES):
            language = (number + turn) % len(screen.languages)
            yield _name(screen, language, (mode,)), screen, language, (mode,)


def everything() -> Iterator[Reference]:
    """The same of every screen, language and combination of modes."""
    for screen in screens():
        for language in range(len(screen.languages)):
            for modes in COMBINATIONS:
                yield _name(screen, language, modes), screen, language, modes


def picture(reference: Reference) -> Pixels:
    """What it looks like today."""
    return rows(_pixels(reference))


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    pictures = {reference[0] for reference in pictured()}
    sums = []
    for reference in everything():
        pixels = _pixels(reference)
        sums.append(f"{crc32(pixels):08x} {reference[0]}\n")
        if reference[0] in pictures:
            (FOLDER / reference[0]).write_bytes(kept(rows(pixels)))
    CHECKSUMS.write_text("".join(sums))
    for path in FOLDER.glob("*.png"):
        if path.name not in pictures:
            path.unlink()
    size = sum(path.stat().st_size for path in FOLDER.iterdir())
    print(f"{len(pictures)} pictures and {len(sums)} checksums, {size} bytes")


def _pixels(reference: Reference) -> bytes:
    """As they go to the display."""
    _, screen, language, modes = reference
    page = drawing.page(screen.scene, screen.view, language, modes)
    return bytes(frame(page, WIDTH, HEIGHT, mono=False).pixels)


def _name(screen: Screen, language: int, modes: tuple[str, ...]) -> str:
    where = [LANGUAGES[language]] if screen.view else []
    return ".".join([screen.name, *where, *modes, "png"])


if __name__ == "__main__":
    main()

"""Writes what pages_probe.py reads: screens in a file, a line for each. Knows nothing of what becomes of them."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.screens.scenes import Screen


def write_job(path: Path, pages: Iterable[tuple[Screen, int, Sequence[str]]]) -> None:
    """(screen, language, modes) each; a line with the view comes before the first screen that needs it."""
    view = None
    with path.open("w", encoding="utf-8") as file:
        for screen, language, modes in pages:
            if screen.view != view:
                view = screen.view
                file.write(json.dumps(view) + "\n")
            file.write(json.dumps([screen.scene, language, modes]) + "\n")

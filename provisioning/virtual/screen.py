"""What a virtual kiosk's screen shows: the file that the firmware draws in, counted and turned into a picture.

It knows no process. Invariant: the number of a frame never goes back while the runner lives, and e-paper keeps
its picture without power.
"""

import base64
from pathlib import Path
from typing import Any

from provisioning.models import Model
from provisioning.png import png

_WHITE, _DARK = b"\xff", b"\x00"


class Screen:
    """The screen of one kiosk. The file is made when it is missing or of another size."""

    def __init__(self, path: Path, model: Model) -> None:
        assert model.size
        self._paper = model.screen == "paper"
        self._path = path
        self._width, self._height = model.size
        pixels = self._width * self._height
        # E-paper's file has a second half: what the controller holds and does not show yet.
        self._shown_bytes = pixels // 8 if self._paper else 2 * pixels
        size = 2 * self._shown_bytes if self._paper else self._shown_bytes
        self._frame = 0
        self._figures: dict[str, Any] = {}
        if not path.is_file() or path.stat().st_size != size:
            path.touch(mode=0o600)
            path.write_bytes((_WHITE if self._paper else _DARK) * size)

    def facts(self) -> dict[str, Any]:
        """frame: number of the picture; and what the display said with it."""
        return {"frame": self._frame, **self._figures}

    def updated(self, event: dict[str, Any]) -> dict[str, Any]:
        """The firmware's word of a finished update, with our number: its own begins anew with each start."""
        self._frame += 1
        self._figures = {key: event[key] for key in ("written", "refreshes") if key in event}
        return self.facts()

    def lose_power(self) -> bool:
        """Without power a touchscreen is dark; returns whether that is to be seen."""
        if self._paper:
            return False
        # In place: the firmware of the next start opens the same file.
        with self._path.open("r+b") as file:
            file.write(_DARK * self._shown_bytes)
        self._frame += 1
        return True

    def picture(self) -> dict[str, Any]:
        """frame and png (base64)."""
        with self._path.open("rb") as file:
            pixels = file.read(self._shown_bytes)
        picture = png(pixels, self._width, self._height)
        return {"frame": self._frame, "png": base64.b64encode(picture).decode()}

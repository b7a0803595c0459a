"""Pages of the kiosks' screens as the firmware lays them out, for the server. Knows no database.

Invariant: what is drawn here is what the kiosk draws: the same modules, fonts and pictures on the same canvas.
"""

import json
import threading
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from screens import fonts as reader
from screens import page_paper, pages

from fleet_server.screens import ASSETS
from fleet_server.screens.png import frame
from provisioning.models import model_of

FONTS = {"touch": ("s", "m", "l"), "paper": ("p20", "p30", "p44")}
# A font hands out each letter in one and the same place: one drawing at a time.
_drawing = threading.Lock()


def page(
    scene: Mapping[str, Any], view: Mapping[str, Any], language: int = 0, mode: Iterable[str] = ()
) -> Any:
    """The page (screens.page.Page) that a touch kiosk shows; its `overflows` say what does not fit."""
    return pages.build(scene, view, language, frozenset(mode), fonts("touch"), pictures("touch"))


def paper_page(scene: Mapping[str, Any], view: Mapping[str, Any], language: int = 0) -> Any:
    """The page that a button kiosk shows on its e-paper, from its own view of a set."""
    return page_paper.build(scene, view, language, (), fonts("paper"), pictures("paper"))


def read_view(raw: bytes) -> dict[str, Any]:
    """A view as a kiosk has it after reading its bytes."""
    read: dict[str, Any] = json.loads(raw)
    return read


def picture(page: Any, model: str) -> bytes:
    """`page` as a PNG of the size and colours of that model's screen.

    Raises:
        ProvisioningError: there is no such model.
        ValueError: it has no screen.
    """
    kind = model_of(model)
    if kind.size is None:
        raise ValueError(f"model '{model}' has no screen to draw on")
    width, height = kind.size
    with _drawing:
        return frame(page, width, height, kind.screen == "paper").png()


@cache
def fonts(screen: str) -> dict[str, Any]:
    """The fonts of "touch" or "paper", read once."""
    return dict(reader.load(str(ASSETS), FONTS[screen]))


@cache
def letters(screen: str) -> frozenset[str]:
    """What every font of this screen can draw, with a new line and the place where a word may be broken."""
    known = frozenset.intersection(*(frozenset(font.letters()) for font in fonts(screen).values()))
    return known | {"\n", "\u00ad"}


@cache
def pictures(screen: str) -> dict[str, Any]:
    """The pictures of "touch" or "paper", read once."""
    return dict(reader.pictures(str(ASSETS), screen))

"""What every page is laid out on: the measures of the screen, the texts in the visitor's language, the modes.

Knows no page. Invariant: each text comes from the question set, in the language asked for; one that it lacks is empty.
Measures are pixels of 480x320 on 84x56 mm: 5.7 to the millimetre.
"""

from kiosk.compat import const

from screens.fonts import ICONS
from screens.page import Page
from screens.theme import THEMES

WIDTH = const(480)
HEIGHT = const(320)
MIDDLE = const(160)  # low reach: nothing to be touched lies above
MARGIN = const(12)
GAP = const(6)
TOUCH = const(46)  # 8 mm: the least height, and width, of what has no measure of its own
TARGET_WIDTH = const(69)  # 12 mm: faces and steps of agreement, 15 mm high and 2 mm apart
TARGET_HEIGHT = const(86)
TARGET_GAP = const(12)
SCALE = const(58)  # 10 mm: a number of the 0-10 scale


class Sheet:
    """Gathers the widgets of one page. scene, view, language and mode: see pages.build."""

    def __init__(self, scene, view, language, mode, fonts, pictures):
        self.scene = scene
        self.view = view
        self.language = language
        self.code = view["languages"][language] if view else ""
        self.mode = mode
        self.large = "large" in mode
        self.low = "low" in mode
        self.pictures = pictures
        self.widgets = []
        self.big, self.middle, self.little = fonts["l"], fonts["m"], fonts["s"]
        self.plain = (
            (self.middle, self.little) if self.large else (self.little,)
        )  # fonts of what stands around

    def add(self, widget):
        self.widgets.append(widget)
        return widget

    def word(self, key):
        """A word of the set's own, such as "skip"."""
        return self.view["words"].get(key, {}).get(self.code, "")

    def question(self):
        """The question that the scene shows, or None."""
        index = self.scene.get("question")
        return None if index is None else self.view["questions"][index]

    def icon(self, name):
        return self.pictures["icons"], ICONS[name]

    def page(self):
        return Page(self.widgets, THEMES["dark" if "contrast" in self.mode else "light"])

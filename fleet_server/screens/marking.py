"""What a person is told of a page of a screen: the texts on it, and a frame around each that has no room.

It knows pages and their widgets, no question set and no colours of its own.
"""

from typing import Any

_FRAME_PX = 3
_AROUND_PX = 2


class Frame:
    """A frame around a widget whose text does not fit."""

    action = None
    role = ""
    text = ""
    fits = True

    def __init__(self, rect: tuple[int, int, int, int]) -> None:
        x, y, width, height = rect
        self.rect = (
            max(0, x - _AROUND_PX),
            max(0, y - _AROUND_PX),
            width + 2 * _AROUND_PX,
            height + 2 * _AROUND_PX,
        )
        self.area = self.rect
        self.mark = ("frame",)

    def same(self, other: Any) -> bool:
        """Whether the other shows the same."""
        return isinstance(other, Frame) and self.rect == other.rect

    def draw(self, canvas: Any, theme: Any) -> None:
        """Four strips in the colour of warnings, in ink where there is but ink and paper."""
        x, y, width, height = self.rect
        color = getattr(theme, "warn", theme.ink)
        for strip in (
            (x, y, width, _FRAME_PX),
            (x, y + height - _FRAME_PX, width, _FRAME_PX),
            (x, y, _FRAME_PX, height),
            (x + width - _FRAME_PX, y, _FRAME_PX, height),
        ):
            canvas.rect(*strip, color)


def framed(page: Any) -> Any:
    """The page with its misfits framed; itself when it has none."""
    from screens.page import Page

    frames = [Frame(widget.rect) for widget in page.widgets if widget.text and not widget.fits]
    return Page([*page.widgets, *frames], page.theme, page.overflows) if frames else page


def texts_of(page: Any) -> tuple[str, ...]:
    """What is read on the page, from top to bottom as it was laid out, each text once."""
    texts = (getattr(widget, "text", "") for widget in page.widgets)
    return tuple(
        dict.fromkeys(" ".join(text.split()) for text in texts if isinstance(text, str) and text.strip())
    )

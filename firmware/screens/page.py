"""A page: widgets in the order in which they are drawn, and what a touch on it means. Draws nothing."""


class Page:
    """`theme`: its colours. `overflows`: (role, text) of what has not the room it needs; a good page has none."""

    def __init__(self, widgets, theme, overflows=None):
        self.widgets = widgets
        self.theme = theme
        self.overflows = (
            [(one.role, one.text) for one in widgets if not one.fits] if overflows is None else overflows
        )

    def hit(self, x, y):
        """The widget with an action whose touch area holds the point, or None."""
        for widget in self.widgets:
            if widget.action is not None:
                left, top, width, height = widget.area
                if left <= x < left + width and top <= y < top + height:
                    return widget
        return None

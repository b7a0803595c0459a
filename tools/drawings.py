"""The faces and icons of the screens as shapes. Knows no file and no pixel.

Invariant: the moods differ by mouth and brows, so that no colour is needed to tell them apart.
"""

from shapes import (
    Shape,
    arc,
    both,
    box,
    disc,
    ellipse,
    grown,
    line,
    outline,
    path,
    pixels,
    polygon,
    union,
    without,
)

_STROKE = 0.115


def render(shape: Shape, size: int) -> list[bytes]:
    """size rows of size values, 0 (paper) to 255 (ink)."""
    return pixels(shape, size)


def _eyes(y: float) -> Shape:
    return union(ellipse(-0.33, y, 0.085, 0.125), ellipse(0.33, y, 0.085, 0.125))


def _brows(inner: float, outer: float, arch: float) -> Shape:
    """Height of the inner and outer ends; arch: how far the middle is above the line between them."""
    middle = (inner + outer) / 2 - arch
    sides = []
    for side in (-1, 1):
        sides.append(path([(side * 0.20, inner), (side * 0.34, middle), (side * 0.50, outer)], _STROKE * 0.8))
    return union(*sides)


def _features() -> list[Shape]:
    """Eyes, brows and mouth from the happiest mood to the saddest."""
    laugh = both(ellipse(0, 0.10, 0.56, 0.60), box(0, 0.60, 2, 1.0, 0.0))
    return [
        union(
            _eyes(-0.16), _brows(-0.47, -0.44, 0.09), grown(both(laugh, ellipse(0, 0.10, 0.52, 0.56)), 0.02)
        ),
        union(_eyes(-0.16), _brows(-0.43, -0.40, 0.06), arc(0, 0.02, 0.50, 0.46, 22, 158, _STROKE)),
        union(_eyes(-0.14), _brows(-0.41, -0.41, 0.0), line(-0.36, 0.38, 0.36, 0.38, _STROKE)),
        union(_eyes(-0.12), _brows(-0.45, -0.35, 0.01), arc(0, 0.78, 0.46, 0.40, 212, 328, _STROKE)),
        union(_eyes(-0.08), _brows(-0.50, -0.28, 0.0), arc(0, 0.72, 0.38, 0.44, 190, 350, _STROKE)),
    ]


# Index 0 is the happiest. On colour the face is filled and its features are cut out; on paper it is drawn in ink.
FACES = {f"mood{i}": without(disc(0, 0, 0.98), each) for i, each in enumerate(_features())}
PAPER_FACES = {f"mood{i}": union(outline(disc(0, 0, 0.96), 0.11), each) for i, each in enumerate(_features())}

_LINE = 0.15


def _arrow(x: float, half: float) -> Shape:
    """A shaft from left to right whose head's tip is at x."""
    return union(
        line(-0.72, 0, x - 0.05, 0, _LINE), path([(x - half, -half), (x, 0), (x - half, half)], _LINE)
    )


def _mirrored(shape: Shape) -> Shape:
    return lambda x, y: shape(-x, y)


def _person(x: float, top: float, head: float, width: float, foot: float) -> Shape:
    """Head and shoulders; top: upper edge of the head."""
    shoulders = both(ellipse(x, foot, width, foot - top - 2 * head - 0.1), box(x, foot - 1, 4, 2))
    return union(disc(x, top + head, head), shoulders)


def _globe() -> Shape:
    globe = disc(0, 0, 0.85)
    lines = union(
        box(0, 0, 2, _LINE * 0.8),
        outline(grown(ellipse(0, 0, 0.38, 0.85), 0.05), _LINE * 0.8),
        box(0, 0, _LINE * 0.0, 0),
    )
    return union(outline(globe, _LINE), both(globe, lines))


def _contrast() -> Shape:
    return union(outline(disc(0, 0, 0.85), _LINE), both(disc(0, 0, 0.82), box(0.5, 0, 1.0, 2)))


def _large() -> Shape:
    """A small and a large A."""
    small = union(
        path([(-0.90, 0.62), (-0.62, -0.10), (-0.34, 0.62)], _LINE * 0.9),
        line(-0.78, 0.36, -0.46, 0.36, _LINE * 0.8),
    )
    large = union(
        path([(-0.16, 0.62), (0.38, -0.72), (0.92, 0.62)], _LINE * 1.15), line(0.06, 0.18, 0.70, 0.18, _LINE)
    )
    return union(small, large)


def _low() -> Shape:
    """An arrow down to the lower edge of a screen."""
    return union(
        path([(0, -0.85), (0, 0.30)], _LINE),
        path([(-0.40, -0.08), (0, 0.32), (0.40, -0.08)], _LINE),
        line(-0.72, 0.76, 0.72, 0.76, _LINE * 1.2),
    )


def _skip() -> Shape:
    """Two arrow heads against a wall."""
    return union(
        path([(-0.70, -0.48), (-0.22, 0), (-0.70, 0.48)], _LINE),
        path([(-0.10, -0.48), (0.38, 0), (-0.10, 0.48)], _LINE),
        line(0.66, -0.48, 0.66, 0.48, _LINE),
    )


def _phone() -> Shape:
    body = box(0, 0, 1.02, 1.76, 0.18)
    return union(outline(body, _LINE), line(-0.16, 0.62, 0.16, 0.62, _LINE * 0.8))


def _pencil() -> Shape:
    body = polygon([(-0.62, 0.30), (0.36, -0.68), (0.68, -0.36), (-0.30, 0.62), (-0.74, 0.74)])
    return without(
        grown(body, 0.07),
        line(0.14, -0.62, 0.62, -0.14, 0.10),
        polygon([(-0.50, 0.34), (-0.34, 0.50), (-0.64, 0.62)]),
    )


def _child() -> Shape:
    """A head with a tuft, smiling."""
    return union(
        outline(disc(0, 0.12, 0.72), _LINE),
        arc(0.02, -0.72, 0.22, 0.16, 100, 330, _LINE * 0.8),
        disc(-0.25, 0.04, 0.09),
        disc(0.25, 0.04, 0.09),
        arc(0, 0.14, 0.30, 0.30, 30, 150, _LINE * 0.75),
    )


def _people() -> Shape:
    front = _person(-0.30, -0.72, 0.27, 0.50, 0.70)
    back = without(_person(0.42, -0.60, 0.23, 0.44, 0.70), grown(front, 0.11))
    return union(front, back)


def _backspace() -> Shape:
    body = polygon([(-0.80, 0), (-0.34, -0.52), (0.82, -0.52), (0.82, 0.52), (-0.34, 0.52)])
    cross = union(line(0.02, -0.22, 0.46, 0.22, _LINE * 0.85), line(0.02, 0.22, 0.46, -0.22, _LINE * 0.85))
    return union(outline(grown(body, 0.08), _LINE), cross)


def _shift() -> Shape:
    return outline(
        grown(
            polygon(
                [
                    (0, -0.74),
                    (0.74, 0.04),
                    (0.34, 0.04),
                    (0.34, 0.70),
                    (-0.34, 0.70),
                    (-0.34, 0.04),
                    (-0.74, 0.04),
                ]
            ),
            0.07,
        ),
        _LINE,
    )


def _close() -> Shape:
    return union(line(-0.58, -0.58, 0.58, 0.58, _LINE * 1.1), line(-0.58, 0.58, 0.58, -0.58, _LINE * 1.1))


def _hand() -> Shape:
    """A flat hand, as at a stop."""
    fingers = [(-0.33, -0.58), (-0.09, -0.76), (0.15, -0.72), (0.39, -0.50)]
    palm = polygon([(-0.42, 0.0), (0.48, 0.0), (0.48, 0.40), (0.26, 0.80), (-0.20, 0.80), (-0.42, 0.50)])
    return union(
        *(line(x, top, x, 0.1, 0.185) for x, top in fingers),
        palm,
        line(-0.72, 0.04, -0.34, 0.50, 0.19),
    )


def _cloud() -> Shape:
    """A cloud, struck through. Its edge is the cloud without a smaller one: the parts of a union meet inside it."""

    def cloud(by: float) -> Shape:
        parts = disc(-0.40, 0.20, 0.38 - by), disc(0.02, -0.12, 0.48 - by), disc(0.48, 0.24, 0.34 - by)
        return union(*parts, box(0.04, 0.29, 0.88, 0.58 - 2 * by))

    slash = line(-0.66, -0.76, 0.70, 0.84, _LINE)
    return union(without(cloud(0.0), cloud(_LINE), grown(slash, 0.10)), slash)


def _brush() -> Shape:
    """Being cleaned: a drop and sparkles."""

    def drop(by: float) -> Shape:
        tip = polygon([(-0.18, -0.82 + 2.2 * by), (0.25 - by, 0.10), (-0.61 + by, 0.10)])
        return union(disc(-0.18, 0.26, 0.46 - by), tip)

    sparkle = union(line(0.56, -0.72, 0.56, -0.20, 0.12), line(0.30, -0.46, 0.82, -0.46, 0.12))
    small = union(line(0.66, 0.30, 0.66, 0.62, 0.11), line(0.50, 0.46, 0.82, 0.46, 0.11))
    return union(without(drop(0.0), drop(_LINE)), sparkle, small)


# In the order of firmware/screens/fonts.py: ICONS.
ICONS = {
    "globe": _globe(),
    "contrast": _contrast(),
    "large": _large(),
    "low": _low(),
    "back": _mirrored(_arrow(0.76, 0.46)),
    "skip": _skip(),
    "next": _arrow(0.76, 0.46),
    "check": path([(-0.66, 0.06), (-0.20, 0.50), (0.70, -0.48)], _LINE * 1.2),
    "phone": _phone(),
    "pencil": _pencil(),
    "child": _child(),
    "people": _people(),
    "backspace": _backspace(),
    "shift": _shift(),
    "close": _close(),
    "hand": _hand(),
    "cloud": _cloud(),
    "brush": _brush(),
}
# What a page without a question shows on paper. In the order of firmware/screens/fonts.py: SIGNS.
PAPER_SIGNS = {"hand": _hand(), "cloud": _cloud(), "brush": _brush()}


def _struck(shape: Shape) -> Shape:
    slash = line(-0.80, -0.80, 0.80, 0.80, _LINE * 1.3)
    return union(without(shape, grown(slash, 0.13)), slash)


def _cable() -> Shape:
    """A network plug on its cable, struck through."""
    plug = union(box(0, 0.02, 1.16, 0.70, 0.16), line(0, 0.30, 0, 0.98, 0.2))
    prongs = union(line(-0.30, -0.80, -0.30, -0.20, 0.2), line(0.30, -0.80, 0.30, -0.20, 0.2))
    return _struck(union(plug, prongs))


def _clock() -> Shape:
    """A clock without hands, asking."""
    question = union(
        arc(0, -0.16, 0.27, 0.25, 180, 400, _LINE * 1.1),
        path([(0.17, 0.02), (0, 0.16), (0, 0.26)], _LINE * 1.1),
    )
    return union(outline(disc(0, 0, 0.90), _LINE * 1.2), question, disc(0, 0.52, 0.11))


def _tray() -> Shape:
    """Full tray, arrow up: what has yet to go out."""
    tray = path([(-0.84, 0.20), (-0.84, 0.82), (0.84, 0.82), (0.84, 0.20)], _LINE * 1.3)
    arrow = union(
        line(0, -0.78, 0, 0.42, _LINE * 1.3), path([(-0.42, -0.38), (0, -0.82), (0.42, -0.38)], _LINE * 1.3)
    )
    return union(tray, arrow)


def _turn() -> Shape:
    """Something new is on its way: an arrow that goes round."""
    return union(
        arc(0, 0, 0.70, 0.70, 20, 300, _LINE * 1.3),
        polygon([(0.10, -0.98), (0.84, -0.72), (0.26, -0.18)]),
    )


def _warning() -> Shape:
    body = grown(polygon([(0, -0.78), (0.84, 0.72), (-0.84, 0.72)]), 0.10)
    return without(body, line(0, -0.28, 0, 0.24, 0.17), disc(0, 0.52, 0.11))


# The corner's signs, told apart by shape. In the order of firmware/kiosk/signs.py: NAMES.
CORNER_SIGNS = {
    "link": _cable(),
    "server": _cloud(),
    "clock": _clock(),
    "waiting": _tray(),
    "update": _turn(),
    "fault": _warning(),
}

"""Plane shapes as distance functions, and their pixels with smooth edges. Knows no picture.

A shape is a function (x, y) -> distance to its edge, negative inside. The picture is the square from -1 to 1, y
downwards; angles are in degrees, clockwise from the right as y goes down.
"""

import math
from collections.abc import Callable

Shape = Callable[[float, float], float]


def disc(cx: float, cy: float, radius: float) -> Shape:
    return lambda x, y: math.hypot(x - cx, y - cy) - radius


def ellipse(cx: float, cy: float, rx: float, ry: float) -> Shape:
    """The distance is exact at the edge, which is where it matters."""

    def distance(x: float, y: float) -> float:
        a, b = (x - cx) / rx, (y - cy) / ry
        k, slope = math.hypot(a, b), math.hypot(a / rx, b / ry)
        return k * (k - 1) / slope if slope else -min(rx, ry)

    return distance


def line(x0: float, y0: float, x1: float, y1: float, width: float) -> Shape:
    """A stroke with round ends."""
    dx, dy = x1 - x0, y1 - y0
    square = dx * dx + dy * dy or 1.0

    def distance(x: float, y: float) -> float:
        along = min(1.0, max(0.0, ((x - x0) * dx + (y - y0) * dy) / square))
        return math.hypot(x - x0 - along * dx, y - y0 - along * dy) - width / 2

    return distance


def path(points: list[tuple[float, float]], width: float) -> Shape:
    """Strokes from point to point."""
    return union(*(line(*a, *b, width) for a, b in zip(points, points[1:], strict=False)))


def arc(cx: float, cy: float, rx: float, ry: float, start: float, end: float, width: float) -> Shape:
    """A stroke along part of an ellipse."""
    steps = 24
    angles = [math.radians(start + (end - start) * i / steps) for i in range(steps + 1)]
    return path([(cx + rx * math.cos(a), cy + ry * math.sin(a)) for a in angles], width)


def box(cx: float, cy: float, width: float, height: float, corner: float = 0.0) -> Shape:
    def distance(x: float, y: float) -> float:
        a, b = abs(x - cx) - width / 2 + corner, abs(y - cy) - height / 2 + corner
        return math.hypot(max(a, 0.0), max(b, 0.0)) + min(max(a, b), 0.0) - corner

    return distance


def polygon(points: list[tuple[float, float]]) -> Shape:
    """A filled outline."""
    edges = list(zip(points, points[1:] + points[:1], strict=True))
    outline = union(*(line(*a, *b, 0.0) for a, b in edges))

    def distance(x: float, y: float) -> float:
        inside = False
        for (x0, y0), (x1, y1) in edges:
            if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
                inside = not inside
        away = outline(x, y)
        return -away if inside else away

    return distance


def union(*shapes: Shape) -> Shape:
    return lambda x, y: min(shape(x, y) for shape in shapes)


def both(*shapes: Shape) -> Shape:
    return lambda x, y: max(shape(x, y) for shape in shapes)


def without(shape: Shape, *holes: Shape) -> Shape:
    hole = union(*holes)
    return lambda x, y: max(shape(x, y), -hole(x, y))


def outline(shape: Shape, width: float) -> Shape:
    """The shape's edge, drawn inwards."""
    return lambda x, y: abs(shape(x, y) + width / 2) - width / 2


def grown(shape: Shape, by: float) -> Shape:
    return lambda x, y: shape(x, y) - by


def pixels(shape: Shape, size: int) -> list[bytes]:
    """size rows of size values, 0 (outside) to 255 (inside)."""
    half = size / 2
    centres = [(i + 0.5) / half - 1 for i in range(size)]
    return [
        bytes(round(255 * min(1.0, max(0.0, 0.5 - shape(x, y) * half))) for x in centres) for y in centres
    ]

"""One label on a kiosk's case, drawn: a QR code of the device's page, its name and its id. Knows no sheet.

Sizes are millimetres; `dots` is how many pixels there are to one.
"""

import itertools
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

from provisioning.errors import ProvisioningError

_QUIET = 4  # modules of white around a code, by ISO 18004
# Half a millimetre a module is read by any phone from a hand's breadth; a case is scratched, so medium correction.
_LEAST_MODULE_MM = 0.35
_MARGIN_MM = 2.0
_QUIET_EDGE_MM = 0.5  # the code brings its own white border
_FONTS = (
    Path(__file__).resolve().parent.parent / "fleet_server" / "web" / "static" / "vendor" / "source-sans-3"
)
_REGULAR, _BOLD = "400", "700"
_MM_PER_POINT = 25.4 / 72
_POINTS_NAME, _POINTS_NAME_LEAST, _POINTS_ID, _POINTS_SMALL = 13.0, 8.0, 11.0, 6.5
_NAME_LINES = 3


@dataclass(frozen=True)
class Label:
    """id: 12 characters; name: as on the server's pages; model; address: of the device's page."""

    id: str
    name: str
    address: str
    model: str = ""


def draw(label: Label, width: float, height: float, dots: float) -> Image.Image:
    """The label as a grey picture. Raises ProvisioningError when its code has no room."""
    picture = Image.new("L", (round(width * dots), round(height * dots)), 255)
    pen = ImageDraw.Draw(picture)
    code = _code(label.address, height, dots)
    picture.paste(code, (round(_QUIET_EDGE_MM * dots), (picture.height - code.height) // 2))
    left = round(_QUIET_EDGE_MM * dots) + code.width
    room = picture.width - left - round(_MARGIN_MM * dots)
    points, lines = _fitted(label.name, room, dots)
    rows: list[tuple[str, str, float, float]] = [(line, _BOLD, points, points * 1.15) for line in lines]
    # A letter that is cut off makes another id of it, and nobody sees that one is missing.
    grouped = _grouped(label.id)
    rows += [(grouped, _BOLD, _smaller(grouped, _BOLD, _POINTS_ID, room, dots), _POINTS_ID * 1.5)]
    small = " · ".join(filter(None, (label.model, _host(label.address))))
    size = _smaller(small, _REGULAR, _POINTS_SMALL, room, dots)
    rows += [(small, _REGULAR, size, _POINTS_SMALL * 1.5)]
    total = sum(step for *_, step in rows) * _MM_PER_POINT * dots
    y = (picture.height - total) / 2
    for text, weight, points, step in rows:
        bottom = y + step * _MM_PER_POINT * dots
        _write(pen, text, left, bottom - points * 0.27 * _MM_PER_POINT * dots, weight, points, dots)
        y = bottom
    return picture


def _code(text: str, height: float, dots: float) -> Image.Image:
    matrix = segno.make_qr(text, error="m", boost_error=True).matrix
    side = len(matrix) + 2 * _QUIET
    module = int((height - 2 * _QUIET_EDGE_MM) * dots / side)
    if module < _LEAST_MODULE_MM * dots:
        raise ProvisioningError(
            f"label: the address {text} makes a code of {side} modules, too fine for {height:g} mm; take a larger label"
        )
    small = Image.new("L", (side, side), 255)
    small.putdata(
        [
            0 if _dark(matrix, x - _QUIET, y - _QUIET) else 255
            for y, x in itertools.product(range(side), repeat=2)
        ]
    )
    return small.resize((side * module, side * module), Image.Resampling.NEAREST)


def _dark(matrix: tuple[bytearray, ...], x: int, y: int) -> bool:
    return 0 <= y < len(matrix) and 0 <= x < len(matrix) and bool(matrix[y][x])


def _grouped(device_id: str) -> str:
    """Read out over the telephone: four at a time."""
    return " ".join(device_id[at : at + 4] for at in range(0, len(device_id), 4))


def _host(address: str) -> str:
    return address.partition("://")[2].partition("/")[0]


def _fitted(name: str, room: int, dots: float) -> tuple[float, list[str]]:
    """The largest size at which the name fits in its lines, and those; at the least size it is cut."""
    points = _POINTS_NAME
    while points >= _POINTS_NAME_LEAST:
        lines = _wrapped(name, points, room, dots)
        if len(lines) <= _NAME_LINES and all(_width(line, _BOLD, points, dots) <= room for line in lines):
            return points, lines
        points -= 0.5
    lines = _wrapped(name, _POINTS_NAME_LEAST, room, dots)
    rest = " ".join(lines[_NAME_LINES - 1 :])
    return _POINTS_NAME_LEAST, [
        _cut(line, _POINTS_NAME_LEAST, room, dots) for line in [*lines[: _NAME_LINES - 1], rest]
    ]


def _wrapped(name: str, points: float, room: int, dots: float) -> list[str]:
    lines = [""]
    for word in name.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _width(longer, _BOLD, points, dots) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _cut(line: str, points: float, room: int, dots: float) -> str:
    if _width(line, _BOLD, points, dots) <= room:
        return line
    while line and _width(line + "…", _BOLD, points, dots) > room:
        line = line[:-1]
    return line.rstrip() + "…"


def _smaller(text: str, weight: str, points: float, room: int, dots: float) -> float:
    return min(points, points * room / max(_width(text, weight, points, dots), 1))


def _runs(text: str) -> list[tuple[str, str]]:
    """The font is in two files: (part of its name, text)."""
    grouped = itertools.groupby(
        text, lambda letter: "\u0100" <= letter < "\u02bb" or "\u1d00" <= letter < "\u1f00"
    )
    return [("latin-ext" if extended else "latin", "".join(letters)) for extended, letters in grouped]


def _width(text: str, weight: str, points: float, dots: float) -> float:
    return sum(_font(part, weight, points, dots).getlength(run) for part, run in _runs(text))


def _write(
    pen: ImageDraw.ImageDraw, text: str, x: float, baseline: float, weight: str, points: float, dots: float
) -> None:
    for part, run in _runs(text):
        font = _font(part, weight, points, dots)
        pen.text((x, baseline), run, fill=0, font=font, anchor="ls")
        x += font.getlength(run)


@lru_cache(maxsize=64)
def _font(part: str, weight: str, points: float, dots: float) -> ImageFont.FreeTypeFont:
    path = _FONTS / f"source-sans-3-{part}-{weight}-normal.woff2"
    try:
        return ImageFont.truetype(str(path), points * _MM_PER_POINT * dots)
    except OSError as error:
        raise ProvisioningError(f"label: the font {path} cannot be read: {error}") from error

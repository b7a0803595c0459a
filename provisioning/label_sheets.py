"""Where labels lie on the sheets that are on sale, and the sheets as a PDF or PNG. Knows no label's content.

Sizes in millimetres are the makers' own for their A4 sheets and rolls.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from provisioning.errors import ProvisioningError
from provisioning.label import Label, draw

_PDF_DPI = 600  # one bit a pixel: letters and codes are sharp, a page is some 50 kB
_PNG_DPI = 300  # of label printers
_INCH_MM = 25.4
_THRESHOLD = 128


@dataclass(frozen=True)
class Sheet:
    """title: for --help. page, label: width and height; left, top: of the first label; steps: from one to the next."""

    title: str
    page: tuple[float, float]
    label: tuple[float, float]
    columns: int = 1
    rows: int = 1
    left: float = 0.0
    top: float = 0.0
    step: tuple[float, float] = (0.0, 0.0)

    def at(self, index: int) -> tuple[float, float]:
        """The upper left corner of a label, row by row."""
        row, column = divmod(index, self.columns)
        return self.left + column * self.step[0], self.top + row * self.step[1]


_A4 = (210, 297)
SHEETS = {
    "single": Sheet("one label a page, 62 x 29 mm (Brother DK-11209)", (62, 29), (62, 29)),
    "l7163": Sheet("A4, 14 of 99.1 x 38.1 mm (Avery L7163)", _A4, (99.1, 38.1), 2, 7, 4.65, 15.15, (101.6, 38.1)),
    "l7160": Sheet("A4, 21 of 63.5 x 38.1 mm (Avery L7160)", _A4, (63.5, 38.1), 3, 7, 7.25, 15.15, (66.0, 38.1)),
    "l7159": Sheet("A4, 24 of 63.5 x 33.9 mm (Avery L7159)", _A4, (63.5, 33.9), 3, 8, 7.25, 12.9, (66.0, 33.9)),
}  # fmt: skip


def sheet_of(name: str) -> Sheet:
    """The sheet with that name. Raises ProvisioningError naming those there are."""
    if name not in SHEETS:
        raise ProvisioningError(f"--sheet {name} is unknown; there are {', '.join(SHEETS)}")
    return SHEETS[name]


def pdf(labels: Sequence[Label], sheet: Sheet, skip: int = 0) -> bytes:
    """All labels as a PDF in the size of the sheet. skip: labels that are gone from the first sheet already."""
    first, *others = [
        page.point(lambda grey: 255 if grey >= _THRESHOLD else 0, "1")
        for page in _pages(labels, sheet, skip, _PDF_DPI)
    ]
    out = io.BytesIO()
    first.save(out, "PDF", resolution=_PDF_DPI, save_all=True, append_images=others, title="Hymiö")
    return out.getvalue()


def pngs(labels: Sequence[Label], sheet: Sheet, skip: int = 0) -> list[bytes]:
    """Each sheet as a picture of 300 dots an inch."""
    found = []
    for page in _pages(labels, sheet, skip, _PNG_DPI):
        out = io.BytesIO()
        page.save(out, "PNG", dpi=(_PNG_DPI, _PNG_DPI))
        found.append(out.getvalue())
    return found


def _pages(labels: Sequence[Label], sheet: Sheet, skip: int, dpi: int) -> Iterator[Image.Image]:
    per_page = sheet.columns * sheet.rows
    if not 0 <= skip < per_page:
        raise ProvisioningError(
            f"--skip {skip}: it must be 0 to {per_page - 1}, a sheet has {per_page} labels"
        )
    dots = dpi / _INCH_MM
    places = list(enumerate(labels, skip))
    for start in range(0, skip + len(labels), per_page):
        page = Image.new("L", (round(sheet.page[0] * dots), round(sheet.page[1] * dots)), 255)
        for place, label in places:
            if start <= place < start + per_page:
                x, y = sheet.at(place - start)
                page.paste(draw(label, *sheet.label, dots), (round(x * dots), round(y * dots)))
        yield page

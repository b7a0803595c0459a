"""Opens a workbook (.xlsx) that anybody may have made, and gives the cells of the sheet that begins with a marker.

It knows no draft. Invariant: whatever the file, it costs a bounded amount of memory and time, and each reason for not
reading it is a sentence, never an exception.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from fleet_server.refusals import N_, Sentence, shown

MAX_FILE_BYTES = 512 * 1024  # twenty questions in six languages are 30 KB
MAX_UNPACKED_BYTES = (
    4 * 1024 * 1024
)  # what openpyxl reads in about a second; the same twenty questions are 250 KB
MAX_PARTS = 100
MAX_SHEETS = 10
MAX_ROWS = 1000
MAX_COLUMNS = 30
# What zipfile, the XML parser and openpyxl raise on files that are none, or are damaged.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    InvalidFileException,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TO_ESCAPE = re.compile(
    r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|x(?=005F_|005f_)|(?<=_)x(?=[0-9A-Fa-f]{4}_)"
)

Rows = list[tuple[Any, ...]]


def rows_of(data: bytes, marker: str) -> tuple[Rows, list[str]]:
    """The rows of the first sheet whose first cell begins with `marker`, or every reason why there are none.

    A cell is a text, None, or, where a number, a date or a formula stands, a `Sentence` that says so.
    """
    if len(data) > MAX_FILE_BYTES:
        text = N_("The file has %(size)s bytes, at most %(most)s are read.")
        return [], [Sentence(text, size=len(data), most=MAX_FILE_BYTES)]
    try:
        faults = _package_faults(data)
        if faults:
            return [], faults
        # Read-only: row by row. What a cell shows (data_only) would hide that a formula stands there.
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
        for sheet in book.worksheets[:MAX_SHEETS]:
            rows = [row for row in _cells(sheet, max_row=1) if row]
            if rows and isinstance(rows[0][0], str) and rows[0][0].startswith(marker):
                return _all_rows(sheet)
    except _DAMAGED:
        return [], [Sentence(N_("This is no workbook. Save the sheet as Excel (.xlsx) and send that."))]
    return [], [Sentence(N_("This workbook has no sheet of texts that came from here."))]


def escaped(text: str) -> str:
    """A text as a cell may hold it: what XML cannot hold, and what would be taken for such an escape, is escaped."""
    return _TO_ESCAPE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def _package_faults(data: bytes) -> list[str]:
    """What the file promises to unpack to is what Python unpacks at most; so that is what counts."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        parts = package.infolist()
        size = sum(part.file_size for part in parts)
        if size > MAX_UNPACKED_BYTES or len(parts) > MAX_PARTS:
            text = N_(
                "The file unpacks to %(size)s bytes in %(parts)s parts, at most %(most)s in %(parts_most)s are read."
            )
            return [
                Sentence(text, size=size, parts=len(parts), most=MAX_UNPACKED_BYTES, parts_most=MAX_PARTS)
            ]
        # No program writes a workbook with a document type; only one that means harm needs entities.
        if any(b"<!DOCTYPE" in package.read(part).replace(b"\0", b"") for part in parts):
            return [Sentence(N_("This is no workbook. Save the sheet as Excel (.xlsx) and send that."))]
    return []


def _all_rows(sheet: Any) -> tuple[Rows, list[str]]:
    rows = []
    for row in _cells(sheet, max_row=MAX_ROWS + 1):
        rows.append(row)
        if len(rows) > MAX_ROWS and any(cell is not None for cell in row):
            return [], [Sentence(N_("The sheet has more than %(most)s rows."), most=MAX_ROWS)]
    return rows, []


def _cells(sheet: Any, *, max_row: int) -> Iterator[tuple[Any, ...]]:
    sheet.reset_dimensions()  # a file may claim any
    for row in sheet.iter_rows(max_row=max_row, max_col=MAX_COLUMNS):
        yield tuple(_value(cell) for cell in row)


def _value(cell: Any) -> Any:
    value = cell.value
    if value is None:
        return None
    if isinstance(value, str) and cell.data_type != "f":
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return Sentence(N_("“%(value)s” is a formula, a date or a number, no text"), value=shown(str(value)))

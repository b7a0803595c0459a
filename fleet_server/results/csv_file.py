"""Writes rows as CSV (RFC 4180, UTF-8, decimal point) that no spreadsheet takes for formulas. It knows no result."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

# What makes a cell a formula in one spreadsheet or another (OWASP, "CSV Injection"), wide forms included.
LIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Spreadsheets read the letters of a file that a person opens by this mark.
MARK = "\ufeff"
_DECIMALS = 4  # of a score from -100 to 100 and of a share alike: far finer than chance


def safe(text: str) -> str:
    """The text; behind an apostrophe when a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(LIVE) else text


def written(header: Sequence[str], rows: Iterable[Sequence[Any]], *, mark: bool = False) -> bytes:
    """The file; None is an empty cell, numbers stay numbers. `mark`: for people, too, who open it in a spreadsheet."""
    content = io.StringIO()
    writer = csv.writer(content)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return ((MARK if mark else "") + content.getvalue()).encode()


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DECIMALS)
    return safe(value.replace("\0", "")) if isinstance(value, str) else value

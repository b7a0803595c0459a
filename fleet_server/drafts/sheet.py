"""The texts of a draft as a spreadsheet for a translator, and what came back as operations.

It knows no page and no database. Invariant: what was not altered in the sheet makes no operation, so that a sheet
overwrites nothing that its translator did not write; and with any fault there is no operation at all.
"""

import io
import re
from dataclasses import dataclass, field
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.worksheet.worksheet import Worksheet

from fleet_server.drafts.texts import Body, Slot, slots, text_fault, tidy
from fleet_server.drafts.workbook import escaped, rows_of
from fleet_server.questions.types import LANGUAGES
from fleet_server.refusals import N_, Sentence, shown
from fleet_server.web.i18n import _

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MARKER = "Hymiö 1"
_FIXED = 4  # columns before the languages: key, question, what it is, most characters
_MADE = re.compile(rf"{MARKER} · (\d{{1,9}}) · (\d{{1,9}})")
_GREY, _PALE, _HEAD = (PatternFill("solid", fgColor=color) for color in ("F1F3F6", "FFF6DC", "DCE8F6"))
_WRAPPED, _LOCKED, _OPEN = Alignment(wrap_text=True, vertical="top"), Protection(), Protection(locked=False)
_WIDTHS = (22, 10, 22, 9)
_LANGUAGE_WIDTH = 48
_CHARACTERS_A_LINE = 46


@dataclass
class Sheet:
    """A sheet as it came back: of which draft and revision it was made, and {key: (row, {language: cell})}."""

    draft: int = 0
    revision: int = 0
    rows: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)


def to_xlsx(body: Body, *, draft: int = 0, revision: int = 0) -> bytes:
    """A workbook with one row a text and one column a language, the source language first.

    Only what may be translated can be typed over: keys, source language and national texts are locked.
    """
    book = Workbook()
    sheet: Worksheet = book.active
    sheet.title = _("Texts")
    languages = body["languages"]
    head = [f"{MARKER} · {draft} · {revision}", _("Question"), _("What it is"), _("Most characters")]
    head += [f"{language} · {_(LANGUAGES[language])}" for language in languages]
    for column, text in enumerate(head, start=1):
        _write(sheet, 1, column, text, _HEAD, locked=True).font = Font(bold=True)
        width = _WIDTHS[column - 1] if column <= _FIXED else _LANGUAGE_WIDTH
        sheet.column_dimensions[sheet.cell(1, column).column_letter].width = width
    for row, slot in enumerate(slots(body), start=2):
        for column, text in enumerate((slot.key, slot.code, what(slot), str(slot.limit)), start=1):
            _write(sheet, row, column, text, _GREY, locked=True)
        for place, language in enumerate(languages):
            text = slot.texts.get(language, "")
            locked = slot.locked or place == 0
            fill = _GREY if locked else None if text else _PALE
            _write(sheet, row, _FIXED + 1 + place, text, fill, locked=locked)
        longest = max((len(text) for text in slot.texts.values()), default=0)
        sheet.row_dimensions[row].height = 15 * (1 + longest // _CHARACTERS_A_LINE)
    sheet.freeze_panes = sheet.cell(2, _FIXED + 1)
    sheet.protection.sheet = True
    sheet.protection.formatColumns = sheet.protection.formatRows = False  # false: may be done
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def what(slot: Slot) -> str:
    """What a text is, in the language of the reader."""
    if slot.kind == "label":
        return _("answer %(number)s") % {"number": slot.number}
    names = {"question": _("question"), "thanks": _("thank you"), "word": _("word on the screen")}
    return names[slot.kind]


def from_xlsx(body: Body, data: bytes) -> tuple[list[dict[str, Any]], list[str]]:
    """The operations that make `body`, from which the sheet was made, say what the sheet says; or every fault."""
    sheet, faults = read(data)
    if sheet is None:
        return [], faults
    wanted, more = changes(body, sheet)
    return ([], faults + more) if faults or more else (wanted, [])


def read(data: bytes) -> tuple[Sheet | None, list[str]]:
    """What a sheet says; None when it cannot be read. The faults are those of its form."""
    rows, faults = rows_of(data, MARKER)
    if faults:
        return None, faults
    made = _MADE.fullmatch(rows[0][0].strip())
    if made is None:
        text = N_("The first cell is “%(value)s”; it no longer says of which draft the sheet was made.")
        return None, [Sentence(text, value=shown(rows[0][0]))]
    sheet = Sheet(int(made[1]), int(made[2]))
    columns = _columns(rows[0], faults)
    for number, row in enumerate(rows[1:], start=2):
        cells = {language: row[place] for place, language in columns.items() if place < len(row)}
        key = row[0] if row else None
        if key is None:
            if any(cell is not None for cell in cells.values()):
                faults.append(Sentence(N_("row %(row)s: has a text and no key"), row=number))
        elif key in sheet.rows:
            text = N_("row %(row)s: the key “%(key)s” stands in row %(first)s already")
            faults.append(Sentence(text, row=number, key=shown(str(key)), first=sheet.rows[key][0]))
        else:
            sheet.rows[str(key)] = (number, cells)
    return sheet, faults


def changes(body: Body, sheet: Sheet) -> tuple[list[dict[str, Any]], list[str]]:
    """What the sheet says otherwise than the body that it was made from, as operations; or every fault."""
    ops: list[dict[str, Any]] = []
    faults: list[str] = []
    by_key = {slot.key: slot for slot in slots(body)}
    for key, (row, cells) in sheet.rows.items():
        slot = by_key.get(key)
        if slot is None:
            text = N_("row %(row)s: the key “%(key)s” is none of this draft")
            faults.append(Sentence(text, row=row, key=shown(key)))
            continue
        for language, cell in cells.items():
            if language in body["languages"]:
                _compare(slot, language, row, cell, body["languages"][0], ops, faults)
            elif cell is not None:
                text = N_("row %(row)s: the draft does not have %(language)s; add the language first")
                faults.append(Sentence(text, row=row, language=LANGUAGES[language]))
    return ([], faults) if faults else (ops, [])


def _compare(
    slot: Slot, language: str, row: int, cell: Any, source: str, ops: list[dict[str, Any]], faults: list[str]
) -> None:
    if isinstance(cell, Sentence):
        text = N_("row %(row)s, %(language)s: %(fault)s")
        faults.append(Sentence(text, row=row, language=LANGUAGES[language], fault=cell))
        return
    text, before = tidy(cell or ""), tidy(slot.texts.get(language, ""))
    if text == before:
        return
    if slot.locked or language == source:
        locked = N_("row %(row)s, %(language)s: “%(before)s” is locked and was changed to “%(text)s”")
        values = {"row": row, "before": shown(before), "text": shown(text)}
        faults.append(Sentence(locked, language=LANGUAGES[language], **values))
        return
    fault = text_fault(slot, text)
    if fault is not None:
        said = N_("row %(row)s, %(language)s: %(fault)s")
        faults.append(Sentence(said, row=row, language=LANGUAGES[language], fault=fault))
        return
    ops.append(slot.op(language, text))


def _columns(head: tuple[Any, ...], faults: list[str]) -> dict[int, str]:
    """{column, from 0: language} of a header."""
    found: dict[int, str] = {}
    for place, cell in enumerate(head[_FIXED:], start=_FIXED):
        if cell is None:
            continue
        language = str(cell).split("·")[0].strip()
        if language not in LANGUAGES or language in found.values():
            text = N_("the column “%(value)s” is no language, or stands twice")
            faults.append(Sentence(text, value=shown(str(cell))))
        else:
            found[place] = language
    return found


def _write(
    sheet: Worksheet, row: int, column: int, text: str, fill: PatternFill | None, *, locked: bool
) -> Any:
    """One cell, always a text: no `=` makes a formula of it, and no spreadsheet a date."""
    cell = sheet.cell(row, column)
    if text:
        cell.value = escaped(text)
        cell.data_type = "s"
        cell.quotePrefix = text[0] in "=+-@'"
    cell.number_format = "@"
    cell.alignment = _WRAPPED
    cell.protection = _LOCKED if locked else _OPEN
    if fill is not None:
        cell.fill = fill
    return cell

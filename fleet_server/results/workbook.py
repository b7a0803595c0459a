"""A subject's results as a workbook (.xlsx) for people: what it is, the whole time, the periods, the open texts.

It asks for no result. Invariant: a text is written as a text, so no cell is a formula; what is withheld says so.
"""

import io
from collections.abc import Iterable, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from fleet_server.devices.models import KIOSK, QR
from fleet_server.drafts.workbook import escaped
from fleet_server.instants import local
from fleet_server.questions.types import TYPE_NAMES
from fleet_server.refusals import N_
from fleet_server.results.csv_file import LIVE
from fleet_server.results.export import Export
from fleet_server.results.intervals import Estimate
from fleet_server.results.items import HEADLINES
from fleet_server.results.models import MOST_VALUES
from fleet_server.results.table import Row
from fleet_server.web.i18n import _, ngettext
from fleet_server.web.templating import date, number, when

_HEAD = PatternFill("solid", fgColor="DCE8F6")
_BOLD, _TITLE = Font(bold=True), Font(bold=True, size=14)
_WRAPPED = Alignment(wrap_text=True, vertical="top")
_DATE, _SHARE, _SCORE, _WHOLE = "yyyy-mm-dd", "0.0%", "0.0", "#,##0"
CHANNELS = {KIOSK: N_("Kiosk"), QR: N_("QR code")}
_METHODS = {"nps": N_("variance of a multinomial (Rocks 2016)")}
_WILSON = N_("Wilson (1927)")
# (heading, width) of the columns before the values.
_COLUMNS = (
    (N_("Question"), 48), (N_("Code"), 9), (N_("Way of answering"), 20), (N_("Series"), 8),
    (N_("First asked in set"), 10), (N_("First day"), 12), (N_("Last day"), 12), (N_("Channel"), 10),
    (N_("Device"), 18), (N_("Model"), 10), (N_("Status"), 12), ("n", 8), (N_("Cannot say"), 8), (N_("Figure"), 22),
    (N_("Value"), 9), (N_("Lowest"), 9), (N_("Highest"), 9), (N_("How the interval is made"), 24), (N_("Mean"), 8),
    (N_("Mean, lowest"), 8), (N_("Mean, highest"), 8), (N_("Filtered answers"), 11),
)  # fmt: skip


def to_xlsx(export: Export, *, now: int) -> bytes:
    """The workbook, in the language of the request."""
    book = Workbook(write_only=True)
    _about(book.create_sheet(_("About this file")), export, now)
    _table(book.create_sheet(_("Whole time")), export, export.whole)
    if len(export.pieces) > 1:
        _table(book.create_sheet(_("By period")), export, export.rows)
    _labels(book.create_sheet(_("What the values mean")), export)
    _texts(book.create_sheet(_("Open texts")), export)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _about(sheet: WriteOnlyWorksheet, export: Export, now: int) -> None:
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 28, 90
    title = _text(sheet, _("Results: %(name)s") % {"name": export.name})
    title.font = _TITLE
    sheet.append([title])
    for name, said in _facts(export, now):
        key = _text(sheet, name)
        key.font, key.alignment = _BOLD, _WRAPPED
        sheet.append([key, _text(sheet, said)])


def _facts(export: Export, now: int) -> Iterable[tuple[str, str]]:
    time = {"since": date(export.time.start), "until": date(export.time.stop - 1)}
    yield _("Time"), _("%(since)s to %(until)s") % time
    if export.subject.place is None:
        yield _("Whose"), _("The unit with everything below it; demo places are in no sum.")
    elif export.subject.demo:
        yield _("Whose"), _("A demo place: its answers are tried or simulated, and in no sum.")
    yield (
        _("Filtered answers"),
        _("with answers that misuse rules left out") if export.with_filtered else _("left out"),
    )
    together = ngettext(
        "What was answered is shown in closed groups of at least %(num)s visitor at a place, never singly.",
        "What was answered is shown in closed groups of at least %(num)s visitors at a place, never singly.",
        export.k,
    ) % {"num": export.k}
    yield _("Groups"), together if export.k > 1 else _("The county shows each answer at once.")
    yield (
        _("Withheld"),
        _(
            "Where “withheld” stands, too few have answered for a group, or nobody: it is not zero. "
            "A group counts for the day of its last answer."
        ),
    )
    yield (
        _("Waiting now"),
        ngettext(
            "%(number)s answer waits until enough others have come.",
            "%(number)s answers wait until enough others have come.",
            export.waiting,
        )
        % {"number": number(export.waiting)},
    )
    yield (
        _("Intervals"),
        _(
            "95 %: of the NPS by the variance of a multinomial (Rocks 2016), of shares by Wilson (1927), of means by "
            "their variance. They say how far chance may have moved a figure, not who did not answer."
        ),
    )
    yield _("Shares"), _("Of those who did say something: n less those who cannot say.")
    yield (
        _("Comparing"),
        _("Answers of different series are answers to different wordings or scales: do not add them up."),
    )
    if export.texts_found > len(export.texts):
        yield (
            _("Open texts"),
            _("The newest %(shown)s of %(found)s.")
            % {"shown": number(len(export.texts)), "found": number(export.texts_found)},
        )
    yield _("Made"), when(now)


def _table(sheet: WriteOnlyWorksheet, export: Export, lines: Sequence[Row]) -> None:
    counts = [(_("Answers of value %(value)s") % {"value": value}, 9) for value in range(MOST_VALUES)]
    shares = [(_("Share of value %(value)s") % {"value": value}, 9) for value in range(MOST_VALUES)]
    columns = [*((_(name), width) for name, width in _COLUMNS), *counts, *shares]
    _header(sheet, columns, freeze="C2")
    for row in lines:
        sheet.append(_cells(sheet, export, row))
    sheet.auto_filter.ref = f"A1:{_letters(len(columns) - 1)}{len(lines) + 1}"


def _cells(sheet: WriteOnlyWorksheet, export: Export, row: Row) -> list[Any]:
    series, source, figures = row.question.series, row.source, row.figures
    score = _SCORE if series.type == "nps" else _SHARE
    figure = HEADLINES.get(series.type)
    method = _(_METHODS.get(series.type, _WILSON)) if figure else ""

    def estimate(found: Estimate | None, form: str) -> list[Any]:
        values = (found.value, found.low, found.high) if found else (None, None, None)
        return [_number(sheet, value, form) for value in values]

    headline = estimate(row.headline, score)
    return [
        _text(sheet, row.question.text),
        _text(sheet, series.code),
        _text(sheet, _(TYPE_NAMES[series.type])),
        _number(sheet, series.id, "0"),
        _number(sheet, series.first_set, "0"),
        _number(sheet, row.piece.first, _DATE),
        _number(sheet, row.piece.last, _DATE),
        _text(sheet, _(CHANNELS[source.channel]) if source else _("all")),
        _text(sheet, source.name if source else ""),
        _text(sheet, source.model if source else ""),
        _text(sheet, _("withheld") if figures is None else _("released")),
        _number(sheet, figures and figures.answers, _WHOLE),
        _number(sheet, figures and figures.cant_say, _WHOLE),
        _text(sheet, _(figure) if figure else ""),
        *headline,
        _text(sheet, method),
        *estimate(row.mean, "0.00"),
        _text(sheet, _("included") if export.with_filtered else _("left out")),
        *(_number(sheet, row.count(value), _WHOLE) for value in range(MOST_VALUES)),
        *(_number(sheet, row.share(value), _SHARE) for value in range(MOST_VALUES)),
    ]


def _labels(sheet: WriteOnlyWorksheet, export: Export) -> None:
    _header(
        sheet, [(_("Code"), 9), (_("Question"), 60), (_("Series"), 8), (_("Value"), 8), (_("Answer"), 40)]
    )
    for question in {row.question.series.id: row.question for row in export.whole}.values():
        for value, label in sorted(question.labels.items()):
            sheet.append(
                [
                    _text(sheet, question.series.code),
                    _text(sheet, question.text),
                    _number(sheet, question.series.id, "0"),
                    _number(sheet, value, "0"),
                    _text(sheet, label),
                ]
            )


def _texts(sheet: WriteOnlyWorksheet, export: Export) -> None:
    _header(sheet, [(_("Place"), 28), (_("First day"), 12), (_("Last day"), 12), (_("Text"), 100)])
    for one in export.texts:
        days = (_number(sheet, local(at).date(), _DATE) for at in (one.since, one.day))
        sheet.append([_text(sheet, one.place), *days, _text(sheet, one.text)])


def _header(sheet: WriteOnlyWorksheet, columns: Sequence[tuple[str, int]], freeze: str = "A2") -> None:
    cells = []
    for index, (name, width) in enumerate(columns):
        cell = _text(sheet, name)
        cell.font, cell.fill = _BOLD, _HEAD
        cells.append(cell)
        sheet.column_dimensions[_letters(index)].width = width
    sheet.freeze_panes = freeze
    sheet.append(cells)


def _letters(index: int) -> str:
    return (chr(64 + index // 26) if index >= 26 else "") + chr(65 + index % 26)


def _text(sheet: WriteOnlyWorksheet, text: str) -> Any:
    """A cell that is a text whatever it begins with."""
    cell = WriteOnlyCell(sheet)
    if text:
        cell.value = escaped(text)
        cell.data_type = "s"
        cell.quotePrefix = text.startswith((*LIVE, "'"))
    cell.alignment = _WRAPPED
    return cell


def _number(sheet: WriteOnlyWorksheet, value: Any, form: str) -> Any:
    cell = WriteOnlyCell(sheet, value=value)
    cell.number_format = form
    cell.alignment = _WRAPPED
    return cell

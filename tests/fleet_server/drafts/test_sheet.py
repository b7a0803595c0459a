"""The spreadsheet of a translator: there and back without loss, every fault at once, and no file that costs much."""

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from fleet_server.drafts.sheet import MARKER, from_xlsx, to_xlsx
from fleet_server.drafts.texts import slots, text_fault, tidy
from fleet_server.drafts.workbook import MAX_FILE_BYTES, MAX_ROWS, MAX_UNPACKED_BYTES, escaped, rows_of
from tests.fleet_server.drafts.desks import FIND, FIND_SV, set_

KEY = "questions/FIND/text"
TEXTS = st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from(
    [
        "=1+1",
        "'quoted",
        '"',
        "+358",
        "#N/A",
        "1.2.2026",
        "a\nb",
        "pal\u00adve\u00adlu",
        "👩\u200d⚕️",
        "_x0041_",
        "_x005F_x0041_",
    ]
    + ["ax005F_b", "\u00a0", "a\x0bb", "a\x00b", "a\r\nb", " spaces ", "TRUE", "&lt;&amp;", "]]>", "\ufffe"]
)


def body() -> dict:
    return {
        "languages": ["fi", "sv", "en"],
        "questions": [
            {"code": "K1", "item": "K1", "type": "text", "text": {"fi": "Kansallinen", "sv": "Nationell"}},
            FIND,
        ],
        "thanks": {"fi": "Kiitos!", "sv": "Tack!"},
    }


def altered(made: dict, **cells: object) -> bytes:
    """The sheet of a body with some cells (`F3="x"`) written over."""
    book = load_workbook(io.BytesIO(to_xlsx(made)))
    for name, value in cells.items():
        book.active[name].value = value
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def packed(parts: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts.items():
            package.writestr(name, part)
    return content.getvalue()


@settings(max_examples=25, deadline=None)
@given(text=TEXTS)
def test_any_text_goes_to_a_sheet_and_comes_back_as_it_was(text: str) -> None:
    made = body()
    made["questions"][1] = FIND | {"text": {"fi": text, "sv": text, "en": text[::-1]}}
    content = to_xlsx(made)
    assert from_xlsx(made, content) == ([], [])
    book = load_workbook(io.BytesIO(content))
    assert all(cell.data_type != "f" for row in book.active.iter_rows() for cell in row), (
        "nothing becomes a formula"
    )


@settings(max_examples=25, deadline=None)
@given(text=TEXTS)
def test_any_translation_comes_back_as_one_operation_or_as_one_fault(text: str) -> None:
    made = body()
    book = load_workbook(io.BytesIO(to_xlsx(made)))
    cell = next(row[5] for row in book.active.iter_rows() if row[0].value == KEY)
    cell.value = escaped(text)
    cell.data_type = "s"
    content = io.BytesIO()
    book.save(content)
    ops, faults = from_xlsx(made, content.getvalue())
    slot = next(slot for slot in slots(made) if slot.key == KEY)
    if text_fault(slot, tidy(text)):
        assert (ops, len(faults)) == ([], 1)
    else:
        assert faults == []
        assert ops == [set_(FIND_SV, tidy(text) or None)]


def test_only_what_may_be_translated_can_be_typed_over_and_the_head_stays_in_sight() -> None:
    sheet = load_workbook(io.BytesIO(to_xlsx(body()))).active
    assert sheet.protection.sheet
    assert sheet.freeze_panes == "E2"
    rows = {row[0].value: row for row in sheet.iter_rows(min_row=2)}
    assert [cell.protection.locked for cell in rows["questions/K1/text"]] == [True] * 7
    assert [cell.protection.locked for cell in rows[KEY]] == [True] * 5 + [False, False]
    assert [cell.value for cell in rows["questions/FIND/labels/1"]][1:4] == ["FIND", "answer 2", "60"]


def test_every_fault_is_listed_at_once_and_nothing_is_done() -> None:
    content = altered(
        body(),
        A4="questions/GONE/text",
        A5=KEY,
        E3="Lähde muuttui",
        F2="Oma",
        F3="x" * 201,
        F6="=SUM(A1)",
        G6=3.5,
    )
    ops, faults = from_xlsx(body(), content)
    assert ops == []
    assert list(map(str, faults)) == [
        f"row 5: the key “{KEY}” stands in row 3 already",
        "row 2, Swedish: “Nationell” is locked and was changed to “Oma”",
        "row 3, Finnish: “Oliko helppo löytää?” is locked and was changed to “Lähde muuttui”",
        "row 3, Swedish: it has 201 characters, at most 200 fit",
        "row 4: the key “questions/GONE/text” is none of this draft",
        "row 6, Swedish: “=SUM(A1)” is a formula, a date or a number, no text",
        "row 6, English: “3.5” is a formula, a date or a number, no text",
    ]


def test_columns_and_keys_that_are_none_are_named() -> None:
    _ops, faults = from_xlsx(body(), altered(body(), G1="xx · Klingon", F1="sv", H1="sv", A3=None))
    assert [str(fault) for fault in faults] == [
        "the column “xx · Klingon” is no language, or stands twice",
        "the column “sv” is no language, or stands twice",
        "row 3: has a text and no key",
    ]
    _ops, faults = from_xlsx(body(), altered(body(), G1="sme", G3="Giitu"))
    assert "row 3: the draft does not have Northern Sámi; add the language first" in map(str, faults)
    _ops, faults = from_xlsx(body(), altered(body(), A1=MARKER + " of somebody"))
    assert "no longer says of which draft" in str(faults[0])


def test_rows_in_another_order_and_a_sheet_in_front_do_no_harm() -> None:
    book = load_workbook(io.BytesIO(to_xlsx(body())))
    rows = [[cell.value for cell in row] for row in book.active.iter_rows(min_row=2)]
    for number, row in enumerate(reversed(rows), start=2):
        for column, value in enumerate(row, start=1):
            book.active.cell(number, column).value = value
    book.create_sheet("Notes", 0)["A1"] = "to the translator"
    content = io.BytesIO()
    book.save(content)
    assert from_xlsx(body(), content.getvalue()) == ([], [])


def test_another_workbook_is_the_wrong_one() -> None:
    content = io.BytesIO()
    Workbook().save(content)
    assert [str(fault) for fault in from_xlsx(body(), content.getvalue())[1]] == [
        "This workbook has no sheet of texts that came from here."
    ]


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"key;fi;sv\n", packed({}), packed({"xl/workbook.xml": b"<x/>"})]
)
def test_what_is_no_workbook_is_said_to_be_none(data: bytes) -> None:
    assert [str(fault) for fault in from_xlsx(body(), data)[1]] == [
        "This is no workbook. Save the sheet as Excel (.xlsx) and send that."
    ]


def test_a_file_that_unpacks_to_much_is_not_unpacked() -> None:
    with zipfile.ZipFile(io.BytesIO(to_xlsx(body()))) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    bomb = packed(parts | {"xl/worksheets/sheet2.xml": b" " * (10 * 1024 * 1024)})
    assert len(bomb) < 64 * 1024
    assert "The file unpacks to" in str(rows_of(bomb, MARKER)[1][0])
    assert "at most" in str(rows_of(b"x" * (MAX_FILE_BYTES + 1), MARKER)[1][0])
    many = packed(parts | {f"part{number}": b"" for number in range(100)})
    assert "The file unpacks to" in str(rows_of(many, MARKER)[1][0])
    entities = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    assert "no workbook" in str(rows_of(packed(parts | {"xl/styles.xml": entities}), MARKER)[1][0])
    assert MAX_UNPACKED_BYTES < 10 * 1024 * 1024


def test_a_sheet_of_too_many_rows_is_not_read_to_its_end() -> None:
    _ops, faults = from_xlsx(
        body(), altered(body(), **{f"A{MAX_ROWS + 5}": "far", f"A{MAX_ROWS + 1}": "down"})
    )
    assert str(faults[0]) == f"The sheet has more than {MAX_ROWS} rows."


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_file_is_a_fault_and_never_an_exception(data: st.DataObject) -> None:
    with zipfile.ZipFile(io.BytesIO(to_xlsx(body()))) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    name = data.draw(st.sampled_from(sorted(parts)))
    part = bytearray(parts[name])
    for _time in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(part) - 1))
        part[start : start + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=8))
    ops, faults = from_xlsx(body(), packed(parts | {name: bytes(part)}))
    assert not (ops and faults)

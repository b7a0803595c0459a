"""The committed documents are those that board.toml makes; the drawings were drawn from what stands there now."""

import csv
import html
import io
import math
import re
import struct
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from hardware import __main__ as command
from hardware import documents, drawings, enclosure, parts, power, wiring
from hardware.board import FOLDER, MODELS, load

MOST_BYTES = 500_000
Corner = tuple[float, ...]


@pytest.mark.parametrize("model", MODELS)
def test_every_document_is_up_to_date(model: str) -> None:
    board = load(model)
    for name, text in documents.texts(board).items():
        path = FOLDER / model / name
        assert path.read_bytes() == text.encode(), f"{model}/{name} is out of date: make hardware"
    assert drawings.stale(board) == []
    assert (FOLDER / model / drawings.SUMS).read_text() == drawings.sums(board)


@pytest.mark.parametrize("model", MODELS)
def test_drawings_are_small_and_what_their_names_say(model: str) -> None:
    for name in drawings.made_from(load(model)):
        content = (FOLDER / model / name).read_bytes()
        assert 1000 < len(content) < MOST_BYTES, name
        if name.endswith(".png"):
            assert content.startswith(b"\x89PNG")
        elif name.endswith(".dxf"):
            assert content.strip().endswith(b"EOF")
        elif name.endswith(".svg"):
            assert b"</svg>" in content


@pytest.mark.parametrize("model", MODELS)
def test_every_piece_to_print_is_closed_and_as_large_as_the_sizes_say(model: str) -> None:
    case = enclosure.sizes(load(model))
    wide = 0.0
    for piece in enclosure.printed(load(model)):
        content = (FOLDER / model / f"case_{piece}.stl").read_bytes()
        assert len(content) == 84 + 50 * int.from_bytes(content[80:84], "little")
        corners = [struct.unpack_from("<9f", content, at + 12) for at in range(84, len(content), 50)]
        edges: Counter[tuple[Corner, Corner]] = Counter()
        for triangle in corners:
            a, b, c = triangle[:3], triangle[3:6], triangle[6:]
            edges.update([(a, b), (b, c), (c, a)])
        assert all(edges[end, start] == times for (start, end), times in edges.items()), piece
        across = [triangle[n] for triangle in corners for n in (0, 3, 6)]
        size = max(across) - min(across)
        if piece == "front":
            assert size == pytest.approx(case["width"] - 2 * case["wall"], abs=0.01)
        else:
            wide += size
            assert size <= 250, "too large for a usual printer"
    assert wide == pytest.approx(case["width"], abs=0.01)


@pytest.mark.parametrize("model", MODELS)
def test_the_drawing_shows_every_wire(model: str) -> None:
    board = load(model)
    drawn = html.unescape((FOLDER / model / "wiring.svg").read_text()).replace("\xa0", " ")
    for cable in wiring.cables(board):
        assert f">{cable.name}</text>" in drawn
        for wire in cable.wires:
            assert re.search(rf":{re.escape(wire.start[1])}</text>", drawn), wire


def test_a_changed_file_makes_documents_and_drawings_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, app = CliRunner(), Typer()
    app.command()(command.main)
    assert runner.invoke(app, ["--check"]).exit_code == 0
    assert runner.invoke(app, ["--check", "lamp"]).exit_code == 2

    board = load("touch")
    (tmp_path / "touch").mkdir()
    for path in (FOLDER / "touch").iterdir():
        (tmp_path / "touch" / path.name).write_bytes(path.read_bytes())
    for module in (command, documents, drawings):
        monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(command, "load", lambda name: board)
    assert runner.invoke(app, ["--check", "touch"]).exit_code == 0

    board.table["case"]["width"] = 140
    done = runner.invoke(app, ["--check", "touch"])
    assert done.exit_code == 1
    for name in ("README.md", "case.scad", "case_front.stl", "case_whole.png"):
        assert f"touch/{name}: out of date" in done.output
    assert "wiring" not in done.output
    assert runner.invoke(app, ["--texts", "touch"]).exit_code == 0
    assert "width = 140" in (tmp_path / "touch" / "case.scad").read_text()

    board.table["piezo"]["pin"] = 3
    done = runner.invoke(app, ["touch"])
    assert done.exit_code == 1
    assert "strapping" in done.output or "belongs to the board" in done.output
    assert "\n| 3 |" not in (tmp_path / "touch" / "pins.md").read_text()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("page", ["assembly.md", "assembly.fi.md"])
def test_the_assembly_instructions_name_every_cable_the_height_and_the_pictures(
    model: str, page: str
) -> None:
    board = load(model)
    text = (FOLDER / model / page).read_text()
    for cable in board.table["cable"]:
        assert cable["id"] in text
    assert f"{board.table['case']['mount_bottom']} mm" in text
    for name in ("case_exploded.png", "wiring.png", "wiring.svg", *_pieces(model)):
        assert name in text


def test_no_link_of_the_pages_leads_nowhere() -> None:
    for page in FOLDER.rglob("*.md"):
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert "://" in link or (page.parent / link).exists(), f"{page.name}: {link}"


def test_both_languages_have_the_same_steps_checks_and_warnings() -> None:
    def shape(path: Path) -> list[tuple[str, int, int]]:
        """Of each line: heading, table row or step number; columns; passages in bold."""
        lines = path.read_text().splitlines()
        return [
            (re.match(r"#* ?(\d\. )?", line)[0].strip(), line.count("|"), line.count("**"))  # type: ignore[index]
            for line in lines
            if line
        ]

    for model in MODELS:
        assert shape(FOLDER / model / "assembly.md") == shape(FOLDER / model / "assembly.fi.md")


def test_the_readme_tells_the_reach_that_the_sizes_give() -> None:
    at = [enclosure.heights(load(model)) for model in MODELS]
    text = (FOLDER / "README.md").read_text()
    low, high = min(a["lowest touched"] for a in at), max(a["highest touched"] for a in at)
    assert f"between {low} and {high} mm" in text
    assert f"at most {max(a['depth'] for a in at)} mm" in text


def test_the_parts_for_a_buyer_are_those_of_the_page() -> None:
    for model in MODELS:
        rows = list(csv.DictReader(io.StringIO(parts.as_csv(load(model)))))
        page = parts.markdown(load(model))
        assert len(rows) == len(load(model).table["part"])
        assert all(f"| {row['quantity']} | {row['what']} |" in page for row in rows)


def test_a_battery_without_self_discharge_lasts_its_charge_over_its_load() -> None:
    cell = power.Battery(capacity_mah=1000, usable=0.9, monthly=0, load_mah_a_day=10)
    assert cell.days == 90
    assert replace(cell, monthly=1e-9).days == pytest.approx(90)
    lossy = replace(cell, monthly=0.05)
    steps, left = 0, 900.0  # the same by small steps
    while left > 0:
        left -= 10 / 24 - left * math.log(0.95) / 30.4 / 24
        steps += 1
    assert lossy.days == pytest.approx(steps / 24, abs=0.1)


def test_the_battery_lasts_a_year_and_each_limit_is_where_it_no_longer_does() -> None:
    board = load("battery")
    given = power.assumptions(board)
    assert power.battery(board, given).days > 365
    for of in ("presses", "syncs", "sync_seconds", "standing_ua"):
        limit = power.limit(board, of)
        assert limit > getattr(given, of)
        assert power.battery(board, replace(given, **{of: limit})).days == pytest.approx(365, abs=0.01)
    assert power.limit(board, "capacity_mah") < board.table["battery"]["capacity_mah"]
    assert power.limit(board, "monthly") > board.table["battery"]["self_discharge_month"]


def test_every_figure_of_power_names_its_kind_and_source() -> None:
    kinds = {"data sheet", "arithmetic", "estimate", "maker's measurement", "others' measurement"}
    for model in MODELS:
        table = load(model).table
        for entry in [*table.get("load", ()), *table.get("standing", ()), *table.get("event", ())]:
            assert entry["kind"] in kinds
            assert entry["source"]
        assert "unmeasured until it is measured on a board" in power.report(load(model))


def _pieces(model: str) -> list[str]:
    return [f"case_{piece}.stl" for piece in enclosure.printed(load(model))]

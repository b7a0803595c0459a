"""The wires of a model, and the WireViz source that draws them. It knows neither WireViz nor what a pin can do."""

import json
from dataclasses import dataclass

from hardware.board import Board

COLOURS = {
    "RD": "red",
    "BK": "black",
    "YE": "yellow",
    "GN": "green",
    "BU": "blue",
    "VT": "violet",
    "WH": "white",
    "GY": "grey",
    "OG": "orange",
    "BN": "brown",
    "PK": "pink",
}
_UNIT_GROUND = "#dce9f5"
_CABLE_GROUND = "#f4efe1"


@dataclass(frozen=True)
class Wire:
    """One wire: colour, and both ends as (unit, terminal)."""

    colour: str
    start: tuple[str, str]
    end: tuple[str, str]


@dataclass(frozen=True)
class Cable:
    name: str
    title: str
    length_mm: int
    wires: tuple[Wire, ...]


def cables(board: Board) -> list[Cable]:
    """All cables; one for each of several equal units (`per`) has the unit's number behind a dash: W3-1 to W3-5."""
    units = {unit["id"]: unit for unit in board.table["unit"]}
    found = []
    for cable in board.table["cable"]:
        several = units[cable["per"]]["count"] if "per" in cable else 0
        for number in range(1, several + 1) if several else (0,):
            wires = tuple(
                Wire(colour, *(_end(board, text, cable.get("per"), number) for text in ends))
                for colour, *ends in cable["wires"]
            )
            name = cable["id"] + (f"-{number}" if number else "")
            title = cable["title"] + (f" {number}" if number else "")
            found.append(Cable(name, title, cable["length_mm"], wires))
    return found


def _end(board: Board, text: str, per: str | None, number: int) -> tuple[str, str]:
    unit, _, terminal = text.format(n=number, i=number - 1).partition(":")
    if unit == per:
        unit = f"{unit} {number}"
    return unit, board.terminal(terminal)


def source(board: Board) -> str:
    """WireViz's YAML (JSON is YAML, so the text is made without another library)."""
    terminals: dict[str, list[str]] = {}
    for cable in cables(board):
        for wire in cable.wires:
            for unit, terminal in (wire.start, wire.end):
                if terminal not in terminals.setdefault(unit, []):
                    terminals[unit].append(terminal)
    titles, notes = _titles(board)
    for unit in board.table["unit"]:
        if "order" in unit:
            terminals[unit["id"]].sort(key=unit["order"].index)
    connectors = {
        titles[unit]: {
            "pins": pins,
            "bgcolor_title": _UNIT_GROUND,
            "show_pincount": False,
            **({"notes": notes[unit].replace(". ", ".\n")} if unit in notes else {}),
        }
        for unit, pins in terminals.items()
    }
    drawn = {
        cable.name: {
            "wirecount": len(cable.wires),
            "colors": [wire.colour for wire in cable.wires],
            "length": f"{cable.length_mm} mm",
            "bgcolor_title": _CABLE_GROUND,
            "notes": cable.title,
            "show_wirecount": False,
            "show_wirenumbers": False,
        }
        for cable in cables(board)
    }
    connections = [
        [
            {titles[cable.wires[0].start[0]]: [wire.start[1] for wire in cable.wires]},
            {cable.name: list(range(1, len(cable.wires) + 1))},
            {titles[cable.wires[0].end[0]]: [wire.end[1] for wire in cable.wires]},
        ]
        for cable in cables(board)
    ]
    # Without another separator the full stop of "4.2 inch" would name a template.
    options = {"fontname": "DejaVu Sans", "bgcolor": "WH", "color_mode": "full", "template_separator": "~"}
    drawing = {"options": options, "connectors": connectors, "cables": drawn, "connections": connections}
    return json.dumps(drawing, indent=1, ensure_ascii=False) + "\n"


def _titles(board: Board) -> tuple[dict[str, str], dict[str, str]]:
    titles, notes = {}, {}
    for unit in board.table["unit"]:
        for number in range(1, unit["count"] + 1) if "count" in unit else (0,):
            key = unit["id"] + (f" {number}" if number else "")
            titles[key] = unit["title"] + (f" {number}" if number else "")
            if "notes" in unit and number in (0, 1):
                notes[key] = unit["notes"]
    return titles, notes

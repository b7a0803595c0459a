"""A model's case: the OpenSCAD file with its sizes, and what EN 301 549 says about them. It runs nothing.

The shape is `case/kiosk.scad`, the same for all.
"""

import math
from typing import Any

from hardware.board import FOLDER, Board

SHAPE = FOLDER / "case" / "kiosk.scad"
# EN 301 549 V1.1.2, 8.3.3.1.1 and 8.3.3.1.2 (unobstructed forward reach): ds.gpii.net. Clauses that recommend.
REACH_LOW, REACH_HIGH = 380, 1220
# Draft of the next version (labs.etsi.org/rep/HF/en301549, issue 540, February 2025): at a depth of 400 mm.
DRAFT_LOW, DRAFT_HIGH = 800, 1100
# 8.3.3.2.3.1: how deep an obstruction that is part of the kiosk may be for the same reach from the side.
DEPTH_MOST = 255
_SIZES = (
    "shape",
    "width",
    "height",
    "depth_top",
    "tilt",
    "wall",
    "split",
    "window",
    "window_up",
    "buttons",
    "pitch",
    "cap",
    "hole",
    "buttons_up",
    "cable_hole",
    "board_size",
    "battery_size",
)
_WITHOUT: dict[str, Any] = {
    "buttons": 0,
    "pitch": 0,
    "cap": 0,
    "hole": 0,
    "buttons_up": 0,
    "cable_hole": 22,
    "battery_size": [],
}


def sizes(board: Board) -> dict[str, Any]:
    """Every size that the shape takes, in millimetres and degrees."""
    given = _WITHOUT | board.table["case"] | {"buttons": len(board.table.get("button", ()))}
    return {name: given[name] for name in _SIZES}


def printed(board: Board) -> tuple[str, ...]:
    """The pieces that are printed."""
    return ("left", "right", "front") if board.table["case"]["split"] else ("body", "front")


def scad(board: Board) -> str:
    """The file `case.scad`: opened in OpenSCAD it shows the whole case; `-D part=…` makes a piece."""
    lines = [f"{name} = {_value(value)};" for name, value in sizes(board).items()]
    head = f"// {board.title}: made from board.toml by `make hardware`; change it there."
    return "\n".join([head, 'part = "whole";', *lines, "", "include <../case/kiosk.scad>", ""])


def heights(board: Board) -> dict[str, float]:
    """Heights above the floor of what is touched and looked at, and the case's depth, when it hangs as it should."""
    case = sizes(board)
    bottom = board.table["case"]["mount_bottom"]
    tilt = math.radians(case["tilt"])
    half = case["window"][1] / 2
    found = {
        "lowest touched": bottom
        + (case["buttons_up"] - case["cap"] / 2 if case["buttons"] else case["window_up"] - half)
        * math.cos(tilt),
        "highest touched": bottom
        + (case["buttons_up"] + case["cap"] / 2 if case["buttons"] else case["window_up"] + half)
        * math.cos(tilt),
        "middle of the display": bottom + case["window_up"] * math.cos(tilt),
        "depth": case["depth_top"] + case["height"] * math.tan(tilt),
    }
    return {name: round(value) for name, value in found.items()}


def faults(board: Board) -> list[str]:
    """What is wrong with the case: out of reach, too deep, buttons that touch or do not fit."""
    at, case = heights(board), sizes(board)
    found = []
    for which, low, high in (("EN 301 549", REACH_LOW, REACH_HIGH), ("its draft", DRAFT_LOW, DRAFT_HIGH)):
        if at["lowest touched"] < low or at["highest touched"] > high:
            found.append(
                f"touched from {at['lowest touched']} to {at['highest touched']} mm; {which}: {low} to {high}"
            )
    if at["depth"] > DEPTH_MOST:
        found.append(f"{at['depth']} mm deep; at most {DEPTH_MOST}")
    if case["buttons"]:
        if case["pitch"] - case["cap"] < 12:
            found.append("buttons stand closer than 12 mm: one finger or a tremor presses two")
        if case["cap"] < 20:
            found.append("buttons are smaller than 20 mm")
        if (case["buttons"] - 1) * case["pitch"] + case["cap"] + 2 * 12 > case["width"]:
            found.append("buttons do not fit between the sides")
        if case["window_up"] - case["window"][1] / 2 < case["buttons_up"] + case["cap"] / 2 + 10:
            found.append("a hand on the buttons covers the question")
    return found


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)

"""What a model draws: a wired one's power budget, the days a battery lasts. Figures come from `board.toml`, times that
the firmware decides from the firmware.

A battery loses charge to the load and, in proportion to what is left, by itself:  dQ/dt = -load - k Q.  So it lasts
ln(1 + k Q / load) / k days. Units: mAh, days, mC (1 mAh = 3600 mC).
"""

import ast
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hardware.board import FOLDER, Board

_DAYS_A_MONTH = 30.4
_DAY_S = 86_400
_FIRMWARE = ("doze", "sleeper")  # modules of firmware/kiosk whose constants the model reads


@dataclass(frozen=True)
class Load:
    """One draw of a battery, as mAh a day."""

    name: str
    mah_a_day: float
    how: str
    kind: str
    source: str


@dataclass(frozen=True)
class Battery:
    """A battery in use. usable: the share that the board can take out; monthly: the share it loses by itself."""

    capacity_mah: float
    usable: float
    monthly: float
    load_mah_a_day: float

    @property
    def days(self) -> float:
        """Until the usable charge is gone."""
        loss = -math.log(1 - self.monthly) / _DAYS_A_MONTH
        charge = self.capacity_mah * self.usable
        if not loss:
            return charge / self.load_mah_a_day
        return math.log(1 + loss * charge / self.load_mah_a_day) / loss


@dataclass(frozen=True)
class Assumptions:
    """What may be asked "and if": the days' presses and syncs, a sync's seconds, the current asleep in microamperes."""

    presses: float
    syncs: float
    sync_seconds: float
    standing_ua: float


def firmware() -> dict[str, int]:
    """The numbers that a sleeping kiosk keeps to: `NAME = const(…)` of its modules."""
    found = {}
    for name in _FIRMWARE:
        for node in ast.parse((FOLDER.parent / "firmware" / "kiosk" / f"{name}.py").read_bytes()).body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and node.value.args:
                value, target = node.value.args[0], node.targets[0]
                if isinstance(value, ast.Constant) and isinstance(target, ast.Name):
                    found[target.id] = int(str(value.value))
    return found


def assumptions(board: Board) -> Assumptions:
    """Those of the file, and of the firmware that it names."""
    days = board.table["days"]
    syncs = _DAY_S / firmware()[days["firmware_sync_s"]]
    seconds = next(event["seconds"] for event in board.table["event"] if event["per_day"] == "syncs")
    standing = sum(entry["microampere"] for entry in board.table["standing"])
    return Assumptions(days["presses"], syncs, seconds, standing)


def loads(board: Board, given: Assumptions) -> list[Load]:
    """Every draw under these assumptions. A sync and a press are a waking each."""
    often: dict[Any, float] = {
        "presses": given.presses,
        "syncs": given.syncs,
        "wakes": given.presses + given.syncs,
    }
    stated = assumptions(board).standing_ua
    found = [
        Load(
            entry["name"],
            entry["microampere"] * given.standing_ua / stated * 24 / 1000,
            f"{entry['microampere'] * given.standing_ua / stated:.1f} µA all day",
            entry["kind"],
            entry["source"],
        )
        for entry in board.table["standing"]
    ]
    for event in board.table["event"]:
        times = often.get(event["per_day"], event["per_day"])
        if "millicoulomb" in event:
            each, how = event["millicoulomb"], f"{event['millicoulomb']:g} mC"
        else:
            if event["per_day"] == "syncs":
                seconds = given.sync_seconds
            elif "firmware_ms" in event:
                seconds = firmware()[event["firmware_ms"]] / 1000
            else:
                seconds = event["seconds"]
            each, how = event["milliampere"] * seconds, f"{event['milliampere']:g} mA x {seconds:g} s"
        found.append(
            Load(event["name"], times * each / 3600, f"{times:g} x {how}", event["kind"], event["source"])
        )
    return found


def battery(board: Board, given: Assumptions) -> Battery:
    """The file's battery under these assumptions."""
    cell = board.table["battery"]
    load = sum(entry.mah_a_day for entry in loads(board, given))
    return Battery(cell["capacity_mah"], cell["usable"], cell["self_discharge_month"], load)


def limit(board: Board, of: str) -> float:
    """How large one assumption, or the monthly self-discharge ("monthly") may be for the battery to reach its goal; how
    small its capacity ("capacity_mah")."""
    given, goal = assumptions(board), board.table["battery"]["goal_days"]
    cell = battery(board, given)
    if of == "capacity_mah":
        return _between(lambda value: replace(cell, capacity_mah=value).days < goal, 1, 100_000)
    if of == "monthly":
        return _between(lambda value: replace(cell, monthly=value).days >= goal, 0, 0.9)
    return _between(lambda value: battery(board, replace(given, **{of: value})).days >= goal, 0, 100_000)


def _between(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Where a condition that holds at the low end stops to hold."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def report(board: Board) -> str:
    """The Markdown page `power.md`."""
    return _battery_page(board) if board.table["supply"]["kind"] == "battery" else _wired_page(board)


_UNMEASURED = (
    "**Nothing here was measured on a kiosk: every figure is unmeasured until it is measured on a board.**"
)


def _wired_page(board: Board) -> str:
    supply = board.table["supply"]
    rows, watts = [], 0.0
    for load in board.table["load"]:
        watt = load["volt"] * load["milliampere"] / 1000
        watts += watt
        rows.append(
            f"| {load['name']} | {load['milliampere']:g} mA at {load['volt']:g} V | {watt:.2f} W | {load['kind']} "
            f"| {load['source']} |"
        )
    drawn = watts / supply["efficiency"]
    return "\n".join(
        [
            f"# {board.title}: power budget",
            "",
            _UNMEASURED,
            "Highest draws, all at once:",
            "",
            "| What | Current | Power | Kind | Source |",
            "|---|---|---|---|---|",
            *rows,
            f"| **together** | | **{watts:.2f} W** | arithmetic | |",
            "",
            f"From the network switch: {watts:.2f} W / {supply['efficiency']:g} = **{drawn:.1f} W** "
            f"({supply['efficiency_source']}). Allowed: {supply['limit_watt']:g} W ({supply['limit_source']}): "
            f"{supply['limit_watt'] / drawn:.1f} times as much.",
            f"A year at that draw is {drawn * 8.766:.0f} kWh, the most it can be.",
            "",
        ]
    )


def _battery_page(board: Board) -> str:
    cell, given = board.table["battery"], assumptions(board)
    now = battery(board, given)
    rows = [
        f"| {load.name} | {load.how} | {load.mah_a_day:.2f} | {load.mah_a_day * 365:.0f} | {load.kind} "
        f"| {load.source} |"
        for load in loads(board, given)
    ]
    conditions = (
        (
            "capacity of the pack",
            "at least",
            f"{limit(board, 'capacity_mah'):.0f} mAh",
            f"{cell['capacity_mah']} mAh",
        ),
        ("presses a day", "at most", f"{limit(board, 'presses'):.0f}", f"{given.presses:g}"),
        ("syncs a day", "at most", f"{limit(board, 'syncs'):.0f}", f"{given.syncs:g}"),
        (
            "a sync at 100 mA, the mean of good and failed ones",
            "at most",
            f"{limit(board, 'sync_seconds'):.1f} s",
            f"{given.sync_seconds:g} s",
        ),
        (
            "current asleep, everything connected",
            "at most",
            f"{limit(board, 'standing_ua'):.0f} µA",
            f"{given.standing_ua:.1f} µA",
        ),
        (
            "self-discharge",
            "at most",
            f"{limit(board, 'monthly') * 100:.1f} % a month",
            f"{cell['self_discharge_month'] * 100:g} %",
        ),
    )
    fixed = firmware()
    give_up, hours = fixed["GIVE_UP_S"], (fixed["SYNC_S"] << fixed["_MOST_DOUBLINGS"]) / 3600
    others = [
        ("as assumed", given),
        ("twice the presses", replace(given, presses=given.presses * 2)),
        ("a sync every four hours", replace(given, syncs=6)),
        ("bad radio: a sync takes 20 s", replace(given, sync_seconds=20)),
        ("a display that leaks 200 µA", replace(given, standing_ua=given.standing_ua + 200)),
        (
            f"no network within reach, {give_up} s an attempt, every {hours:g} hours after the first",
            replace(given, syncs=24 / hours, sync_seconds=give_up),
        ),
    ]
    return "\n".join(
        [
            f"# {board.title}: how long the battery lasts",
            "",
            _UNMEASURED,
            f"{given.presses:g} presses and {given.syncs:g} syncs a day; a press and a sync are a waking each.",
            "",
            "| What | How much | mAh a day | mAh a year | Kind | Source |",
            "|---|---|---|---|---|---|",
            *rows,
            f"| **together** | | **{now.load_mah_a_day:.2f}** | **{now.load_mah_a_day * 365:.0f}** | | |",
            "",
            f"Battery: {cell['capacity_mah']} mAh ({cell['capacity_source']}). Usable: {cell['usable'] * 100:.0f} % "
            f"({cell['usable_source']}). Self-discharge: {cell['self_discharge_month'] * 100:g} % of what is left, a "
            f"month ({cell['self_discharge_source']}).",
            f"Temperature: {cell['minimum_c']} to {cell['maximum_c']} °C ({cell['temperature_source']}).",
            "",
            f"**It lasts {now.days:.0f} days**; the goal is {cell['goal_days']}.",
            "",
            "## What must hold for a year",
            "Each alone, the others as assumed:",
            "",
            "| What | | Limit | Assumed |",
            "|---|---|---|---|",
            *[f"| {what} | {which} | {value} | {assumed} |" for what, which, value, assumed in conditions],
            "",
            "## And if",
            "",
            "| | mAh a day | Days |",
            "|---|---|---|",
            *[
                f"| {what} | {battery(board, other).load_mah_a_day:.2f} | {battery(board, other).days:.0f} |"
                for what, other in others
            ],
            "",
            "Light sleep instead of deep sleep would keep the program running and need no new one, but the chip alone "
            f"takes 280 µA with this PSRAM (ESP32-S3 data sheet): "
            f"{battery(board, replace(given, standing_ua=given.standing_ua + 280)).days:.0f} days before the board's "
            "own regulators are counted, and a waking costs less then.",
            "",
        ]
    )

"""A model's `board.toml`, read and asked: which pins it uses for what, what a reference means. It judges nothing.

Invariant: a pin's number stands in one place of the file; wires name it by its section and key (`@paper.busy`).
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
MODELS = ("button", "battery", "touch")

# Section -> key -> what the pin must be able to do. Keys ending in "_output" are outputs of the expander.
SECTIONS: dict[str, dict[str, str]] = {
    "i2c": {"scl": "both", "sda": "both"},
    "paper": {"sck": "out", "mosi": "out", "busy": "in", "cs": "out", "dc": "out", "reset": "out"},
    "display": {
        "sck": "out",
        "mosi": "out",
        "miso": "in",
        "cs": "out",
        "reset": "out",
        "dc": "out",
        "light": "out",
    },
    "touch": {"interrupt": "in", "sda": "both", "scl": "both", "reset": "out"},
    "piezo": {"pin": "out"},
    "lights": {"pins": "out"},
    "gauge": {"sense": "analog"},
    "ethernet": {
        "mdc": "out",
        "mdio": "both",
        "power": "out",
        "clock": "out",
        "reset": "out",
        "interrupt": "in",
        "mosi": "out",
        "miso": "in",
        "sck": "out",
        "cs": "out",
    },
    "rail": {"enable": "out"},
    "charge_bus": {"sda": "both", "scl": "both", "enable": "out"},
}


@dataclass(frozen=True)
class Use:
    """One pin used for one thing.

    does: "in", "out", "both" or "analog". wakes: must wake the chip from deep sleep. held: keeps its level there.
    """

    pin: int
    what: str
    does: str
    on_board: bool = False
    wakes: bool = False
    held: bool = False


class Board:
    """One model. `table` is the file as it stands; a test hands in a changed one."""

    def __init__(self, folder: str, table: dict[str, Any]) -> None:
        self.folder = folder
        self.table = table

    @property
    def title(self) -> str:
        return str(self.table["board"]["title"])

    @property
    def chip(self) -> str:
        return str(self.table["board"]["chip"])

    def reserved(self) -> dict[int, str]:
        """Pins that the board uses itself, and for what."""
        return {int(pin): what for pin, what in self.table["reserved"].items()}

    def uses(self) -> list[Use]:
        """Every pin that this model uses, the board's own ones included, in the order of the file."""
        sleeps = bool(self.table["board"].get("sleeps"))
        found = [
            Use(button["pin"], f"button {button['face'] + 1}", "in", wakes=sleeps)
            for button in self.table.get("button", ())
        ]
        for section, keys in SECTIONS.items():
            values = self.table.get(section, {})
            held = values.get("held_in_sleep", ())
            for key, does in keys.items():
                if key not in values:
                    continue
                pins = values[key] if isinstance(values[key], list) else [values[key]]
                for number, pin in enumerate(pins, 1):
                    what = f"{section} {number}" if isinstance(values[key], list) else f"{section} {key}"
                    found.append(
                        Use(pin, what, does, on_board=bool(values.get("on_board")), held=key in held)
                    )
        return found

    def outputs(self) -> list[tuple[int, str]]:
        """Outputs of the expander in use, with their names."""
        found = []
        for section, values in self.table.items():
            if not isinstance(values, dict):
                continue
            for key, value in values.items():
                if key == "output" or key.endswith("_output"):
                    found.append((value, f"{section} {key.removesuffix('_output')}"))
                elif key == "outputs":
                    found += [(output, f"{section} {number}") for number, output in enumerate(value, 1)]
        return found

    def at(self, reference: str) -> Any:
        """What `section.key` or `section.0.key` names. Raises KeyError naming the reference."""
        place: Any = self.table
        for step in reference.split("."):
            try:
                place = place[int(step)] if step.isdigit() and isinstance(place, list) else place[step]
            except (KeyError, IndexError, TypeError):
                raise KeyError(f"hardware/{self.folder}/board.toml has no '{reference}'") from None
        return place

    def terminal(self, text: str) -> str:
        """A terminal's name as it is printed: `@paper.busy` becomes "GPIO36 UEXT", `@paper.cs_output` "P10"."""
        if not text.startswith("@"):
            return text
        number = int(self.at(text[1:]))
        if "output" in text:
            return f"P{number // 8}{number % 8}"
        return f"GPIO{number} {self.header(text[1:])}".rstrip()

    def header(self, reference: str) -> str:
        """Where on the board's headers the pin of that name is found; "" where the print says its number."""
        section, *steps = reference.split(".")
        values = self.table[section]
        if isinstance(values, list):
            return str(values[int(steps[0])].get("header", ""))
        names = values.get("headers", ())
        if isinstance(names, dict):
            return str(names.get(steps[0], values.get("header", "")))
        if names and steps[-1].isdigit():
            return str(names[int(steps[-1])])
        return str(values.get("header", ""))


def load(folder: str) -> Board:
    """The model in `hardware/<folder>`."""
    return Board(folder, tomllib.loads((FOLDER / folder / "board.toml").read_text(encoding="utf-8")))

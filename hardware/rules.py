"""Which pin may be used for what: every breach of a chip's rules in a `board.toml`, each as a sentence.

It knows the chips' tables and the file, no firmware and no drawing.
"""

from collections import defaultdict

from hardware.board import Board, Use
from hardware.chips import CHIPS, HARMLESS, Chip

_EXPANDER_OUTPUTS = range(16)


def faults(board: Board) -> list[str]:
    """What is wrong with the pins of this model; [] when nothing is."""
    if board.chip not in CHIPS:
        return [f"chip '{board.chip}' is unknown; there are {', '.join(CHIPS)}"]
    chip = CHIPS[board.chip]
    uses, reserved = board.uses(), board.reserved()
    found = _twice(uses) + _expander(board) + _unwired(board)
    found += [
        f"GPIO{pin}: no such pin on {chip.name} (reserved: {what})"
        for pin, what in reserved.items()
        if pin not in chip.pins
    ]
    for pin in sorted((chip.memory | chip.usb | chip.console) & chip.pins):
        if pin not in reserved:
            found.append(f"GPIO{pin}: flash, PSRAM, USB or console, but not in [reserved]")
    for use in uses:
        found += [f"GPIO{use.pin} ({use.what}): {wrong}" for wrong in _wrong(use, chip, board, reserved)]
    return found


def _wrong(use: Use, chip: Chip, board: Board, reserved: dict[int, str]) -> list[str]:
    found = []
    if use.pin not in chip.pins:
        return [f"no such pin on {chip.name}"]
    if use.on_board and use.pin not in reserved:
        found.append("is wired on the board but not in [reserved]")
    if not use.on_board and use.pin in reserved:
        found.append(f"belongs to the board: {reserved[use.pin]}")
    if use.pin in chip.memory:
        found.append("is the flash's or the PSRAM's")
    if use.pin in chip.usb | chip.console:
        found.append("is USB's or the console's")
    if use.pin in chip.input_only and use.does in ("out", "both"):
        found.append("can only be an input")
    if use.pin in chip.ghost_edges and use.what.startswith("button"):
        found.append("sees edges that nobody made, and an edge is an answer")
    if (
        use.pin in chip.strapping
        and not use.on_board
        and use.does not in HARMLESS.get((board.chip, use.pin), ())
    ):
        found.append(f"strapping pin: {chip.strapping[use.pin]}")
    if use.does == "analog" and use.pin in chip.adc2 and board.table["board"]["radio"] == "wifi":
        found.append("ADC2 does not work beside Wi-Fi")
    if use.wakes and use.pin not in chip.rtc:
        found.append("cannot wake the chip from deep sleep")
    if use.held and use.pin not in chip.rtc:
        found.append("cannot keep its level in deep sleep")
    return found


def _twice(uses: list[Use]) -> list[str]:
    by_pin = defaultdict(list)
    for use in uses:
        by_pin[use.pin].append(use.what)
    return [
        f"GPIO{pin}: used twice, for {' and '.join(names)}" for pin, names in by_pin.items() if len(names) > 1
    ]


def _expander(board: Board) -> list[str]:
    by_output = defaultdict(list)
    for output, what in board.outputs():
        by_output[output].append(what)
    found = [
        f"output {output} of the expander: used twice, for {' and '.join(names)}"
        for output, names in by_output.items()
        if len(names) > 1
    ]
    if by_output and "expander" not in board.table:
        found.append("outputs of an expander are used, but there is no [expander]")
    return found + [
        f"output {output} of the expander: there are 0 to 15"
        for output in by_output
        if output not in _EXPANDER_OUTPUTS
    ]


def _unwired(board: Board) -> list[str]:
    """Every pin of ours has exactly one wire to the board; `miso` of a display that is never read has none."""
    wired: defaultdict[str, int] = defaultdict(int)
    for cable in board.table.get("cable", ()):
        for _colour, *ends in cable["wires"]:
            for unit, _, terminal in (end.partition(":") for end in ends):
                if unit == "board" and terminal.startswith("@"):
                    wired[board.terminal(terminal).split()[0]] += 1
    found = []
    for use in board.uses():
        if use.on_board or use.what == "display miso":
            continue
        count = wired.pop(f"GPIO{use.pin}", 0)
        if count != 1:
            found.append(f"GPIO{use.pin} ({use.what}): {count} wires go there, not one")
    return found + [f"{terminal}: a wire goes there, but nothing uses it" for terminal in wired]

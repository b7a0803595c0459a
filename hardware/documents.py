"""All text documents of a model, made from its `board.toml`: file name -> content. Draws nothing and runs nothing."""

from hardware import chips, enclosure, parts, power, wiring
from hardware.board import FOLDER, Board, Use

BEGIN = "<!-- made from board.toml by `make hardware`: change it there -->"
END = "<!-- end of what is made from board.toml -->"


def texts(board: Board) -> dict[str, str]:
    """Every text file of the folder that is made, the README with its made part replaced."""
    readme = (FOLDER / board.folder / "README.md").read_text(encoding="utf-8")
    return {
        "README.md": with_summary(readme, board),
        "case.scad": enclosure.scad(board),
        "parts.csv": parts.as_csv(board),
        "parts.md": parts.markdown(board),
        "pins.md": pins(board),
        "power.md": power.report(board),
        "wiring.yml": wiring.source(board),
    }


def with_summary(readme: str, board: Board) -> str:
    """The README with the part between the marks made anew. Raises ValueError unless each mark stands there once."""
    if readme.count(BEGIN) != 1 or readme.count(END) != 1:
        raise ValueError(
            f"hardware/{board.folder}/README.md: marks '{BEGIN}' and '{END}' must stand there once"
        )
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{summary(board)}\n{END}{after}"


def summary(board: Board) -> str:
    """What a README shows of the model: picture, size, current, links."""
    at, case, about = enclosure.heights(board), enclosure.sizes(board), board.table["board"]
    if board.table["supply"]["kind"] == "battery":
        given = power.assumptions(board)
        lasts = power.battery(board, given).days
        energy = (
            f"one charge lasts {lasts:.0f} days by the model, at {given.presses:g} presses and {given.syncs:g} syncs a "
            "day, **unmeasured**: [power.md](power.md)"
        )
    else:
        watts = sum(load["volt"] * load["milliampere"] for load in board.table["load"]) / 1000
        drawn = watts / board.table["supply"]["efficiency"]
        energy = f"at most {drawn:.1f} W from the network switch, **unmeasured**: [power.md](power.md)"
    many = f"{case['buttons']} buttons of {case['cap']} mm, {case['pitch']} mm apart"
    touched = many if case["buttons"] else "a touchscreen"
    size = f"{case['width']} x {case['height']} x {at['depth']:.0f} mm, front tilted {case['tilt']}°"
    pieces = ", ".join(f"[{piece}](case_{piece}.stl)" for piece in enclosure.printed(board))
    return "\n".join(
        [
            f"![The case of the {board.title.lower()}](case_whole.png)",
            "",
            "| | |",
            "|---|---|",
            f"| Models | {', '.join(about['kiosk_models']) or 'none yet'} |",
            f"| Board | {about['model']}; {about['module']} |",
            f"| Firmware | {about['firmware']} |",
            f"| Power | {about['power']} |",
            f"| Draw | {energy} |",
            f"| Case | {size}; {touched} |",
            f"| Height | lower edge {board.table['case']['mount_bottom']} mm above the floor: touched from "
            f"{at['lowest touched']:.0f} to {at['highest touched']:.0f} mm |",
            f"| Pieces to print | {pieces}; the front to be cut from a sheet: [outline](case_cut.dxf); "
            "sizes: [case.scad](case.scad) |",
            "",
            "Wiring: [drawing](wiring.svg), [pins](pins.md). [Parts](parts.md). Assembly: [English](assembly.md), "
            "[suomeksi](assembly.fi.md).",
        ]
    )


def pins(board: Board) -> str:
    """The page `pins.md`: every pin with its use and reason, every wire."""
    chip = chips.CHIPS[board.chip]
    uses = sorted(board.uses(), key=lambda use: use.pin)
    rows = [
        f"| {use.pin} | {use.what} | {_does(use.does)} | {_where(board, use.pin)} | {_why(board, use)} |"
        for use in uses
    ]
    free = sorted(chip.pins - {use.pin for use in uses} - set(board.reserved()))
    taken: dict[str, list[str]] = {}
    for pin, what in sorted(board.reserved().items()):
        taken.setdefault(what, []).append(str(pin))
    found = [
        f"# {board.title}: pins and wires",
        "",
        f"{board.table['board']['model']}; {chip.name}. Rules: {chip.source}.",
        "",
        "| GPIO | Use | Direction | Header | Why this one |",
        "|---|---|---|---|---|",
        *rows,
        "",
        f"Free: {', '.join(map(str, free)) or 'none'}.",
        "",
        "| The board's own: nothing goes there | GPIO |",
        "|---|---|",
        *[f"| {what} | {', '.join(numbers)} |" for what, numbers in taken.items()],
        "",
        "## Wires",
        "[![Wiring](wiring.png)](wiring.svg)",
        "",
        "| Cable | Colour | From | To |",
        "|---|---|---|---|",
    ]
    titles = {unit["id"]: unit["title"] for unit in board.table["unit"]}
    for cable in wiring.cables(board):
        for wire in cable.wires:
            ends = " | ".join(
                f"{_title(titles, unit)}: {terminal}" for unit, terminal in (wire.start, wire.end)
            )
            found.append(f"| {cable.name} | {wiring.COLOURS[wire.colour]} | {ends} |")
    return "\n".join([*found, ""])


def _title(titles: dict[str, str], unit: str) -> str:
    name, _, number = unit.partition(" ")
    return f"{titles[name]} {number}".rstrip()


def _why(board: Board, use: Use) -> str:
    """The reason that the file gives for the pin, or for its section."""
    section, _, key = use.what.partition(" ")
    if section == "button":
        return str(board.table["button"][int(key) - 1].get("why", ""))
    values = board.table[section]
    return str(values.get(f"why_{key}") or values.get("why", ""))


def _does(does: str) -> str:
    return {"in": "input", "out": "output", "both": "both", "analog": "analogue"}[does]


def _where(board: Board, pin: int) -> str:
    """The header that the wiring names for the pin, or that it is wired on the board."""
    for cable in board.table["cable"]:
        for _colour, *ends in cable["wires"]:
            for end in ends:
                terminal = end.partition(":")[2]
                if end.startswith("board:@") and board.terminal(terminal).split()[0] == f"GPIO{pin}":
                    return board.header(terminal[1:]) or "header, by its number"
    return "on the board" if pin in board.reserved() else "open"

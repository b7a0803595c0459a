"""What a program said on a terminal, as a picture: its escape codes as a terminal would take them, drawn by rich.

It runs nothing. Of cursor movements it knows those that rich makes.
"""

import re
from pathlib import Path

from playwright.sync_api import Browser
from rich.console import Console
from rich.text import Text

_CODE = re.compile(r"\x1b\[([0-9;?]*)([a-zA-Z])|([\r\n])")


def screen(said: str) -> list[str]:
    """The lines that stand there at the end, colours kept."""
    lines, row, at = [""], 0, 0
    for found in _CODE.finditer(said):
        lines[row] += said[at : found.start()]
        at = found.end()
        number, code, end = found.groups()
        if end == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif code == "A":
            row = max(0, row - int(number or 1))
        elif code == "K":
            lines[row] = ""
        elif code == "m":
            lines[row] += found[0]
    lines[row] += said[at:]
    return lines


def photograph(browser: Browser, command: str, said: str, path: Path, columns: int = 118) -> None:
    """A window with the command and what it said. `said`: of a terminal that wide."""
    console = Console(record=True, width=columns, file=open("/dev/null", "w"), force_terminal=True)  # noqa: SIM115
    console.print(Text.assemble(("$ ", "bold green"), command))
    for line in screen(said):
        console.print(Text.from_ansi(line))
    svg = console.export_svg(title="station")
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.S).replace("Fira Code", "DejaVu Sans Mono")
    page = browser.new_page(viewport={"width": 1320, "height": 900})
    page.set_content(f'<body style="margin:0;width:1320px">{svg}</body>')
    page.locator("svg").first.screenshot(path=path)
    page.close()

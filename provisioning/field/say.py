"""What the tool says while it works: progress on standard error, coloured on a terminal and plain when piped.

Results go to standard output, one JSON object with --json. Knows no step.
"""

import json
import sys
from typing import Any

from rich.console import Console
from rich.text import Text

_STYLES = {"done": ("✓", "green"), "doing": ("…", "cyan"), "failed": ("✗", "bold red"), "hint": (" ", "dim")}


class Say:
    """`as_json`: the result is for a program; progress is said all the same, to whoever watches."""

    def __init__(self, as_json: bool = False) -> None:
        self.as_json = as_json
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)

    def done(self, text: str, who: str = "") -> None:
        """A step is over."""
        self._say("done", text, who)

    def doing(self, text: str, who: str = "") -> None:
        """A step begins, or goes on."""
        self._say("doing", text, who)

    def failed(self, text: str, who: str = "") -> None:
        """A step failed, and why."""
        self._say("failed", text, who)

    def hint(self, text: str, who: str = "") -> None:
        """What a person can do meanwhile, or by hand instead."""
        self._say("hint", text, who)

    def result(self, content: dict[str, Any], *lines: str) -> None:
        """The end of a command: JSON, or these lines."""
        if self.as_json:
            sys.stdout.write(json.dumps(content, ensure_ascii=False) + "\n")
        else:
            sys.stdout.writelines(f"{line}\n" for line in lines)
        sys.stdout.flush()

    def _say(self, kind: str, text: str, who: str) -> None:
        sign, style = _STYLES[kind]
        line = Text(f"{sign} ", style)
        if who:
            line.append(f"{who}: ", "bold")
        line.append(text, style if kind in ("failed", "hint") else "")
        self._console.print(line)

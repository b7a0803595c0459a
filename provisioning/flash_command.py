"""`station flash`: many boards at once, a process and a bar each; plain lines when piped, JSON for programs."""

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from provisioning import flashing, ports
from provisioning.board_reader import Line
from provisioning.dumps import Dumps
from provisioning.errors import ProvisioningError
from provisioning.esp_tool import LADDER, Rung
from provisioning.flash_plan import Looked, Pair, check_images, pair_found, pair_named
from provisioning.flashing import Harvest, KioskImage, Outcome, Tell, flash_board, open_image
from provisioning.handing_over import deliver
from provisioning.lines import CaFile, Json, ServerOption, StateFolder, TokenFile, one_line_errors
from provisioning.ports import Port
from provisioning.server import Server, from_environment

_PAUSE_S = 1.5  # a USB port that was reset is there again after a second
_SIGNS = {"written": "written and verified", "already": "held it already", "failed": "failed"}


@one_line_errors
def flash(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE…", help="From `station image`, one for each board.")
    ],
    port: Annotated[
        list[str] | None,
        typer.Option(
            "--port",
            help="Device, USB location or serial number; one for each image. Default: what is found.",
        ),
    ] = None,
    even_if_answers_wait: Annotated[
        bool,
        typer.Option(
            "--even-if-answers-wait", help="Overwrite answers that reached no server. They are lost."
        ),
    ] = False,
    harvest_first: Annotated[
        bool,
        typer.Option("--harvest", help="Hand over what waits in a board's journal before writing to it."),
    ] = False,
    server: ServerOption = None,
    token_file: TokenFile = None,
    ca: CaFile = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask before writing to boards that were found.")
    ] = False,
    as_json: Json = False,
    folder: StateFolder = None,
) -> None:
    """Write kiosks' images to boards, all at once, and verify them.

    A board of another chip is never touched, nor one whose journal holds answers that reached no server. It can be
    interrupted at any time and run again.
    """
    opened = [open_image(path) for path in images]
    check_images(opened)
    there = ports.chosen(port) if port else ports.find()
    if not there:
        raise ProvisioningError(
            "no board was found; plug it in by USB (a cable for data, not only for charging), or name its --port"
        )
    dumps = Dumps(folder)
    harvester = _harvester(from_environment(server, token_file, ca), dumps) if harvest_first else None
    agree = None if yes or port else _ask
    if agree and (as_json or not sys.stdin.isatty()):
        raise ProvisioningError("nobody can be asked: name each board with --port, or give --yes")
    outcomes = asyncio.run(
        flash_all(
            opened, there, bool(port), dumps, even_if_answers_wait, agree, quiet=as_json, harvest=harvester
        )
    )
    if as_json:
        typer.echo(json.dumps({"boards": [outcome.as_dict() for outcome in outcomes]}))
    else:
        for outcome in outcomes:
            _say(outcome)
    if any(outcome.state == "failed" for outcome in outcomes):
        raise typer.Exit(1)


async def flash_all(
    images: Sequence[KioskImage],
    there: Sequence[Port],
    named: bool,
    dumps: Dumps,
    even_if_answers_wait: bool = False,
    agree: Callable[[Sequence[Pair]], None] | None = None,
    quiet: bool = False,
    harvest: Harvest | None = None,
    pause_s: float = _PAUSE_S,
    attempts: int = 7,
    ladder: tuple[Rung, ...] = LADDER,
) -> list[Outcome]:
    """Looks at all boards, pairs them with the images, and writes. agree: raises when a person says no.

    Raises ProvisioningError when images and boards do not go together; nothing was written then.
    """

    async def pause() -> None:
        await asyncio.sleep(pause_s)

    lines = {one.device: Line(one, pause, attempts, ladder) for one in there}
    with Bars(quiet) as bars:
        looked = await asyncio.gather(*(_look(lines[one.device], bars.teller(one, "")) for one in there))
    touched: set[str] = set()
    try:
        pairs = (pair_named if named else pair_found)(looked, images)
        if agree:
            agree(pairs)
        touched = {pair.port.device for pair in pairs}
    finally:
        idle = [one for one in looked if one.port.device not in touched]
        await asyncio.gather(*(flashing.let_run(lines[one.port.device]) for one in idle))
    with Bars(quiet) as bars:
        return await asyncio.gather(
            *(
                _flash(pair, lines[pair.port.device], bars.teller(pair.port, pair.image.id), dumps,
                       even_if_answers_wait, harvest)
                for pair in pairs
            )
        )  # fmt: skip


async def _look(line: Line, tell: Tell) -> Looked:
    try:
        return Looked(line.port, await flashing.look(line, tell))
    except ProvisioningError as error:
        return Looked(line.port, None, str(error))


async def _flash(
    pair: Pair, line: Line, tell: Tell, dumps: Dumps, even_if_answers_wait: bool, harvest: Harvest | None
) -> Outcome:
    outcome = Outcome(pair.port, pair.image.id)
    if pair.found is None:
        outcome.reason = pair.why
        outcome.tried = list(line.tried)
    else:
        outcome.mac, outcome.was = pair.found.facts.mac, pair.found.id
        await flash_board(line, pair.found, pair.image, outcome, tell, dumps, even_if_answers_wait, harvest)
    tell(_SIGNS[outcome.state], None if outcome.state == "failed" else 1.0)
    return outcome


class Bars:
    """A bar for each board on a terminal; elsewhere a line for each step of each board. Both on standard error."""

    def __init__(self, quiet: bool) -> None:
        self._console = Console(stderr=True, quiet=quiet)
        self._progress = (
            Progress(
                TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
                TextColumn("{task.fields[step]}"), TimeElapsedColumn(), console=self._console,
            )
            if self._console.is_terminal and not quiet
            else None
        )  # fmt: skip

    def __enter__(self) -> "Bars":
        if self._progress:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress:
            self._progress.stop()

    def teller(self, port: Port, name: str) -> Tell:
        """A board's own: hears its step, and the share of all that is done (None: as it was)."""
        title = f"{port.title} {name}".strip()
        if self._progress:
            progress = self._progress
            task = progress.add_task(title, total=1.0, step="")
            return lambda step, share: progress.update(task, completed=share, step=step)
        last = [""]

        def tell(step: str, share: float | None) -> None:
            if step != last[0]:
                last[0] = step
                self._console.print(f"{title}: {step}", markup=False, highlight=False, soft_wrap=True)

        return tell


def _harvester(server: Server, dumps: Dumps) -> Harvest:
    async def harvest(device_id: str, journal: bytes) -> None:
        kept = dumps.keep(device_id, journal)
        done = await asyncio.to_thread(deliver, server, device_id, journal, dumps, kept)
        if done.forks:
            raise ProvisioningError(
                f"kiosk {device_id} has a twin; its journal is kept in {kept}, nothing was written"
            )

    return harvest


def _ask(pairs: Sequence[Pair]) -> None:
    for pair in pairs:
        was = f", was {pair.found.id}" if pair.found and pair.found.id else ""
        typer.echo(f"{pair.port.title}{was}  <-  {pair.image.path} ({pair.image.id})")
    typer.confirm(f"Write to {len(pairs)} boards?", abort=True)


def _say(outcome: Outcome) -> None:
    mac = f" {outcome.mac}" if outcome.mac else ""
    typer.echo(f"{outcome.port.title}{mac} {outcome.id}: {_SIGNS[outcome.state]}")
    for tried in outcome.tried:
        typer.echo(f"  tried at {tried}")
    if outcome.by_hand:
        typer.echo(f"  by hand: {outcome.by_hand}")
    if outcome.reason:
        typer.echo(f"station: {outcome.port.title} {outcome.id}: {outcome.reason}", err=True)

"""`station flash`: words of the technician to calls; what was done as lines, or as JSON for programs."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from provisioning import ports
from provisioning.dumps import Dumps
from provisioning.errors import ProvisioningError
from provisioning.flash_plan import Looked, Pair, check_images, pair_found, pair_named
from provisioning.flashing import Outcome, open_image
from provisioning.handing_over import harvester_of
from provisioning.lines import CaFile, Json, ServerOption, StateFolder, TokenFile, one_line_errors
from provisioning.many_boards import SIGNS, Guard, flash_all
from provisioning.server import from_environment


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
    harvester = harvester_of(from_environment(server, token_file, ca), dumps) if harvest_first else None
    agree = None if yes or port else ask
    if agree and (as_json or not sys.stdin.isatty()):
        raise ProvisioningError("nobody can be asked: name each board with --port, or give --yes")

    def pair(looked: Sequence[Looked]) -> list[Pair]:
        pairs = (pair_named if port else pair_found)(looked, opened)
        if agree:
            agree(pairs)
        return pairs

    guard = Guard(dumps, even_if_answers_wait, harvester)
    outcomes = asyncio.run(flash_all(there, pair, guard, quiet=as_json))
    if as_json:
        typer.echo(json.dumps({"boards": [outcome.as_dict() for outcome in outcomes]}))
    else:
        for outcome in outcomes:
            _say(outcome)
        if any(outcome.state != "failed" for outcome in outcomes):
            typer.echo("an image holds its kiosk's secret: delete it once the server has seen the kiosk")
    if any(outcome.state == "failed" for outcome in outcomes):
        raise typer.Exit(1)


def ask(pairs: Sequence[Pair]) -> None:
    """Shows which board gets what. Raises typer.Abort when the person says no."""
    for pair in pairs:
        was = f", was {pair.found.id}" if pair.found and pair.found.id else ""
        typer.echo(f"{pair.port.title}{was}  <-  {pair.image.path} ({pair.image.id})")
    typer.confirm(f"Write to {'this board' if len(pairs) == 1 else f'{len(pairs)} boards'}?", abort=True)


def _say(outcome: Outcome) -> None:
    mac = f" {outcome.mac}" if outcome.mac else ""
    typer.echo(f"{outcome.port.title}{mac} {outcome.id}: {SIGNS[outcome.state]}")
    for tried in outcome.tried:
        typer.echo(f"  tried at {tried}")
    if outcome.by_hand:
        typer.echo(f"  by hand: {outcome.by_hand}")
    if outcome.reason:
        typer.echo(f"station: {outcome.port.title} {outcome.id}: {outcome.reason}", err=True)

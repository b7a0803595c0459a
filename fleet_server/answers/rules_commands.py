"""`fleet rules …`: the misuse rules as they are, and running them over what was booked earlier."""

from dataclasses import asdict
from typing import Annotated

import typer

from fleet_server.answers.rerun import Step, rerun
from fleet_server.answers.rules import CURRENT, VERSIONS
from fleet_server.instants import now_ms
from fleet_server.serving import CannotStart, open_known_database, read_settings

rules_app = typer.Typer(no_args_is_help=True, help="The rules that filter misuse.")


@rules_app.command("show")
def rules_show() -> None:
    """Print every version of the rules; new presses are judged by the last."""
    for number, rules in VERSIONS.items():
        values = ", ".join(f"{name} {value}" for name, value in rules._asdict().items() if value is not None)
        typer.echo(f"{number}{' (in force)' if number == CURRENT else ''}: {values}")


@rules_app.command("rerun")
def rules_rerun(
    device: Annotated[str | None, typer.Option(help="Only this device (id).")] = None,
    place: Annotated[
        int | None,
        typer.Option(min=1, max=2**31 - 1, help="Only devices that ever stood at this place (number)."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All devices.")] = False,
) -> None:
    """Run today's rules, with the opening hours as they are kept today, over presses that were booked earlier.

    The server may go on running. When it is done, or done again after it was cut off, all is as if these rules had held
    from the start.
    """
    if sum((device is not None, place is not None, everything)) != 1:
        raise CannotStart("say what to run the rules over: --device ID, --place NUMBER or --all")
    database = open_known_database(read_settings())

    def progress(done: int, runs: int, step: Step) -> None:
        if step.next_seq is None and (done % 100 == 0 or done == runs):
            typer.echo(f"{done} of {runs} clock runs", err=True)

    try:
        done = rerun(
            database, actor="fleet", now=now_ms(), device_id=device, place_id=place, progress=progress
        )
    finally:
        database.close()
    typer.echo(
        f"rules version {CURRENT}: " + ", ".join(f"{value} {name}" for name, value in asdict(done).items())
    )

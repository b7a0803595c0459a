"""`fleet results …`: the files that a county hands on, from the command line."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from fleet_server.results import national
from fleet_server.serving import CannotStart, open_known_database, read_settings

results_app = typer.Typer(no_args_is_help=True, help="Files of results.")


@results_app.command("national")
def national_file(
    first: Annotated[str, typer.Option("--from", help="First month, 2026-01.")],
    last: Annotated[str, typer.Option("--to", help="Last month, included.")],
    quarters: Annotated[bool, typer.Option(help="Quarters instead of months.")] = False,
    out: Annotated[Path | None, typer.Option(help="File to write; default: the terminal.")] = None,
) -> None:
    """The national comparison file (docs/national-file.md): national questions by unit, channel and period."""
    time = national.whole_time(national.month_of(first, "--from"), national.month_of(last, "--to"))
    with open_known_database(read_settings()).steady_read() as session:
        content = national.national_csv(session, time, "quarter" if quarters else "month")
        nameless = [unit.name_fi for unit in national.without_oid(session)]
    if out is None:
        sys.stdout.buffer.write(content)
    else:
        try:
            out.write_bytes(content)
        except OSError as error:
            raise CannotStart(f"{out} cannot be written ({error.strerror})") from None
    if nameless:
        sys.stderr.write(f"without OID: {', '.join(nameless)}\n")

"""What all commands of `station` share: a fault is one line and exit status 1, `--json` speaks to programs."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ParamSpec

import typer

from provisioning.errors import ProvisioningError

Json = Annotated[bool, typer.Option("--json", help="For programs: one JSON object on standard output.")]
StateFolder = Annotated[
    Path | None,
    typer.Option(
        "--dir", help="Where dumps are kept. Default: $DATA_DIR/station, or data/station.", show_default=False
    ),
]

ServerOption = Annotated[
    str | None, typer.Option("--server", help="Such as https://hymio.example.fi; else $HYMIO_SERVER.")
]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", help="Holds a technician's token; else $HYMIO_TOKEN.")
]
CaFile = Annotated[
    Path | None, typer.Option("--ca", help="PEM of the authority of the server's certificate.")
]
StockOption = Annotated[
    Path | None,
    typer.Option("--stock", help="Stock MicroPython image (.bin) for the board: bootloader and app."),
]
ListOption = Annotated[
    Path | None, typer.Option("--list", help="A list of stock images beside the shipped one.")
]
UnlistedOption = Annotated[
    bool, typer.Option("--unlisted", help="Take a stock image that is on no list, or too old.")
]

P = ParamSpec("P")


def one_line_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Turns what a person can act on into one line and exit status 1."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except ProvisioningError as error:
            typer.echo(f"station: {error}", err=True)
            raise typer.Exit(1) from error
        except OSError as error:
            typer.echo(f"station: {error.filename or ''}: {error.strerror or error}", err=True)
            raise typer.Exit(1) from error

    return wrapped

"""The options that `provision` and `batch` have in common, once: what they are called, and what they come to.

It does no step of the work.
"""

import functools
import inspect
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from provisioning.errors import ProvisioningError
from provisioning.field.provision import Network
from provisioning.field.waiting import DEFAULT_WAIT_S
from provisioning.label_command import SHEET_HELP
from provisioning.lines import CaFile, Json, ListOption, ServerOption, TokenFile, UnlistedOption
from provisioning.server import Server, from_environment
from provisioning.stock import StockFile


@dataclass(frozen=True)
class Shared:
    """What was said on the command line. Its methods raise ProvisioningError, naming the option."""

    stock_files: Annotated[
        list[Path] | None,
        typer.Option(
            "--stock", help="Stock MicroPython image (.bin); once for each chip there is in a plan."
        ),
    ] = None
    own_list: ListOption = None
    unlisted: UnlistedOption = False
    flash: Annotated[
        bool, typer.Option("--flash", help="Write each image to its board over USB, all at once.")
    ] = False
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask before writing to boards that were found.")
    ] = False
    harvest_first: Annotated[
        bool,
        typer.Option("--harvest", help="Hand over what waits in a board's journal before writing to it."),
    ] = False
    keep_images: Annotated[
        bool,
        typer.Option(
            "--keep-images",
            help="Keep each image once the server has seen its kiosk. It holds the kiosk's secret.",
        ),
    ] = False
    labels: Annotated[Path | None, typer.Option("--labels", help="Draw the labels: a .pdf or .png.")] = None
    sheet: Annotated[str, typer.Option("--sheet", help=SHEET_HELP)] = "single"
    host: Annotated[
        str | None,
        typer.Option("--host", help="The broker as the kiosk sees it; default: the server's word."),
    ] = None
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535, help="The broker's port.")] = None
    broker_ca: Annotated[
        Path | None, typer.Option("--broker-ca", help="The broker's authority (PEM): the kiosk uses TLS.")
    ] = None
    wifi: Annotated[
        Path | None, typer.Option("--wifi", help='JSON file {"ssid": …, "key": …}; wired without it.')
    ] = None
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help="Where virtual kiosks are. Default: $DATA_DIR/virtual, or data/virtual."),
    ] = None
    wait: Annotated[
        float, typer.Option("--wait", min=0, help="Seconds to wait until the server has seen it.")
    ] = DEFAULT_WAIT_S
    server: ServerOption = None
    token_file: TokenFile = None
    ca: CaFile = None
    as_json: Json = False

    def fleet(self) -> Server:
        """The server, with a technician's token."""
        return from_environment(self.server, self.token_file, self.ca)

    def stock(self) -> StockFile | None:
        """The stock images, not read yet."""
        return StockFile(tuple(self.stock_files), self.own_list, self.unlisted) if self.stock_files else None

    def network(self) -> Network:
        """What the kiosk is told other than what the server says."""
        wifi = None
        if self.wifi is not None:
            try:
                wifi = json.loads(self.wifi.read_text("utf-8"))
            except ValueError as error:
                raise ProvisioningError(f"--wifi {self.wifi} is no JSON ({error})") from error
        ca = self.broker_ca.read_text("utf-8") if self.broker_ca else None
        return Network(self.host, self.port, ca, wifi)

    def virtual_folder(self) -> Path:
        """Where virtual kiosks are."""
        return self.folder or data("virtual")


def data(name: str) -> Path:
    """A file or folder of the tool's own."""
    return Path(os.environ.get("DATA_DIR", "data"), name)


def shared(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the common options; it gets them as its first argument."""
    own = list(inspect.signature(command).parameters.values())[1:]
    hints = get_type_hints(Shared, include_extras=True)
    keyword = inspect.Parameter.KEYWORD_ONLY
    common = [
        inspect.Parameter(one.name, keyword, default=one.default, annotation=hints[one.name])
        for one in fields(Shared)
    ]
    both = [*(one.replace(kind=keyword) for one in own), *common]

    @functools.wraps(command)
    def wrapped(**given: Any) -> None:
        said = Shared(**{one.name: given.pop(one.name) for one in common})
        command(said, **given)

    wrapped.__signature__ = inspect.Signature(both)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {one.name: one.annotation for one in both}
    del wrapped.__wrapped__
    return wrapped

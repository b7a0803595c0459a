"""The console script `station`: words of the technician to calls. Decides nothing itself.

Bad input gives one line on standard error and exit status 1.
"""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from provisioning.acceptance.command import try_board
from provisioning.chips import chip_of
from provisioning.errors import ProvisioningError
from provisioning.field import commands as field_commands
from provisioning.firmware_files import board_of, firmware_files
from provisioning.flash_command import flash
from provisioning.harvest_command import harvest
from provisioning.identity import Identity, read_identity
from provisioning.image import build_image
from provisioning.label_command import label
from provisioning.lines import Json, ListOption, StockOption, UnlistedOption, one_line_errors
from provisioning.models import DEFAULT_MODEL, MODELS
from provisioning.stock import StockFile
from provisioning.virtual.client import VirtualKiosk, list_kiosks
from provisioning.virtual.folder import HEAP_RANGE, write_private

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Flash images and virtual kiosks of Hymiö."
)
virtual = typer.Typer(no_args_is_help=True, help="Kiosks without hardware: the real firmware in a process.")
app.add_typer(virtual, name="virtual")
app.command("test")(try_board)
app.command()(flash)
app.command()(harvest)
app.command()(label)
field_commands.register(app)

Name = Annotated[str, typer.Argument(help="The kiosk's name: a-z, 0-9 and '-'.", metavar="NAME")]
Face = Annotated[int, typer.Argument(help="0 is the leftmost and happiest.", metavar="FACE")]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--dir", help="Where the kiosks are. Default: $DATA_DIR/virtual, or data/virtual.", show_default=False
    ),
]
IdentityFile = Annotated[
    Path,
    typer.Option(
        "--identity", help="JSON with id, secret, host, port; tls, ca (PEM), simulated, network, model."
    ),
]
Model = Annotated[
    str | None,
    typer.Option("--model", help=" or ".join(MODELS) + "; default: the identity's, else " + DEFAULT_MODEL),
]


@app.command()
@one_line_errors
def image(
    identity: IdentityFile,
    out: Annotated[Path, typer.Option("--out", help="The image file to write (8 MiB).")],
    model: Model = None,
    board: Annotated[
        str | None,
        typer.Option(
            "--board",
            help="button_poe (ESP32), button_battery or touch_s3 (ESP32-S3), or unix; default: the model's.",
        ),
    ] = None,
    stock_file: StockOption = None,
    own_list: ListOption = None,
    unlisted: UnlistedOption = False,
    app_file: Annotated[
        Path | None,
        typer.Option("--app", help="Stock MicroPython .app-bin for slot a, without a bootloader."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Build a kiosk's flash image. It holds the kiosk's secret: the file is readable by you alone."""
    who = read_identity(identity)
    chosen = _model(who, model)
    board = board or board_of(chosen)
    if stock_file and app_file:
        raise ProvisioningError("--app and --stock: give one of them; --stock has the app in it")
    stock = StockFile((stock_file,), own_list, unlisted).read(chip_of(board)) if stock_file else None
    firmware = firmware_files(board, model=chosen)
    built = build_image(firmware, who, chosen, app_file.read_bytes() if app_file else None, stock)
    write_private(out, built.content)
    if as_json:
        facts = {
            "file": str(out),
            "bytes": len(built.content),
            "sha256": hashlib.sha256(built.content).hexdigest(),
            "id": who.id,
            "model": chosen,
            "board": board,
            "firmware": firmware.version,
            "build": firmware.build,
            "stock": stock and {"sha256": stock.sha256, "version": stock.version},
            "notes": list(built.notes),
        }
        typer.echo(json.dumps(facts))
        return
    typer.echo(f"{out}: {len(built.content)} bytes, firmware {firmware.version} build {firmware.build}")
    if stock:
        typer.echo(f"MicroPython {stock.version} for {stock.chip.title}")
        typer.echo(f"next: station flash {out}")
    for note in built.notes:
        typer.echo(f"note: {note}")


@virtual.command()
@one_line_errors
def create(
    name: Name,
    identity: IdentityFile,
    model: Model = None,
    heap: Annotated[
        str | None, typer.Option("--heap", help=f"MicroPython's heap, {HEAP_RANGE}; default: the model's.")
    ] = None,
    folder: Folder = None,
) -> None:
    """Make a kiosk with a fresh flash image, of another model or heap than `start` would."""
    who = read_identity(identity)
    chosen = _model(who, model)
    kiosk = VirtualKiosk.create(_folder(folder), name, who, model=chosen, heap=heap)
    typer.echo(f"{name}: {kiosk.facts.id}, {chosen}, in {kiosk.folder.path}")


@virtual.command()
@one_line_errors
def start(
    name: Name,
    identity: Annotated[
        Path | None,
        typer.Option(
            "--identity", help="For a kiosk that is not there yet: its image is built from this first."
        ),
    ] = None,
    folder: Folder = None,
) -> None:
    """Give it power; its flash is as it was left, or built from --identity when there is none."""
    kiosk = VirtualKiosk(_folder(folder), name)
    who = read_identity(identity) if identity else None
    if not kiosk.exists:
        if who is None:
            raise ProvisioningError(
                f"kiosk '{name}' does not exist in {kiosk.folder.path.parent}; "
                "give --identity FILE (from `fleet device create`) to build its image"
            )
        VirtualKiosk.create(_folder(folder), name, who, model=_model(who, None))
    elif who is not None and who.id != kiosk.facts.id:
        raise ProvisioningError(
            f"kiosk '{name}' is {kiosk.facts.id}, --identity is {who.id}; choose another name"
        )
    kiosk.start()
    typer.echo(f"{name}: running, broker {kiosk.facts.broker_host}:{kiosk.facts.broker_port}")


@virtual.command()
@one_line_errors
def press(
    name: Name,
    face: Face,
    ms: Annotated[int, typer.Option("--ms", help="How long it is held down.")] = 120,
    folder: Folder = None,
) -> None:
    """Press a face."""
    VirtualKiosk(_folder(folder), name).press(face, ms=ms)


@virtual.command()
@one_line_errors
def touch(
    name: Name,
    x: Annotated[int, typer.Argument(help="Pixels from the left.", metavar="X")],
    y: Annotated[int, typer.Argument(help="Pixels from the top.", metavar="Y")],
    ms: Annotated[int, typer.Option("--ms", help="How long the finger stays.")] = 120,
    folder: Folder = None,
) -> None:
    """Touch the screen of a touch kiosk."""
    VirtualKiosk(_folder(folder), name).touch(x, y, ms=ms)


@virtual.command()
@one_line_errors
def screen(
    name: Name,
    out: Annotated[Path, typer.Argument(help="The PNG file to write.", metavar="OUT.png")],
    folder: Folder = None,
) -> None:
    """Write what a kiosk's screen shows as a picture."""
    picture = VirtualKiosk(_folder(folder), name).screen()
    out.write_bytes(picture)
    typer.echo(f"{out}: {len(picture)} bytes")


def _simple(do: str, text: str) -> None:
    @virtual.command(name=do, help=text)
    @one_line_errors
    def command(name: Name, folder: Folder = None) -> None:
        kiosk = VirtualKiosk(_folder(folder), name)
        if do == "stop":
            kiosk.stop()
        else:
            kiosk.call(do)


for _do, _text in (
    ("stop", "End it cleanly."),
    ("unplug", "Pull the network cable: connections hang, nothing is told."),
    ("plug", "Put the network cable back."),
    ("cut", "Cut the power."),
    ("on", "Switch the power on again."),
):
    _simple(_do, _text)


@virtual.command()
@one_line_errors
def status(name: Name, folder: Folder = None) -> None:
    """Show how it is."""
    for key, value in VirtualKiosk(_folder(folder), name).status().items():
        typer.echo(f"{key}: {value}")


@virtual.command("list")
@one_line_errors
def list_command(folder: Folder = None) -> None:
    """Show the kiosks there are."""
    for kiosk in list_kiosks(_folder(folder)):
        facts = kiosk.facts
        typer.echo(f"{kiosk.name}  {facts.id}  {facts.model}  {'running' if kiosk.running else 'stopped'}")


def _folder(given: Path | None) -> Path:
    return given or Path(os.environ.get("DATA_DIR", "data"), "virtual")


def _model(who: Identity, option: str | None) -> str:
    """The model to build for. Raises ProvisioningError when the option contradicts what the server registered."""
    if option and who.model and option != who.model:
        raise ProvisioningError(f"--model {option}: the server registered {who.id} as {who.model}")
    return option or who.model or DEFAULT_MODEL


def main() -> None:
    """The console script."""
    app(prog_name="station" if not sys.argv[0].endswith("__main__.py") else "python -m provisioning")


if __name__ == "__main__":
    main()

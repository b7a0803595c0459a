"""`station provision`, `swap`, `batch` and `accept`: words of the technician to calls. Decides nothing itself.

A failure is one sentence on standard error (in JSON with --json) and exit status 1.
"""

import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from provisioning.errors import ProvisioningError
from provisioning.field import provision as steps
from provisioning.field.batch import kiosk_name, read_plan, run
from provisioning.field.provision import DEFAULT_WAIT_S, Job, Network, Wanted
from provisioning.field.say import Say
from provisioning.field.state import StateFile
from provisioning.field.targets import IdentityFile, ImageFile, Target, Virtual
from provisioning.lines import CaFile, ListOption, ServerOption, StockOption, TokenFile, UnlistedOption
from provisioning.models import MODELS
from provisioning.server import from_environment
from provisioning.stock import StockFile

Json = Annotated[bool, typer.Option("--json", help="The result as one JSON object on standard output.")]
Wait = Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait until the server has seen it.")]
Host = Annotated[
    str | None, typer.Option("--host", help="The broker as the kiosk sees it; default: the server's word.")
]
Port = Annotated[int | None, typer.Option("--port", min=1, max=65535, help="The broker's port.")]
BrokerCa = Annotated[
    Path | None, typer.Option("--broker-ca", help="The broker's authority (PEM): the kiosk uses TLS.")
]
Wifi = Annotated[
    Path | None, typer.Option("--wifi", help='JSON file {"ssid": …, "key": …}; wired without it.')
]
Folder = Annotated[
    Path | None,
    typer.Option("--dir", help="Where virtual kiosks are. Default: $DATA_DIR/virtual, or data/virtual."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to `station`."""
    for command in (provision, swap, batch, accept):
        app.command()(command)


def provision(
    name: Annotated[str, typer.Argument(help="The device's name, as on its label.")],
    model: Annotated[str, typer.Option("--model", help=", ".join(MODELS) + ".")],
    place: Annotated[str, typer.Option("--place", help="Number or name of the place; it can wait.")] = "",
    identity: Annotated[
        Path | None, typer.Option("--identity", help="Write its identity to this file.")
    ] = None,
    image: Annotated[Path | None, typer.Option("--image", help="Build its flash image here.")] = None,
    stock: StockOption = None,
    own_list: ListOption = None,
    unlisted: UnlistedOption = False,
    board: Annotated[
        str | None, typer.Option("--board", help="The board for --image; default: the model's.")
    ] = None,
    tty: Annotated[
        str | None, typer.Option("--tty", help="Serial port of a board that runs MicroPython.")
    ] = None,
    virtual: Annotated[
        str | None, typer.Option("--virtual", help="Make the virtual kiosk of this name.")
    ] = None,
    serial: Annotated[str, typer.Option("--serial", help="The board's MAC or serial number.")] = "",
    report: Annotated[Path | None, typer.Option("--report", help="What `station test` found (JSON).")] = None,
    state: Annotated[
        Path | None, typer.Option("--state", help="Where progress is kept. Default: $DATA_DIR/station.json.")
    ] = None,
    host: Host = None,
    port: Port = None,
    broker_ca: BrokerCa = None,
    wifi: Wifi = None,
    folder: Folder = None,
    wait: Wait = DEFAULT_WAIT_S,
    server: ServerOption = None,
    token_file: TokenFile = None,
    ca: CaFile = None,
    as_json: Json = False,
) -> None:
    """Ask the server for a new device, write its identity, and wait until the server has seen it. Run it again after
    any interruption: it goes on, and never makes a second device."""
    say = Say(as_json)
    with _told(say):
        target = _target(identity, image, _stock(stock, own_list, unlisted), board, tty, virtual, folder)
        network = _network(host, port, broker_ca, wifi)
        fleet = from_environment(server, token_file, ca)
        station = fleet.get("/station")
        with _state(state or _data("station.json"), fleet.address) as kept:
            job = Job(Wanted(name, model, place, serial, report), target, kept.of(name), kept.save)
            steps.order(fleet, station, job, network, say)
            steps.write(station, job, say)
            missing = steps.wait(fleet, [job], say, wait)
            if missing:
                raise ProvisioningError(missing[0][1])
            steps.report(fleet, job, say)
            done = steps.summary(job, station["address"])
        say.result({"ok": True, **done}, f"{name}: {done['id']}  {done['page']}")


def swap(
    old: Annotated[str, typer.Argument(help="Id or name of the kiosk that is replaced.", metavar="OLD")],
    new: Annotated[str, typer.Argument(help="Id or name of the one that takes over.", metavar="NEW")],
    without_questions: Annotated[
        bool, typer.Option("--without-questions", help="Also when it cannot ask what is asked there.")
    ] = False,
    server: ServerOption = None,
    token_file: TokenFile = None,
    ca: CaFile = None,
    as_json: Json = False,
) -> None:
    """Let another device take over place, question set and schedules of one; its waiting answers still count there."""
    say = Say(as_json)
    with _told(say):
        fleet = from_environment(server, token_file, ca)
        before, after = fleet.device(old), fleet.device(new)
        asked = {"new": after["id"], "without_questions": without_questions}
        done = fleet.post(f"/devices/{before['id']}/swap", asked)
        asks = f"set {done['question_set']}" if done["question_set"] else "no question set"
        held = (
            f"{done['waiting']} answers or notes wait in it: harvest it, or let it connect"
            if done["waiting"]
            else "nothing is known to wait in it; let it connect once more, or harvest it, before it is erased"
        )
        say.result(
            {"ok": True, **done},
            f"{after['name']} ({done['new']}) stands at {done['place']} and is wished {asks}",
            f"{before['name']} ({done['old']}) is out of service; {held}",
        )


def accept(
    device: Annotated[str, typer.Argument(help="Id or name of the device.", metavar="DEVICE")],
    report: Annotated[Path, typer.Argument(help="What was tested (JSON: board, serial, versions, steps).")],
    server: ServerOption = None,
    token_file: TokenFile = None,
    ca: CaFile = None,
    as_json: Json = False,
) -> None:
    """Store an acceptance report of a device; it becomes a page to print. Sent twice with its `key` it is kept once."""
    say = Say(as_json)
    with _told(say):
        fleet = from_environment(server, token_file, ca)
        body = steps.tested(report)
        body = {"key": secrets.token_hex(16), "tested_at": datetime.now(UTC).isoformat(), **body}
        kept = fleet.post(f"/devices/{fleet.device(device)['id']}/acceptance", body)
        say.result({"ok": True, **kept}, f"{kept['address']}  {steps.VERDICTS[kept['verdict']]}")


def batch(
    plan: Annotated[
        Path, typer.Argument(help="CSV: name, model, and place, serial, report.", metavar="PLAN.csv")
    ],
    images: Annotated[Path | None, typer.Option("--images", help="Folder for a flash image of each.")] = None,
    identities: Annotated[
        Path | None, typer.Option("--identities", help="Folder for an identity file of each.")
    ] = None,
    virtual: Annotated[bool, typer.Option("--virtual", help="Make virtual kiosks.")] = False,
    stock: StockOption = None,
    own_list: ListOption = None,
    unlisted: UnlistedOption = False,
    host: Host = None,
    port: Port = None,
    broker_ca: BrokerCa = None,
    wifi: Wifi = None,
    folder: Folder = None,
    wait: Wait = DEFAULT_WAIT_S,
    server: ServerOption = None,
    token_file: TokenFile = None,
    ca: CaFile = None,
    as_json: Json = False,
) -> None:
    """Provision every device of a plan. Progress is kept beside the plan: run it again for what is left."""
    say = Say(as_json)
    with _told(say):
        target_of = _targets(images, identities, virtual, _stock(stock, own_list, unlisted), folder)
        rows = read_plan(plan)
        network = _network(host, port, broker_ca, wifi)
        fleet = from_environment(server, token_file, ca)
        with _state(plan.with_name(plan.name + ".state.json"), fleet.address) as kept:
            done, left = run(fleet, rows, target_of, kept, network, say, wait)
        say.result(
            {
                "ok": not left,
                "devices": done,
                "left": [{"line": one.line, "name": one.name, "why": one.why} for one in left],
            },
            f"{len(done)} of {len(rows)} done" + (f", {len(left)} left:" if left else ""),
            *(f"  line {one.line}  {one.name}: {one.why}" for one in left),
            *(("Put right what is named and run the same command again.",) if left else ()),
        )
        if left:
            raise typer.Exit(1)


@contextmanager
def _told(say: Say) -> Iterator[None]:
    try:
        yield
    except (ProvisioningError, OSError) as error:
        text = str(error)
        if not isinstance(error, ProvisioningError):
            text = f"{error.filename or ''}: {error.strerror or error}"
        if say.as_json:
            say.result({"ok": False, "error": text})
        else:
            say.failed(text)
        raise typer.Exit(1) from error


@contextmanager
def _state(path: Path, address: str) -> Iterator[StateFile]:
    kept = StateFile(path, address)
    try:
        yield kept
    finally:
        kept.close()


def _target(
    identity: Path | None,
    image: Path | None,
    stock: StockFile | None,
    board: str | None,
    tty: str | None,
    virtual: str | None,
    folder: Path | None,
) -> Target:
    chosen = [one for one in (identity, image, tty, virtual) if one is not None]
    if len(chosen) != 1:
        raise ProvisioningError("say where its identity goes: one of --identity, --image, --tty, --virtual")
    if identity is not None:
        return IdentityFile(identity)
    if image is not None:
        return ImageFile(image, board, stock)
    if tty is not None:
        from provisioning.field.board import Board  # pyserial and mpremote are needed for a board alone

        return Board(tty)
    return Virtual(folder or _data("virtual"), virtual or "")


def _targets(
    images: Path | None, identities: Path | None, virtual: bool, stock: StockFile | None, folder: Path | None
) -> Callable[[Wanted], Target]:
    if sum((images is not None, identities is not None, virtual)) != 1:
        raise ProvisioningError("say where identities go: one of --images, --identities, --virtual")

    def of(wanted: Wanted) -> Target:
        name = kiosk_name(wanted.name)
        if virtual:
            return Virtual(folder or _data("virtual"), name)
        if images is not None:
            images.mkdir(parents=True, exist_ok=True)
            return ImageFile(images / f"{name}.img", None, stock)
        assert identities is not None
        identities.mkdir(parents=True, exist_ok=True)
        return IdentityFile(identities / f"{name}.json")

    return of


def _stock(path: Path | None, own_list: Path | None, unlisted: bool) -> StockFile | None:
    return StockFile(path, own_list, unlisted) if path else None


def _network(host: str | None, port: int | None, broker_ca: Path | None, wifi: Path | None) -> Network:
    network = None
    if wifi is not None:
        try:
            network = json.loads(wifi.read_text("utf-8"))
        except ValueError as error:
            raise ProvisioningError(f"--wifi {wifi} is no JSON ({error})") from error
    return Network(host, port, broker_ca.read_text("utf-8") if broker_ca else None, network)


def _data(name: str) -> Path:
    return Path(os.environ.get("DATA_DIR", "data"), name)

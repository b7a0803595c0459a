"""`station provision`, `swap`, `batch` and `accept`: words of the technician to calls. Decides nothing itself.

A failure is one sentence on standard error (in JSON with --json) and exit status 1.
"""

import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from provisioning.dumps import Dumps
from provisioning.errors import ProvisioningError
from provisioning.field import provision as steps
from provisioning.field.batch import Left, Row, kiosk_name, read_plan, run
from provisioning.field.boards import Boards
from provisioning.field.options import Shared, data, shared
from provisioning.field.provision import Job, Wanted
from provisioning.field.say import Say
from provisioning.field.state import StateFile
from provisioning.field.targets import IdentityFile, ImageFile, Target, Virtual
from provisioning.flash_command import ask
from provisioning.handing_over import harvester_of
from provisioning.label import Label
from provisioning.label_command import check_sheet, counted, write_labels
from provisioning.lines import CaFile, Json, ServerOption, TokenFile
from provisioning.many_boards import Guard
from provisioning.models import MODELS
from provisioning.server import Denied, from_environment


def register(app: typer.Typer) -> None:
    """Add the commands to `station`."""
    for command in (provision, swap, batch, accept):
        app.command()(command)


@shared
def provision(
    said: Shared,
    name: Annotated[str, typer.Argument(help="The device's name, as on its label.")],
    model: Annotated[str, typer.Option("--model", help=", ".join(MODELS) + ".")],
    place: Annotated[str, typer.Option("--place", help="Number or name of the place; it can wait.")] = "",
    identity: Annotated[
        Path | None, typer.Option("--identity", help="Write its identity to this file.")
    ] = None,
    image: Annotated[Path | None, typer.Option("--image", help="Build its flash image here.")] = None,
    board: Annotated[
        str | None, typer.Option("--board", help="The board for --image; default: the model's.")
    ] = None,
    usb: Annotated[
        str, typer.Option("--usb", help="For --flash: port, USB location or serial number of the board.")
    ] = "",
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
) -> None:
    """Ask the server for a new device, write its identity, and wait until the server has seen it. Run it again after
    any interruption: it goes on, and never makes a second device."""
    say = Say(said.as_json)
    with _told(say):
        target = _target(said, identity, image, board, tty, virtual)
        row = Row(1, Wanted(name, model, place, serial, report, usb))
        (done,), _ = _sequence(
            said, say, [row], lambda _: target, state or data("station.json"), image, alone=True
        )
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
        try:
            done = fleet.post(f"/devices/{before['id']}/swap", asked)
        except Denied as error:
            if error.code != "hindered":
                raise
            raise ProvisioningError(
                f"{error}. Nothing was done: take a kiosk of the old one's model, or give --without-questions; then "
                "it says that it is not in use until a coordinator has published questions to it"
            ) from error
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


@shared
def batch(
    said: Shared,
    plan: Annotated[
        Path, typer.Argument(help="CSV: name, model, and place, serial, report, usb.", metavar="PLAN.csv")
    ],
    images: Annotated[Path | None, typer.Option("--images", help="Folder for a flash image of each.")] = None,
    identities: Annotated[
        Path | None, typer.Option("--identities", help="Folder for an identity file of each.")
    ] = None,
    virtual: Annotated[bool, typer.Option("--virtual", help="Make virtual kiosks.")] = False,
) -> None:
    """Provision every device of a plan. Progress is kept beside the plan: run it again for what is left."""
    say = Say(said.as_json)
    with _told(say):
        target_of = _targets(said, images, identities, virtual)
        rows = read_plan(plan)
        done, left = _sequence(said, say, rows, target_of, plan.with_name(plan.name + ".state.json"), images)
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


def _sequence(
    said: Shared,
    say: Say,
    rows: list[Row],
    target_of: Callable[[Wanted], Target],
    kept_in: Path,
    images: Path | None,
    alone: bool = False,
) -> tuple[list[dict[str, Any]], list[Left]]:
    """Made, written, flashed, labelled, seen. alone: what is left of the one device is raised."""
    if said.flash and images is None:
        raise ProvisioningError("--flash writes flash images: say where they go, with --image or --images")
    if said.flash and not said.stock_files:
        raise ProvisioningError("--flash: a board needs MicroPython, too; give --stock FILE")
    asks = said.flash and not said.yes and not all(row.wanted.usb for row in rows)
    if asks and (said.as_json or not sys.stdin.isatty()):
        raise ProvisioningError(
            "nobody can be asked: name each board (--usb, or the column usb of a plan), or give --yes"
        )
    layout = check_sheet(said.labels, said.sheet, "--labels") if said.labels else None
    network, fleet = said.network(), said.fleet()
    boards = None
    if said.flash:
        dumps = Dumps()
        harvest = harvester_of(fleet, dumps) if said.harvest_first else None
        boards = Boards(Guard(dumps, harvest=harvest), ask if asks else None, said.as_json)

    def label(jobs: list[Job], station: dict[str, Any]) -> None:
        if said.labels and layout and jobs:
            drawn = [
                Label(one.id, job.wanted.name, f"{station['address']}/devices/{one.id}", one.model)
                for job in jobs
                for one in (job.progress,)
            ]
            files = write_labels(drawn, said.labels, layout)
            say.done(f"{', '.join(map(str, files))}: {counted(drawn)}, {layout.title}; print at 100 %")

    with _state(kept_in, fleet.address) as kept:
        done, left = run(
            fleet, rows, target_of, kept, network, say, said.wait, boards, label, said.keep_images
        )
    if alone and left:
        raise ProvisioningError(left[0].why)
    return done, left


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
    said: Shared,
    identity: Path | None,
    image: Path | None,
    board: str | None,
    tty: str | None,
    virtual: str | None,
) -> Target:
    chosen = [one for one in (identity, image, tty, virtual) if one is not None]
    if len(chosen) != 1:
        raise ProvisioningError("say where its identity goes: one of --identity, --image, --tty, --virtual")
    if identity is not None:
        return IdentityFile(identity)
    if image is not None:
        return ImageFile(image, board, said.stock())
    if tty is not None:
        from provisioning.field.board import Board  # pyserial and mpremote are needed for a board alone

        return Board(tty)
    return Virtual(said.virtual_folder(), virtual or "")


def _targets(
    said: Shared, images: Path | None, identities: Path | None, virtual: bool
) -> Callable[[Wanted], Target]:
    if sum((images is not None, identities is not None, virtual)) != 1:
        raise ProvisioningError("say where identities go: one of --images, --identities, --virtual")
    stock = said.stock()

    def of(wanted: Wanted) -> Target:
        name = kiosk_name(wanted.name)
        if virtual:
            return Virtual(said.virtual_folder(), name)
        if images is not None:
            images.mkdir(parents=True, exist_ok=True)
            return ImageFile(images / f"{name}.img", None, stock)
        assert identities is not None
        identities.mkdir(parents=True, exist_ok=True)
        return IdentityFile(identities / f"{name}.json")

    return of

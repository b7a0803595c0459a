"""A whole plan of devices: what is left is named with why, and a second run goes on where the first one stopped.

A plan is CSV with a head: name, model, and optionally place, serial, report, usb. It knows no command line.
"""

import csv
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioning.errors import ProvisioningError
from provisioning.field import provision
from provisioning.field.boards import Boards
from provisioning.field.provision import Job, Network, Wanted
from provisioning.field.say import Say
from provisioning.field.state import StateFile
from provisioning.field.targets import Target
from provisioning.field.waiting import wait
from provisioning.server import Denied, Server, Unreachable

NEEDED, KNOWN = ("name", "model"), ("name", "model", "place", "serial", "report", "usb")


@dataclass(frozen=True)
class Row:
    """A line of the plan. `fault`: why it cannot be begun, '' when it can."""

    line: int
    wanted: Wanted
    fault: str = ""


@dataclass(frozen=True)
class Left:
    """What is not done, and why: one sentence."""

    line: int
    name: str
    why: str


def read_plan(path: Path) -> list[Row]:
    """The plan's lines; a fault of one line stays with it. Raises ProvisioningError for a file that is no plan."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        raise ProvisioningError(f"plan {path} cannot be read ({error})") from error
    # Spreadsheets of Finland and Sweden write semicolons.
    head = text.partition("\n")[0]
    lines = csv.DictReader(text.splitlines(), delimiter=";" if head.count(";") > head.count(",") else ",")
    names = [(name or "").strip().lower() for name in lines.fieldnames or ()]
    if missing := [name for name in NEEDED if name not in names]:
        raise ProvisioningError(f"plan {path}: its first line has no column {', '.join(missing)}")
    if unknown := [name for name in names if name not in KNOWN]:
        raise ProvisioningError(
            f"plan {path}: column {unknown[0]!r} is unknown; there are {', '.join(KNOWN)}"
        )
    lines.fieldnames = names
    rows: list[Row] = []
    first: dict[str, int] = {}
    for found in lines:
        cells = {name: (found.get(name) or "").strip() for name in KNOWN}
        if not any(cells.values()):
            continue
        line, name = lines.line_num, cells["name"]
        report = path.parent / cells["report"] if cells["report"] else None
        wanted = Wanted(name, cells["model"], cells["place"], cells["serial"], report, cells["usb"])
        fault = ""
        if not name or not cells["model"]:
            fault = "name or model is empty"
        elif None in found:
            fault = "it has more cells than the first line"
        elif name.casefold() in first:
            fault = f"the name stands in line {first[name.casefold()]}, too"
        first.setdefault(name.casefold(), line)
        rows.append(Row(line, wanted, fault))
    if not rows:
        raise ProvisioningError(f"plan {path} has no device in it")
    return rows


def run(
    server: Server,
    rows: list[Row],
    target_of: Callable[[Wanted], Target],
    state: StateFile,
    network: Network,
    say: Say,
    wait_s: float,
    boards: Boards | None = None,
    label: Callable[[list[Job], dict[str, Any]], None] = lambda jobs, station: None,
    keep_images: bool = False,
) -> tuple[list[dict[str, Any]], list[Left]]:
    """All of the plan: (devices that are done, what is left). Raises when nothing can be begun at all.

    boards: None when images are not flashed here. label: draws the labels of all devices that there
    are. keep_images: leave the copies of secrets that are on this laptop where they are.
    """
    station = server.get("/station")
    left: list[Left] = []
    begun: list[tuple[Row, Job]] = []
    stopped = ""
    for number, row in enumerate(rows, 1):
        name = row.wanted.name
        if row.fault or stopped:
            left.append(Left(row.line, name, row.fault or f"not begun: {stopped}"))
            continue
        if len(rows) > 1:
            say.doing(f"{number} of {len(rows)}", name)
        try:
            job = Job(row.wanted, target_of(row.wanted), state.of(name), state.save)
            provision.order(server, station, job, network, say)
            provision.write(job, say)
            begun.append((row, job))
        except (ProvisioningError, OSError) as error:
            left.append(_left(row, error, say if len(rows) > 1 else None))
            stopped = str(error) if _stops_all(error) else ""
    label([job for _, job in begun], station)
    missing: dict[int, str] = {}
    if boards is not None:
        todo = [job for _, job in begun if not job.progress.seen and not job.progress.flashed]
        others = {one.id: name for name, one in state.rows.items() if one.flashed or one.seen}
        taken = [job.wanted.usb for _, job in begun if job.wanted.usb and job not in todo]
        missing = {id(job): why for job, why in boards.write(todo, others, taken, say)}
    ready = [job for _, job in begun if id(job) not in missing]
    for job in ready:
        provision.switch_on(station, job, say)
    missing |= {id(job): why for job, why in wait(server, ready, say, wait_s)}
    done = []
    for row, job in begun:
        try:
            if why := missing.get(id(job)):
                raise ProvisioningError(why)
            if not keep_images:
                provision.forget(job, say)
            provision.report(server, job, say)
            done.append(provision.summary(job, station["address"]))
        except (ProvisioningError, OSError) as error:
            left.append(_left(row, error, say if len(rows) > 1 else None))
    return done, sorted(left, key=lambda one: one.line)


def kiosk_name(name: str) -> str:
    """A virtual kiosk's name for a device's: `Pääovi, vasen` -> `paaovi-vasen`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:32].rstrip("-") or "kiosk"


def _left(row: Row, error: Exception, say: Say | None) -> Left:
    """`say`: None where the caller says it of the one device."""
    why = str(error) if isinstance(error, ProvisioningError) else f"{getattr(error, 'filename', '')}: {error}"
    if say:
        say.failed(why, row.wanted.name)
    return Left(row.line, row.wanted.name, why)


def _stops_all(error: Exception) -> bool:
    """Whether every further line would fail alike: twenty seconds each, for a hundred lines."""
    return isinstance(error, Unreachable) or (isinstance(error, Denied) and error.code == "sign_in")

"""One device, step by step: ordered, written, switched on, reported.

Each step says what it does, is recorded when it is done, and is skipped when it was. It knows no command line.
"""

import importlib.metadata
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provisioning.errors import ProvisioningError
from provisioning.field.say import Say
from provisioning.field.state import Progress
from provisioning.field.targets import Target, check_broker
from provisioning.identity import identity_from
from provisioning.server import Server

VERDICTS = {"passed": "passed", "partial": "not all was tested", "failed": "failed"}


@dataclass(frozen=True)
class Wanted:
    """What a device is to be. `place`: number or whole name, '' for none; `report`: JSON file of earlier tests; `usb`:
    port, USB location or serial number of its board, '' for any that is found."""

    name: str
    model: str
    place: str = ""
    serial: str = ""
    report: Path | None = None
    usb: str = ""


@dataclass(frozen=True)
class Network:
    """What differs from what the server says: broker's host and port, its CA (PEM), Wi-Fi as {ssid, key}."""

    host: str | None = None
    port: int | None = None
    ca: str | None = None
    wifi: dict[str, str] | None = None


@dataclass
class Job:
    """A device under way: what it is to be, where it goes, how far it is."""

    wanted: Wanted
    target: Target
    progress: Progress
    save: Callable[[], None]


def order(server: Server, station: dict[str, Any], job: Job, network: Network, say: Say) -> None:
    """Have the server make the device, once, and keep its identity. `station`: what GET /station said."""
    wanted, progress = job.wanted, job.progress
    if progress.model and progress.model != wanted.model:
        raise ProvisioningError(
            f"model {wanted.model} does not fit: {wanted.name} was made as {progress.model} ({progress.id}); give that "
            "model, or another name"
        )
    if not progress.seen:
        job.target.fits(wanted.model, progress.id)
    place = server.place(wanted.place)["id"] if wanted.place else None
    if progress.identity is not None:
        _correct(station, job, network, say)
    if not progress.id:
        # Whatever of the kiosk's side cannot be is said before there is a device.
        nobody = {"id": "0" * 12, "secret": "0" * 64, "model": wanted.model}
        check_broker(identity_from(_identity(station["broker"], nobody, network)), job.target)
        made = server.post(
            "/devices",
            {
                "key": progress.key,
                "name": wanted.name,
                "model": wanted.model,
                "serial": wanted.serial,
                "virtual": job.target.virtual,
                "place": place,
            },
        )
        identity = _identity(station["broker"], made, network) if made["secret"] else None
        progress.id, progress.model, progress.place = made["id"], made["model"], made["place_id"]
        progress.identity, progress.seen = identity, identity is None
        job.save()
        say.done(f"the server has {'made' if made['new'] else 'already'} {progress.id}", wanted.name)
        say.hint(
            f"by hand, on the server: fleet device create {wanted.name!r} --model {wanted.model}", wanted.name
        )
    if place is not None and place != progress.place:
        server.post(f"/devices/{progress.id}/place", {"place": place})
        progress.place = place
        job.save()
        say.done(f"stands at {wanted.place}", wanted.name)


def write(job: Job, say: Say) -> None:
    """Write the identity where it goes."""
    progress, name = job.progress, job.wanted.name
    if progress.seen:
        return
    if progress.identity is None:
        raise ProvisioningError(
            f"{name}: its identity is not here any more; shut {progress.id} out and begin anew"
        )
    if not progress.written:
        progress.written = job.target.write(progress.identity)
        job.save()
    say.done(progress.written, name)


def switch_on(station: dict[str, Any], job: Job, say: Say) -> None:
    """Switch it on, or say what a person has to do."""
    progress, name = job.progress, job.wanted.name
    if progress.seen:
        return
    if not station["broker"]["embedded"]:
        say.hint(
            f"the broker is not the server's own: give it {progress.id} and its secret (in the state file) first, see "
            "docs/operations.md",
            name,
        )
    if progress.flashed:
        say.doing(f"it is in the board at {progress.flashed}: give that network and power", name)
    else:
        say.doing(job.target.start(), name)


def forget(job: Job, say: Say) -> None:
    """The server has seen it: whatever held its secret here is needed no more."""
    told = job.target.forget(job.progress.id)
    if told:
        say.hint(told, job.wanted.name)


def report(server: Server, job: Job, say: Say, *, now: datetime | None = None) -> None:
    """Keep on the server what was tested and done, once."""
    progress, name = job.progress, job.wanted.name
    if progress.report:
        return
    body = tested(job.wanted.report)
    where = f"; board {progress.mac} at {progress.flashed}" if progress.flashed else ""
    steps = [
        {"name": "identity", "result": "passed", "note": f"{progress.written}{where}"[:200]},
        {
            "name": "seen",
            "result": "passed",
            "measured": [{"name": "seconds", "figure": progress.seconds, "unit": "s"}]
            if progress.seconds is not None
            else [],
        },
        {"name": "firmware", "result": "passed", "note": progress.firmware[:200]},
        {
            "name": "place",
            "result": "passed" if progress.place else "skipped",
            "note": job.wanted.place[:200],
        },
    ]
    if not body:
        note = "virtual: there is no hardware" if job.target.virtual else "station test was not run"
        steps.insert(0, {"name": "hardware", "result": "skipped", "note": note})
    versions = {"station": importlib.metadata.version("hymio"), "firmware": progress.firmware or "?"}
    kept = server.post(
        f"/devices/{progress.id}/acceptance",
        {
            "key": progress.report_key,
            "tested_at": (now or datetime.now(UTC)).isoformat(),
            "board": body.get("board", "virtual" if job.target.virtual else ""),
            "serial": body.get("serial", job.wanted.serial or progress.mac),
            "versions": {**body.get("versions", {}), **versions},
            "steps": [*body.get("steps", []), *steps],
        },
    )
    progress.report = kept["address"]
    job.save()
    if failed := [step["name"] for step in body.get("steps", []) if step.get("result") == "failed"]:
        say.failed(
            f"acceptance report: {kept['address']} says failed: {', '.join(failed)}. Do not put it up like this: "
            "repair it, or take another board",
            name,
        )
    else:
        say.done(f"acceptance report: {kept['address']} ({VERDICTS[kept['verdict']]})", name)


def summary(job: Job, address: str) -> dict[str, Any]:
    """A device as results name it. Never its secret."""
    progress = job.progress
    return {
        "name": job.wanted.name,
        "id": progress.id,
        "model": job.wanted.model,
        "place": progress.place,
        "written": progress.written,
        "board": progress.flashed,
        "mac": progress.mac,
        "seen": progress.seen,
        "firmware": progress.firmware,
        "report": progress.report,
        "page": f"{address}/devices/{progress.id}" if progress.id else "",
    }


def _correct(station: dict[str, Any], job: Job, network: Network, say: Say) -> None:
    """A Wi-Fi key or a broker that was wrong is put right by giving another: it is written and flashed anew."""
    progress = job.progress
    assert progress.identity is not None
    known = {key: progress.identity[key] for key in ("id", "secret", "model")}
    identity = _identity(station["broker"], known, network)
    if identity == progress.identity:
        return
    check_broker(identity_from(identity), job.target)
    if progress.written:
        say.doing("network or broker are others than last time: it is written anew", job.wanted.name)
    progress.identity, progress.written, progress.flashed = identity, "", ""
    job.save()


def _identity(broker: dict[str, Any], made: dict[str, Any], network: Network) -> dict[str, Any]:
    ca = network.ca or broker["ca"]
    return {
        "id": made["id"],
        "secret": made["secret"],
        "host": network.host or broker["host"],
        "port": network.port or broker["port"],
        "tls": ca is not None,
        "model": made["model"],
        **({"ca": ca} if ca else {}),
        **({"network": network.wifi} if network.wifi else {}),
    }


def tested(path: Path | None) -> dict[str, Any]:
    """A report of `station test`: {board, serial, versions, steps}; {} without one."""
    if path is None:
        return {}
    try:
        body = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ProvisioningError(f"report {path} cannot be read ({error})") from error
    if not isinstance(body, dict) or not isinstance(body.get("steps"), list):
        raise ProvisioningError(f"report {path}: a JSON object with a list of steps is needed")
    return body

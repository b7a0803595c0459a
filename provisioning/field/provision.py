"""One device from nothing to "the server has seen it": ordered, written, switched on, waited for, reported.

Each step says what it does, is recorded when it is done, and is skipped when it was. It knows no command line.
"""

import importlib.metadata
import json
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provisioning.errors import ProvisioningError
from provisioning.field.say import Say
from provisioning.field.state import Progress
from provisioning.field.targets import Target, check_broker
from provisioning.identity import identity_from
from provisioning.server import Denied, Server, Unreachable

POLL_S = 1.0
DEFAULT_WAIT_S = 600.0  # somebody walks to a network socket meanwhile
_MANY = 8
_LONG_S = 30.0  # after that, say again what can be done
VERDICTS = {"passed": "passed", "partial": "not all was tested", "failed": "failed"}
MEANWHILE = (
    "meanwhile: the light inside the case goes on once the server is reached; no light means no network or no broker "
    "(cable, Wi-Fi key, firewall)"
)


@dataclass(frozen=True)
class Wanted:
    """What a device is to be. `place`: number or whole name, '' for none; `report`: JSON file of earlier tests."""

    name: str
    model: str
    place: str = ""
    serial: str = ""
    report: Path | None = None


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


def write(station: dict[str, Any], job: Job, say: Say) -> None:
    """Write the identity where it goes, and switch on."""
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
    if not station["broker"]["embedded"]:
        say.hint(
            f"the broker is not the server's own: give it {progress.id} and its secret (in the state file) first, see "
            "docs/operations.md",
            name,
        )
    say.doing(job.target.start(), name)


def wait(server: Server, jobs: Sequence[Job], say: Say, wait_s: float) -> list[tuple[Job, str]]:
    """Wait until the server has heard every device and knows its firmware; returns those it has not, each with why."""
    began = time.monotonic()
    open_jobs = [job for job in jobs if not job.progress.seen or not job.progress.firmware]
    told, trouble = began, ""
    if any(not job.progress.seen for job in open_jobs):
        say.doing(f"waiting until the server has seen {len(open_jobs)}, {wait_s:.0f} s at most")
        if not all(job.target.virtual for job in open_jobs):
            say.hint(MEANWHILE)
    while open_jobs:
        try:
            heard, trouble = _heard(server, open_jobs), ""
        except Unreachable as error:
            heard, trouble = {}, str(error)
        except Denied as error:  # the token's hours are over: waiting on would tell nothing
            return [(job, str(error)) for job in open_jobs]
        open_jobs = [job for job in open_jobs if not _seen(job, heard.get(job.progress.id), began, say)]
        if not open_jobs or time.monotonic() - began >= wait_s:
            break
        if time.monotonic() - told >= _LONG_S:
            told = time.monotonic()
            names = ", ".join(job.wanted.name for job in open_jobs[:5])
            say.doing(f"{told - began:.0f} s: not seen yet: {names}")
        time.sleep(min(POLL_S, max(0.05, wait_s / 20)))
    return [(job, trouble or why_not_seen(job, wait_s)) for job in open_jobs]


def report(server: Server, job: Job, say: Say, *, now: datetime | None = None) -> None:
    """Keep on the server what was tested and done, once."""
    progress, name = job.progress, job.wanted.name
    if progress.report:
        return
    body = tested(job.wanted.report)
    steps = [
        {"name": "identity", "result": "passed", "note": progress.written[:200]},
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
            "serial": body.get("serial", job.wanted.serial),
            "versions": {**body.get("versions", {}), **versions},
            "steps": [*body.get("steps", []), *steps],
        },
    )
    progress.report = kept["address"]
    job.save()
    say.done(f"acceptance report: {kept['address']} ({VERDICTS[kept['verdict']]})", name)


def why_not_seen(job: Job, wait_s: float) -> str:
    """A sentence on a device that was not heard; looks at the broker from here, with the kiosk's own CA."""
    what = f"the server has not seen {job.progress.id} within {wait_s:.0f} s"
    if job.progress.identity is None:
        return f"{what}; look at its light, then go on with the same command"
    who = identity_from(job.progress.identity)
    try:
        with socket.create_connection((who.host, who.port), timeout=5) as wire:
            if who.tls:
                context = ssl.create_default_context(cadata=who.ca)
                with context.wrap_socket(wire, server_hostname=who.host):
                    pass
    except ssl.SSLCertVerificationError as error:
        return f"{what}: the broker {who.host}:{who.port} has the wrong certificate ({error.verify_message})"
    except OSError as error:
        reason = error.strerror or error
        return f"{what}: the broker {who.host}:{who.port} cannot be reached from here either ({reason})"
    return (
        f"{what}, though the broker {who.host}:{who.port} answers from here: look at power, network cable or Wi-Fi "
        "key, then go on with the same command"
    )


def summary(job: Job, address: str) -> dict[str, Any]:
    """A device as results name it. Never its secret."""
    progress = job.progress
    return {
        "name": job.wanted.name,
        "id": progress.id,
        "model": job.wanted.model,
        "place": progress.place,
        "written": progress.written,
        "seen": progress.seen,
        "firmware": progress.firmware,
        "report": progress.report,
        "page": f"{address}/devices/{progress.id}" if progress.id else "",
    }


def _heard(server: Server, jobs: Sequence[Job]) -> dict[str, dict[str, Any]]:
    """The devices by id; of a large plan in one list, not one by one."""
    if len(jobs) > _MANY:
        return {one["id"]: one for one in server.all("/devices", "devices")}
    return {job.progress.id: server.get(f"/devices/{job.progress.id}") for job in jobs}


def _seen(job: Job, found: dict[str, Any] | None, began: float, say: Say) -> bool:
    progress = job.progress
    if found is None or found["contact_at"] is None:
        return False
    if not progress.seen:
        progress.seen, progress.identity = True, None
        progress.seconds = round(time.monotonic() - began, 1)
        say.done(f"the server has seen it after {progress.seconds:.0f} s", job.wanted.name)
    if found["firmware"]:
        progress.firmware = found["firmware"]
    job.save()
    return bool(progress.firmware)


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

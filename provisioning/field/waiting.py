"""Waits until the server has heard the kiosks, and says of one that it has not heard why that may be.

It writes to no board. What it finds is recorded as soon as it is found.
"""

import socket
import ssl
import time
from collections.abc import Sequence
from typing import Any

from provisioning.field.provision import Job
from provisioning.field.say import Say
from provisioning.identity import identity_from
from provisioning.server import Denied, Server, Unreachable

POLL_S = 1.0
DEFAULT_WAIT_S = 600.0  # somebody walks to a network socket meanwhile
_MANY = 8
_LONG_S = 30.0  # after that, say again what can be done
MEANWHILE = (
    "meanwhile: the light inside the case goes on once the server is reached; no light means no network or no broker "
    "(cable, Wi-Fi key, firewall)"
)


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

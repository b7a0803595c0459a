"""What a kiosk reports of itself: kept as it came, sampled as health, and answered with what it lacks.

A field that makes no sense is left out and named; the rest of the report counts.
"""

import json
import logging
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import bindparam, delete
from sqlmodel import Session, col, select

from fleet_server.answers.reported import epochs_reported
from fleet_server.devices import desired
from fleet_server.devices.desired import Message
from fleet_server.devices.models import CrashReport, Device, HealthSample
from fleet_server.instants import MINUTE_MS
from fleet_server.questions import service as questions

log = logging.getLogger("hymio.devices")

MAX_CRASH_REPORTS = 50  # a device; more of them say nothing new
MAX_LOG_BYTES = 8_192
U32 = Annotated[int, Field(ge=0, lt=1 << 32)]
Count = Annotated[int, Field(ge=0, lt=1 << 31)]
Instant = Annotated[int, Field(ge=0, lt=1 << 53)]


_LAST_SAMPLE = (  # built once: it is asked for each report
    select(HealthSample.at)
    .where(HealthSample.device_id == bindparam("device_id"))
    .order_by(col(HealthSample.at).desc())
    .limit(1)
)


class Health(BaseModel):
    """How the kiosk is; units as in docs/protocol.md."""

    model_config = ConfigDict(strict=True)

    reset: Annotated[int, Field(ge=0, le=255)] | None = None
    signal: Annotated[int, Field(ge=-200, le=50)] | None = None
    supply: Annotated[int, Field(ge=0, le=100_000)] | None = None
    heap: Count | None = None
    flash: Count | None = None
    fill: Annotated[float, Field(ge=0, le=1)] | None = None
    clock: U32 | None = None
    temperature: Annotated[float, Field(ge=-100, le=200)] | None = None
    buttons: Annotated[list[Annotated[int, Field(ge=0, le=15)]], Field(max_length=16)] = []
    ignored: Annotated[dict[str, Count], Field(max_length=16)] = {}
    slow: Count | None = None
    dropped: Count | None = None
    unreadable: Count | None = None
    uptime: U32 | None = None


class Report(BaseModel):
    """A report as docs/protocol.md describes it. Unknown keys are kept, not judged."""

    model_config = ConfigDict(strict=True, extra="allow")

    board: Annotated[str, Field(max_length=40)] | None = None
    model: Annotated[str, Field(max_length=20)] | None = None
    firmware: Annotated[str, Field(max_length=40, pattern=r"^[^\x00-\x1f]*$")] | None = (
        None  # no NUL in PostgreSQL
    )
    build: U32 | None = None
    slot: Annotated[str, Field(max_length=8)] | None = None
    desired: Instant = 0
    update: dict[str, Any] | None = None
    sets: Annotated[list[tuple[Annotated[int, Field(ge=0, le=0xFFFF)], str]], Field(max_length=32)] = []
    running: Annotated[int, Field(ge=0, le=0xFFFF)] | None = None
    want: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    epochs: Annotated[list[tuple[U32, U32, U32, U32]], Field(max_length=256)] | None = None
    health: Health = Health()


def take(session: Session, device_id: str, body: Any, *, now: int) -> tuple[list[Message], list[str]]:
    """Take a report in. Returns what is to be sent to the kiosk, and what was wrong with the report (a line each)."""
    device = session.get(Device, device_id)
    if device is None or not isinstance(body, dict):
        return [], [f"report: {type(body).__name__} instead of an object"]
    report, good, faults = _read(body)
    for fault in faults:
        log.warning("%s: %s", device_id, fault)
    device.report = json.dumps(good, separators=(",", ":"))
    device.report_at = now
    device.running_set = report.running
    device.firmware = report.firmware or device.firmware
    session.add(device)
    _sample(session, device_id, report.health, now)
    if report.epochs is not None:
        epochs_reported(session, device_id, [list(epoch) for epoch in report.epochs], now=now)
    messages = []
    wish = desired.answer(session, device, report.desired, now=now)
    if wish is not None:
        messages.append(wish)
    if report.want is not None:
        view = questions.view_for_hash(session, device_id, report.want)
        if view is not None:
            messages.append((f"hymio/1/down/{device_id}/set", view))
        else:
            log.warning(
                "%s: asks for a question set that was never published to it: %s", device_id, report.want
            )
    return messages, faults


def take_log(session: Session, device_id: str, payload: bytes, *, now: int) -> None:
    """Keep a crash report (JSON as it came, the last 50 a device)."""
    text = payload[:MAX_LOG_BYTES].decode("utf-8", "replace").replace("\0", "\ufffd")
    session.add(CrashReport(device_id=device_id, at=now, body=text))
    session.flush()
    newest = (
        select(CrashReport.id)
        .where(CrashReport.device_id == device_id)
        .order_by(col(CrashReport.id).desc())
        .limit(MAX_CRASH_REPORTS)
    )
    session.exec(
        delete(CrashReport).where(col(CrashReport.device_id) == device_id, col(CrashReport.id).not_in(newest))
    )


def _read(body: dict[str, Any]) -> tuple[Report, dict[str, Any], list[str]]:
    """The report, the body without what made no sense, and a line for each such field."""
    good = json.loads(json.dumps(body))
    faults: list[str] = []
    while True:
        try:
            return Report.model_validate_json(json.dumps(good)), good, faults
        except ValidationError as error:
            if any(
                not one["loc"] for one in error.errors()
            ):  # a stricter parser than json's: depth, surrogates
                return Report(), {}, [f"report: {error.errors()[0]['msg']}"]
            for one in error.errors():
                *path, name = one["loc"][:2] if one["loc"][0] == "health" else one["loc"][:1]
                holder = good[path[0]] if path else good
                if isinstance(holder, dict) and name in holder:
                    faults.append(
                        f"report: {'.'.join(map(str, [*path, name]))} is {holder.pop(name)!r}: {one['msg']}"[
                            :300
                        ]
                    )


def _sample(session: Session, device_id: str, health: Health, now: int) -> None:
    """At most one sample a minute: reports at every change would fill the table with nothing new."""
    last = session.exec(_LAST_SAMPLE, params={"device_id": device_id}).first()
    if last is not None and now - last < MINUTE_MS:
        return
    session.add(
        HealthSample(
            device_id=device_id,
            at=now,
            signal_dbm=health.signal,
            supply_mv=health.supply,
            heap_free=health.heap,
            flash_free=health.flash,
            journal_fill=health.fill,
            clock_uncertainty_ms=health.clock,
            temperature_c=health.temperature,
            uptime_s=health.uptime,
            reset_cause=health.reset,
        )
    )

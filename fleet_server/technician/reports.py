"""Acceptance reports: what the station tool tested on one device, kept as it was sent, and never changed.

A report is a list of steps, each with its result and what was measured. It knows no page and judges no figure: whether
a step passed is the tool's word, made where the limits are known (hardware/).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlmodel import Session, col, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.accounts.models import User
from fleet_server.devices.models import Device
from fleet_server.instants import to_ms
from fleet_server.refusals import N_, Refused
from fleet_server.technician.models import Acceptance

Short = Annotated[str, Field(min_length=1, max_length=80)]
Line = Annotated[str, Field(max_length=200)]
MOST_STEPS = 60
RESULTS = {"passed": N_("passed"), "failed": N_("failed"), "skipped": N_("skipped")}


class Measured(BaseModel):
    """A figure with its unit, and the limits that it had to keep where there are any."""

    model_config = ConfigDict(extra="forbid")

    name: Short
    figure: float
    unit: Annotated[str, Field(max_length=20)] = ""
    low: float | None = None
    high: float | None = None


class Step(BaseModel):
    """One test. `note`: what was seen, or why it failed or was skipped."""

    model_config = ConfigDict(extra="forbid")

    name: Short
    result: Literal["passed", "failed", "skipped"]
    note: Line = ""
    measured: Annotated[list[Measured], Field(max_length=20)] = []


class Report(BaseModel):
    """A report as the tool sends it. `versions`: name to version, such as firmware, micropython, station."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="random; sent twice, it is kept once")]
    tested_at: AwareDatetime
    board: Line = ""
    serial: Annotated[str, Field(max_length=60)] = ""
    versions: Annotated[dict[Short, Line], Field(max_length=20)] = {}
    steps: Annotated[list[Step], Field(min_length=1, max_length=MOST_STEPS)]

    @property
    def verdict(self) -> str:
        """Whether the device may go out: every step passed, some were skipped, or one failed (or none passed)."""
        results = {step.result for step in self.steps}
        if "failed" in results or "passed" not in results:
            return "failed"
        return "partial" if "skipped" in results else "passed"


@dataclass(frozen=True)
class Kept:
    """A report with what the server knows of it; instants in UTC ms."""

    id: int
    device_id: str
    at: int
    tested_at: int
    by: str
    verdict: str
    report: Report


def keep(session: Session, person: Person, device: Device, report: Report, *, now: int) -> Kept:
    """Keep a report; one that is here already is given back. Raises Refused when its key is another device's."""
    known = session.exec(select(Acceptance).where(Acceptance.key == report.key)).first()
    if known is not None:
        if known.device_id != device.id:
            raise Refused({"key": (N_("This report is another device's."), {})}, code="conflict")
        return _kept(known)
    row = Acceptance(
        device_id=device.id,
        key=report.key,
        at=now,
        tested_at=_instant(report.tested_at),
        by=_name(session, person),
        verdict=report.verdict,
        body=report.model_dump_json(),
    )
    session.add(row)
    session.flush()
    failed = [step.name for step in report.steps if step.result == "failed"]
    after = {"verdict": report.verdict, "failed": failed}
    audit.record(session, person, "accept device", "device", device.id, after=after, now=now)
    return _kept(row)


def of_device(session: Session, device_id: str) -> list[Kept]:
    """The reports of a device, newest first."""
    found = select(Acceptance).where(Acceptance.device_id == device_id).order_by(col(Acceptance.id).desc())
    return [_kept(row) for row in session.exec(found)]


def newest_of(session: Session, device_ids: list[str]) -> dict[str, str]:
    """The verdict of each device's newest report; a device without one is left out."""
    found = (
        select(Acceptance.device_id, Acceptance.verdict)
        .where(col(Acceptance.device_id).in_(device_ids))
        .order_by(col(Acceptance.id))
    )
    return dict(session.exec(found).all())


def _kept(row: Acceptance) -> Kept:
    report = Report.model_validate_json(row.body)
    return Kept(row.id or 0, row.device_id, row.at, row.tested_at, row.by, row.verdict, report)


def _name(session: Session, person: Person) -> str:
    """The technician's own name, also when the tool acts with a token of hers."""
    user = session.exec(select(User).where(User.email == person.email)).first() if person.email else None
    return user.name if user is not None else person.name


def _instant(moment: datetime) -> int:
    try:
        return to_ms(moment)
    except (OverflowError, ValueError):
        text = N_("“%(value)s” is too far from now.")
        raise Refused({"tested_at": (text, {"value": moment.isoformat()})}) from None

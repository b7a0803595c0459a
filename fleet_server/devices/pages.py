"""The pages of devices: a list, and all about one: here or not, what it runs, its books, its health."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import Response
from sqlmodel import Session, col, select

from fleet_server.accounts.access import Person, SignedIn, may, visible_devices, visible_places
from fleet_server.accounts.models import Role
from fleet_server.devices import network
from fleet_server.devices.care import takes_cleaning
from fleet_server.devices.care_pages import may_care
from fleet_server.devices.epoch_pages import may_close
from fleet_server.devices.health import Health, health
from fleet_server.devices.lines import device_lines
from fleet_server.devices.models import Device
from fleet_server.devices.views import device_page
from fleet_server.instants import local
from fleet_server.places.models import Place
from fleet_server.schedules import planning as schedules
from fleet_server.technician.device_pages import care_of
from fleet_server.web.charts import LineChart, Mark, Sample, line_chart
from fleet_server.web.deps import Now, ReadSession
from fleet_server.web.templating import clock, date, number, render, weekday

router = APIRouter(include_in_schema=False, prefix="/devices")

DeviceId = Annotated[str, Path(pattern="^[a-z0-9]{12}$")]


@dataclass(frozen=True)
class HealthChart:
    """One measure: its name in health.py, the newest figure as text, the line."""

    measure: str
    latest: str
    chart: LineChart


@dataclass(frozen=True)
class HealthCharts:
    """All measures that have figures; `rows`: the same as texts, the instant and then each measure."""

    days: int
    charts: tuple[HealthChart, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@router.get("")
def devices(
    request: Request, person: SignedIn, session: ReadSession, part: Literal["", "list"] = ""
) -> Response:
    """All devices that the reader may see."""
    rows = session.exec(
        select(Device)
        .where(col(Device.id).in_(visible_devices(person)))
        .order_by(col(Device.name), col(Device.id))
    )
    lines = device_lines(session, rows)
    return render(
        request,
        "devices/_list.html" if part else "devices/list.html",
        devices=sorted(lines, key=lambda line: (line.status == "revoked", line.name.casefold(), line.id)),
        places=_place_names(session, {line.place_id for line in lines if line.place_id is not None}),
    )


@router.get("/{device_id}")
def device(
    request: Request,
    device_id: DeviceId,
    person: SignedIn,
    session: ReadSession,
    now: Now,
    days: Annotated[Literal["1", "7"], Query()] = "1",
    part: Literal["", "now", "past"] = "",
) -> Response:
    """One device. `part=now`: status, question set and books; `part=past`: health and history."""
    row = _visible(session, person, device_id)
    page = device_page(session, row, visible_places(person))
    context: dict[str, Any] = {
        "page": page,
        "device": page.line,
        "may_close": may_close(session, person, device_id),
        "may_care": may_care(session, person, device_id) and row.revoked_at is None,
        "takes_cleaning": takes_cleaning(row),
        "network": network.newest(session, device_id) if may(person, Role.OPERATOR) else None,
        "cleaning": page.cleaning_until is not None and page.cleaning_until > now,
        "places": _place_names(session, {page.line.place_id or 0}),
        "care": care_of(session, person, row),
        "scheduled": schedules.due_now(session, row, now=now),
    }
    if part != "now":
        context["health"] = health_charts(health(session, device_id, days=int(days), now=now), int(days))
    return render(request, f"devices/_{part}.html" if part else "devices/device.html", **context)


def health_charts(figures: Health, days: int) -> HealthCharts:
    """The measures as lines, with texts in the reader's language."""
    marks = _marks(figures.steps, days)
    charts = []
    for measure in figures.measured:
        write = FIGURES[measure]
        share = measure == "journal_fill"
        chart = line_chart(
            figures.samples[measure],
            marks,
            write,
            floor=0.0 if share else None,
            ceiling=1.0 if share else None,
        )
        if chart is not None:
            latest = figures.latest.get(measure)
            charts.append(HealthChart(measure, write(latest) if latest is not None else "", chart))
    rows = []
    for index, step in enumerate(figures.steps):
        found = [figures.samples[chart.measure][index] for chart in charts]
        if any(sample.mean is not None for sample in found):
            texts = tuple(
                _cell(sample, FIGURES[chart.measure]) for sample, chart in zip(found, charts, strict=True)
            )
            rows.append((f"{date(step)} {clock(step)}", texts))
    return HealthCharts(days, tuple(charts), tuple(reversed(rows)))


def _marks(steps: tuple[int, ...], days: int) -> list[Mark]:
    marks = []
    for index, step in enumerate(steps):
        moment = local(step)
        x = round(100 * index / len(steps), 2)
        if days == 1 and moment.hour % 6 == 0 and moment.minute == 0:
            marks.append(Mark(x, str(moment.hour)))
        elif days == 7 and 11 <= moment.hour <= 12:
            marks.append(Mark(x, weekday(step)))
    return marks


def _cell(sample: Sample, write: Callable[[float], str]) -> str:
    return "–" if sample.mean is None else write(sample.mean)


def _kilobytes(value: float) -> str:
    return f"{number(round(value / 1024))} kB"


# How each measure is written; units are the same in all three languages.
FIGURES: dict[str, Callable[[float], str]] = {
    "signal_dbm": lambda value: f"{number(round(value))} dBm",
    "supply_mv": lambda value: f"{number(round(value / 1000, 2))} V",
    "heap_free": _kilobytes,
    "flash_free": _kilobytes,
    "journal_fill": lambda value: f"{number(round(value * 100, 1))} %",
    "clock_uncertainty_ms": lambda value: (
        f"± {number(round(value))} ms" if value < 1000 else f"± {number(round(value / 1000, 1))} s"
    ),
    "temperature_c": lambda value: f"{number(round(value, 1))} °C",
}


def _visible(session: Session, person: Person, device_id: str) -> Device:
    """The device; for whoever may not see it, it does not exist."""
    row = session.exec(
        select(Device).where(Device.id == device_id, col(Device.id).in_(visible_devices(person)))
    ).one_or_none()
    if row is None:
        raise HTTPException(404)
    return row


def _place_names(session: Session, ids: set[int]) -> dict[int, str]:
    return {row.id or 0: row.name for row in session.exec(select(Place).where(col(Place.id).in_(ids)))}

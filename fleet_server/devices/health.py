"""How a device was over time, as lines: signal, heap, journal fill, clock and so on. Figures only, no words.

Samples are put together in the database into steps of equal length, so a page costs the same for a kiosk that
reports every minute as for one that reports every quarter of an hour.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from fleet_server.devices.models import HealthSample
from fleet_server.instants import DAY_MS, HOUR_MS, MINUTE_MS
from fleet_server.web.charts import Sample

# Length of a step by number of days: 96 or 84 points fit a phone's width; a kiosk reports every 15 minutes.
STEPS_MS = {1: 15 * MINUTE_MS, 7: 2 * HOUR_MS}
MEASURES = (
    "signal_dbm",
    "supply_mv",
    "heap_free",
    "flash_free",
    "journal_fill",
    "clock_uncertainty_ms",
    "temperature_c",
)


Row = Mapping[str, Any]


@dataclass(frozen=True)
class Health:
    """`steps`: when they begin; `samples[measure]`: one entry per step; `latest`: newest values."""

    steps: tuple[int, ...]
    samples: dict[str, tuple[Sample, ...]]
    latest: dict[str, float]

    @property
    def measured(self) -> list[str]:
        """Measures that have at least one figure, in a fixed order."""
        return [name for name in MEASURES if any(sample.mean is not None for sample in self.samples[name])]


def health(session: Session, device_id: str, *, days: int, now: int) -> Health:
    """Health over the last 1 or 7 days, up to `now`."""
    step_ms = STEPS_MS[days]
    stop = (now // step_ms + 1) * step_ms
    start = stop - days * DAY_MS
    steps = tuple(range(start, stop, step_ms))
    rows = _rows(session, device_id, start, stop, step_ms)
    samples = {name: tuple(_sample(rows.get(step), name, step) for step in steps) for name in MEASURES}
    return Health(steps, samples, _latest(session, device_id))


def _rows(
    session: Session, device_id: str, start: int, stop: int, step_ms: int
) -> dict[int, dict[str, float | None]]:
    # A subquery: PostgreSQL takes equal parameters in SELECT and GROUP BY for different expressions.
    inner = (
        select(
            ((col(HealthSample.at) - start) // step_ms).label("step"),
            *(getattr(HealthSample, name) for name in MEASURES),
        )
        .where(
            col(HealthSample.device_id) == device_id,
            col(HealthSample.at) >= start,
            col(HealthSample.at) < stop,
        )
        .subquery()
    )
    figures = [
        part(inner.c[name]).label(f"{name}_{label}")
        for name in MEASURES
        for label, part in (("mean", func.avg), ("least", func.min), ("most", func.max))
    ]
    result = session.exec(select(inner.c.step, *figures).group_by(inner.c.step))
    return {start + row["step"] * step_ms: dict(row) for row in result.mappings()}


def _sample(row: Row | None, name: str, step: int) -> Sample:
    if row is None or row[f"{name}_mean"] is None:
        return Sample(str(step), None)
    mean, least, most = (row[f"{name}_{label}"] for label in ("mean", "least", "most"))
    return Sample(str(step), float(mean or 0), float(least or 0), float(most or 0))


def _latest(session: Session, device_id: str) -> dict[str, float]:
    newest = session.exec(
        select(HealthSample)
        .where(HealthSample.device_id == device_id)
        .order_by(col(HealthSample.at).desc())
        .limit(1)
    ).first()
    if newest is None:
        return {}
    return {name: value for name in MEASURES if (value := getattr(newest, name)) is not None}

"""Where a subject's answers came from: channels of a unit, devices of a place, with the models; and figures by each.

Sums of whole blocks by source, as scores.py has them. It compares nothing: who presses a button and who fills in a form
are different people.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from fleet_server.devices.models import QR, Device
from fleet_server.results.freshness import kiosks_of
from fleet_server.results.intervals import Estimate
from fleet_server.results.items import Item, headline
from fleet_server.results.scores import Figures, by_source
from fleet_server.results.spans import Period
from fleet_server.results.subjects import Subject
from fleet_server.web.i18n import _


@dataclass(frozen=True)
class Source:
    """A channel, or a device with its channel and model (`note`). `answers`: of the question most visitors answered."""

    name: str
    note: str
    answers: int


@dataclass(frozen=True)
class Sources:
    """`by_series`: {series: [(source, headline)]} of questions with a headline that came over more than one.

    `models`: {model: kiosks that stand there now}.
    """

    sources: tuple[Source, ...]
    by_series: dict[int, tuple[tuple[str, Estimate], ...]]
    models: dict[str, int]


def sources(
    session: Session, subject: Subject, chosen: Period, items: Sequence[Item], *, with_filtered: bool = False
) -> Sources:
    """Of these items, shown for this period."""
    start, stop = chosen.starts[0], chosen.stop
    found: dict[str, dict[int, Figures]] = {}
    for (series, source), figures in by_source(
        session, subject.where, start, stop, with_filtered=with_filtered
    ).items():
        found.setdefault(source, {})[series] = figures
    names = _names(session, subject, found)
    listed = [
        Source(*names[source], max(figures.answers for figures in found[source].values()))
        for source in sorted(found, key=lambda source: names[source])
    ]
    by_series: dict[int, tuple[tuple[str, Estimate], ...]] = {}
    for item in items:
        number = item.series.id or 0
        of_each = [
            (_label(*names[source]), headline(item.series.type, figures[number]))
            for source, figures in sorted(found.items(), key=lambda one: names[one[0]])
            if number in figures
        ]
        estimates = tuple((name, estimate) for name, estimate in of_each if estimate)
        if len(estimates) > 1:
            by_series[number] = estimates
    return Sources(tuple(listed), by_series, kiosks_of(session, subject))


def channel_name(channel: str) -> str:
    """A channel in the reader's language."""
    return _("Phone (QR code)") if channel == QR else _("Kiosk")


def source_note(device: Device) -> str:
    """Channel and model of a device."""
    return (
        channel_name(device.channel)
        if device.channel == QR
        else f"{channel_name(device.channel)}, {device.model}"
    )


def _label(name: str, note: str) -> str:
    return f"{name} ({note})" if note and note != name else name


def _names(
    session: Session, subject: Subject, found: dict[str, dict[int, Figures]]
) -> dict[str, tuple[str, str]]:
    if subject.place is None:
        return {channel: (channel_name(channel), "") for channel in found}
    devices = session.exec(select(Device).where(col(Device.id).in_(found)))
    return {
        device.id: (channel_name(QR) if device.channel == QR else device.name, source_note(device))
        for device in devices
    }

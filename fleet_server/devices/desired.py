"""What the server wishes of a kiosk: one document with a version that never falls.

By level, not by edge: it is made from what was published, compared with what the kiosk reports, and sent whenever they
differ. A lost one costs time, never agreement.
"""

import json
import logging
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlmodel import Session

from fleet_server.devices.models import Device
from fleet_server.handling import on_kiosks
from fleet_server.instants import DAY_MS, HELSINKI, to_ms, utc
from fleet_server.phone import address
from fleet_server.questions import service as questions
from fleet_server.schedules import planning as schedules
from fleet_server.schedules.turning import in_turns

log = logging.getLogger("hymio.devices")

Message = tuple[str, bytes]  # topic and payload
TOUCH = "touch"  # the model that can show a QR code
MOST_BYTES = 4_096  # of a document; a kiosk reads past a larger one
OFFSET_YEARS = 2  # a kiosk without a network keeps local time for so long


def refresh(session: Session, device_id: str, *, now: int, above: int = 0) -> Message | None:
    """Make the document anew. Returns it, to be sent, when it changed; None when it is what it was.

    `above`: a version that the kiosk already has; a restored server must go beyond it.
    """
    device = session.get(Device, device_id)
    if device is None:
        raise ValueError(f"device {device_id!r} does not exist")
    wished = _wished(session, device, now)
    stored = json.loads(device.desired) if device.desired else {}
    stored.pop("version", None)
    if stored == wished and device.desired_version >= above:
        return None
    device.desired_version = max(now, device.desired_version + 1, above + 1)
    device.desired = _packed({"version": device.desired_version, **wished})
    session.add(device)
    session.flush()
    return _message(device)


def answer(session: Session, device: Device, reported: int, *, now: int) -> Message | None:
    """What to send to a kiosk that reports version `reported`: None when it has what is wished."""
    changed = refresh(session, device.id, now=now, above=reported if reported > device.desired_version else 0)
    if changed is not None:
        return changed
    return _message(device) if reported != device.desired_version else None


def _message(device: Device) -> Message:
    return f"hymio/1/down/{device.id}/desired", (device.desired or "{}").encode()


def _wished(session: Session, device: Device, now: int) -> dict[str, Any]:
    published = _published(session, device, now)
    # After it: of what begins at once the later one wins.
    sets = published + schedules.entries_for(session, device, turns=published[1:], now=now)
    settings = _settings(session, device, now)
    wished = {"sets": sets, "offset": offsets(now), "settings": settings, "firmware": None}
    if device.model == TOUCH:
        # Last: what they have is the room that all else leaves.
        room = MOST_BYTES - len(_packed({"version": 1 << 53, **wished}).encode()) - len(',"said":')
        notes = on_kiosks.setting_of(
            session, device.id, [entry["number"] for entry in sets], room=room, now=now
        )
        if notes is not None:
            settings["said"] = notes
    return wished


def _packed(document: dict[str, Any]) -> str:
    """As it is sent. Letters stand for themselves: a kiosk counts bytes."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _published(session: Session, device: Device, now: int) -> list[dict[str, Any]]:
    """The set that was published, in its turns; while it is withheld (somebody changed the database by hand), what was
    wished before it, so that the kiosk goes on with the last good questions."""
    row = questions.published_to(session, device.id)
    if row is None:
        return []
    names = questions.view_hashes(row, device.model)
    if names:
        entry = {"number": row.number, "hash": names[0], "from": None, "to": None, "hours": None}
        return in_turns(entry, names, questions.body_of(row), now=now) if len(names) > 1 else [entry]
    log.error("%s: %s", device.id, questions.withheld(row, device.model))
    kept = json.loads(device.desired or "{}").get("sets") or []
    return [entry for entry in kept if entry["from"] is None]


def _settings(session: Session, device: Device, now: int) -> dict[str, Any]:
    """What is not as it always is; a kiosk takes what is left out as its default."""
    settings: dict[str, Any] = {}
    if device.cleaning_until is not None and device.cleaning_until > now:
        settings["cleaning"] = device.cleaning_until
    if device.card_confirmed is not None:
        settings["card"] = device.card_confirmed
    if device.model == TOUCH and (qr := address.setting_of(session, device.id)) is not None:
        settings["qr"] = qr
    return settings


def offsets(now: int) -> list[list[int]]:
    """[[from UTC ms, minutes east of UTC], …]: Finland's offset now and its changes two years ahead."""
    return [list(pair) for pair in _offsets(now // DAY_MS)]


@lru_cache(maxsize=8)
def _offsets(day: int) -> tuple[tuple[int, int], ...]:
    found = []
    start = utc(day * DAY_MS) - timedelta(days=366)
    last = _minutes(start)
    for number in range(366 * (OFFSET_YEARS + 1)):
        midnight = start + timedelta(days=number)
        if _minutes(midnight + timedelta(days=1)) == last:
            continue  # no hour of this day needs a look: days with two changes there are none
        for hour in range(1, 25):
            moment = midnight + timedelta(hours=hour)
            if _minutes(moment) != last:
                last = _minutes(moment)
                found.append((to_ms(moment), last))
    present = day * DAY_MS
    passed = [pair for pair in found if pair[0] <= present]
    return tuple(passed[-1:] + [pair for pair in found if pair[0] > present])


def _minutes(moment: datetime) -> int:
    offset = moment.astimezone(UTC).astimezone(HELSINKI).utcoffset()
    return int(offset.total_seconds()) // 60 if offset else 0

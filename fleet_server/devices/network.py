"""Network settings that a kiosk is to try: wished, heard of, ended. Knows no page.

The kiosk stores them beside those that are good, tries them for ten minutes and goes back by itself when no receipt
comes over them (firmware/kiosk/trial.py).

Invariant: a Wi-Fi key stands in one row, is sent to its kiosk alone, and is wiped as soon as the kiosk says that it has
it, at the latest after KEEP_MS; it is in no log, no audit entry, no answer of the API and no page.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.devices.models import Device
from fleet_server.devices.network_models import NetworkChange
from fleet_server.instants import DAY_MS
from fleet_server.refusals import N_, Faults, Hindered, Sentence

WISHED, TRYING, KEPT, BACK, WITHDRAWN, UNFETCHED = (
    "wished",
    "trying",
    "kept",
    "back",
    "withdrawn",
    "unfetched",
)
KEEP_MS = 7 * DAY_MS  # a kiosk that has not come for its settings in a week is to be wished them anew
BY_CABLE, BY_RADIO, AS_IT_IS = "cable", "radio", ""
_HEARD = (TRYING, KEPT, BACK)
_ACTIONS = {TRYING: "network trying", KEPT: "network kept", BACK: "network back"}
_SSID_BYTES, _KEY_LENGTHS, _PORTS = 32, (8, 63), (1, 65_535)
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)\Z")


@dataclass(frozen=True)
class Typed:
    """What was filled in: `way` one of AS_IT_IS, BY_CABLE, BY_RADIO; an empty text changes nothing."""

    way: str = ""
    ssid: str = ""
    key: str = ""
    host: str = ""
    port: str = ""


def wish(session: Session, device: Device, typed: Typed, *, actor: Person | str, now: int) -> NetworkChange:
    """Let the kiosk try these. A wish that it has not fetched yet is taken back by this one.

    Raises Refused naming the fields, Hindered while the kiosk tries others.
    """
    fields = _read(typed)
    before = newest(session, device.id)
    if before is not None and before.state == TRYING:
        raise Hindered(
            [Sentence(N_("The kiosk is trying other network settings. That takes ten minutes at most."))]
        )
    if before is not None and before.state == WISHED:
        _end(session, before, WITHDRAWN, "", now)
    row = NetworkChange(
        device_id=device.id,
        version=max(now, before.version + 1 if before is not None else 0),
        has_key=bool(fields.get("key")),
        state=WISHED,
        by=actor if isinstance(actor, str) else actor.actor,
        at=now,
        changed_at=now,
        **fields,
    )
    session.add(row)
    session.flush()
    after = {name: value for name, value in fields.items() if name != "key"} | {"key": row.has_key}
    audit.record(session, actor, "change network", "device", device.id, after=after, now=now)
    return row


def withdraw(session: Session, device: Device, *, actor: Person | str, now: int) -> bool:
    """Take back what the kiosk has not fetched yet; False when there is no such wish."""
    row = newest(session, device.id)
    if row is None or row.state != WISHED:
        return False
    _end(session, row, WITHDRAWN, "", now)
    audit.record(session, actor, "withdraw network", "device", device.id, now=now)
    return True


def newest(session: Session, device_id: str) -> NetworkChange | None:
    """The last wish for this kiosk."""
    return session.exec(
        select(NetworkChange)
        .where(NetworkChange.device_id == device_id)
        .order_by(col(NetworkChange.id).desc())
        .limit(1)
    ).first()


def wished(session: Session, device_id: str, *, now: int) -> int | None:
    """Version of the settings that the kiosk has yet to fetch; what is too old to be fetched ends here."""
    row = newest(session, device_id)
    if row is None or row.state != WISHED:
        return None
    if row.at + KEEP_MS <= now:
        _end(session, row, UNFETCHED, "", now)
        return None
    return row.version


def sent(session: Session, device_id: str, version: int) -> dict[str, Any] | None:
    """The setting `network` as the kiosk gets it, with its key."""
    row = newest(session, device_id)
    if row is None or row.version != version or row.state != WISHED:
        return None
    named = {"ssid": row.ssid, "key": row.key, "host": row.host, "port": row.port}
    return {"version": version, **{name: value for name, value in named.items() if value is not None}}


def heard(session: Session, device_id: str, said: Any, *, now: int) -> None:
    """Take in what a report says of a trial: {"version", "state", "reason"}. What makes no sense is left out."""
    if not isinstance(said, dict) or said.get("state") not in _HEARD:
        return
    row = newest(session, device_id)
    if row is None or row.version != said.get("version") or row.state in (KEPT, BACK, said["state"]):
        return
    reason = said.get("reason")
    _end(session, row, said["state"], reason if isinstance(reason, str) else "", now)
    audit.record(
        session,
        f"device:{device_id}",
        _ACTIONS[row.state],
        "device",
        device_id,
        after={"reason": row.reason} if row.reason else None,
        now=now,
    )


def forget(session: Session, *, now: int) -> int:
    """Wipe the keys that no kiosk came for in KEEP_MS; how many."""
    rows = session.exec(
        select(NetworkChange).where(NetworkChange.state == WISHED, col(NetworkChange.at) <= now - KEEP_MS)
    ).all()
    for row in rows:
        _end(session, row, UNFETCHED, "", now)
    return len(rows)


def _end(session: Session, row: NetworkChange, state: str, reason: str, now: int) -> None:
    row.state, row.key, row.changed_at = state, None, now
    row.reason = "".join(letter for letter in reason if letter.isprintable())[:160]
    session.add(row)
    session.flush()


def _read(typed: Typed) -> dict[str, Any]:
    """The columns of a wish. Raises Refused naming each field that is wrong; a key is never quoted."""
    faults = Faults()
    found: dict[str, Any] = {}
    ssid, host, port = typed.ssid.strip(), typed.host.strip(), typed.port.strip()
    if typed.way not in (AS_IT_IS, BY_CABLE, BY_RADIO):
        faults.add("way", N_("“%(value)s” is none of the choices."), value=typed.way)
    elif typed.way == BY_CABLE:
        found["ssid"] = ""
        if ssid or typed.key:
            faults.add("way", N_("A cable has neither a name nor a key. Leave both empty, or choose Wi-Fi."))
    elif typed.way == BY_RADIO:
        if not ssid:
            faults.add("ssid", N_("This is empty. Type something here."))
        elif len(ssid.encode()) > _SSID_BYTES or not ssid.isprintable():
            text = N_(
                "“%(value)s” is no name of a network: at most %(most)s bytes, all of which can be shown."
            )
            faults.add("ssid", text, value=ssid, most=_SSID_BYTES)
        found["ssid"] = ssid
        if typed.key:
            found["key"] = typed.key
    elif ssid or typed.key:
        faults.add("way", N_("Choose Wi-Fi to change its name or key."))
    if typed.key and not (
        _KEY_LENGTHS[0] <= len(typed.key) <= _KEY_LENGTHS[1]
        and typed.key.isascii()
        and typed.key.isprintable()
    ):
        text = N_(
            "A key has %(least)s to %(most)s letters, digits and signs of ASCII; this one has %(length)s."
        )
        faults.add("key", text, least=_KEY_LENGTHS[0], most=_KEY_LENGTHS[1], length=len(typed.key))
    if host:
        found["host"] = host
        if not _is_host(host):
            faults.add("host", N_("“%(value)s” is neither a host name nor an address."), value=host)
    if port:
        if not (port.isascii() and port.isdigit() and len(port) < 6 and _PORTS[0] <= int(port) <= _PORTS[1]):
            text = N_("“%(value)s” is not a whole number from %(least)s to %(most)s.")
            faults.add("port", text, value=port, least=_PORTS[0], most=_PORTS[1])
        else:
            found["port"] = int(port)
    if not found and not faults.found:
        faults.add("way", N_("Nothing is to be changed. Fill in at least one field."))
    faults.check()
    return found


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
        return True
    except ValueError:
        pass
    labels = text.split(".")
    return len(text) <= 253 and all(_LABEL.match(label) for label in labels) and not labels[-1].isdigit()

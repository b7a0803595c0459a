"""Who a kiosk is: its id and its secret. The server keeps a hash of the secret and never sees it again.

A 256-bit random secret needs no slow hash: nobody guesses it, and checking one costs microseconds at each connect.
"""

import hashlib
import hmac
import secrets
import string

from sqlmodel import Session

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.devices.models import Device
from provisioning.models import MODELS

ID_LENGTH = 12
_ALPHABET = string.ascii_lowercase + string.digits
_SECRET_BYTES = 32
MAX_NAME = 200


def create(
    session: Session, *, name: str, model: str, virtual: bool, now: int, actor: Person | str = "fleet"
) -> tuple[Device, str]:
    """Register a kiosk; returns it and its secret (64 hex digits), which exists nowhere else.

    Raises ValueError naming the field when the name is empty or too long, or the model unknown.
    """
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise ValueError(f"name is {name!r}, must have 1 to {MAX_NAME} characters")
    if model not in MODELS:
        raise ValueError(f"model is {model!r}, must be one of {', '.join(MODELS)}")
    secret = secrets.token_hex(_SECRET_BYTES)
    device = Device(
        id="".join(secrets.choice(_ALPHABET) for _ in range(ID_LENGTH)),
        name=name,
        model=model,
        secret_sha256=_hash(secret),
        virtual=virtual,
        created_at=now,
    )
    session.add(device)
    session.flush()
    after = {"name": name, "model": model, "virtual": virtual}
    audit.record(session, actor, "create device", "device", device.id, after=after, now=now)
    return device, secret


def renew(session: Session, device: Device, *, now: int, actor: Person | str) -> str:
    """A fresh secret for a device that nobody has heard from: the one before may have got lost on the way."""
    secret = secrets.token_hex(_SECRET_BYTES)
    device.secret_sha256 = _hash(secret)
    session.add(device)
    audit.record(session, actor, "renew identity", "device", device.id, now=now)
    return secret


def check(session: Session, device_id: str, secret: str) -> bool:
    """Whether this is the secret of a device that was not revoked. Takes as long for an unknown id."""
    device = session.get(Device, device_id)
    expected = device.secret_sha256 if device is not None else "0" * 64
    right = hmac.compare_digest(_hash(secret), expected)
    return right and device is not None and device.revoked_at is None


def revoke(session: Session, device_id: str, *, now: int, actor: Person | str = "fleet") -> None:
    """Refuse this device from now on. Raises ValueError when there is none with this id."""
    device = session.get(Device, device_id)
    if device is None:
        raise ValueError(f"device {device_id!r} does not exist")
    if device.revoked_at is None:
        device.revoked_at = now
        session.add(device)
        audit.record(session, actor, "revoke device", "device", device_id, after={"revoked_at": now}, now=now)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

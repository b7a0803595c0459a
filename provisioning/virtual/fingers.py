"""Turns a request to press or touch into the line that the firmware's board reads. It knows no process.

Invariant: what is not on the kiosk's front never reaches its firmware: the request gets one clear line instead.
"""

from typing import Any

from provisioning.errors import ProvisioningError
from provisioning.models import Model

FACE_REQUESTS = ("press", "hold", "release")
TOUCH_REQUESTS = ("touch", "down", "up")
_MAX_PRESS_MS = 60_000


def order(model: Model, request: dict[str, Any]) -> dict[str, Any]:
    """The board's command for a request whose `do` is one of the above. Raises ProvisioningError."""
    do = request["do"]
    return _face(model, do, request) if do in FACE_REQUESTS else _touch(model, do, request)


def _face(model: Model, do: str, request: dict[str, Any]) -> dict[str, Any]:
    face = request.get("face")
    if isinstance(face, bool) or not isinstance(face, int) or not 0 <= face < model.faces:
        has = f"0 to {model.faces - 1}" if model.faces else "a touchscreen and no buttons"
        raise ProvisioningError(f"face {face!r} does not exist; {model.name} has {has}")
    return {do: face, **_stay(do, request)} if do == "press" else {do: face}


def _touch(model: Model, do: str, request: dict[str, Any]) -> dict[str, Any]:
    if model.screen != "touch" or model.size is None:
        raise ProvisioningError(f"{do}: {model.name} has buttons and no touchscreen; press a face instead")
    if do == "up":
        return {"up": True}
    point = []
    for name, pixels in zip("xy", model.size, strict=True):
        value = request.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < pixels:
            raise ProvisioningError(f"{do}: {name} is {value!r}, it must be a whole number 0 to {pixels - 1}")
        point.append(value)
    count = request.get("fingers", 1)
    if isinstance(count, bool) or count not in (1, 2):
        raise ProvisioningError(f"{do}: fingers is {count!r}, it must be 1 or 2")
    return {do: point, "fingers": count, **(_stay(do, request) if do == "touch" else {})}


def _stay(do: str, request: dict[str, Any]) -> dict[str, Any]:
    """How long the finger stays, and whose it is."""
    ms = request.get("ms", 120)
    if isinstance(ms, bool) or not isinstance(ms, int) or not 1 <= ms <= _MAX_PRESS_MS:
        raise ProvisioningError(f"{do} of {ms!r} ms: it must be a whole number from 1 to {_MAX_PRESS_MS}")
    return {"ms": ms, "simulated": bool(request.get("simulated", False))}

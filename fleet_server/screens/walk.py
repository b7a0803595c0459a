"""A walk through the flow of a question set as a visitor at a touchscreen, by the firmware's own `kiosk.visit`.

It knows no page of the server and keeps nothing: a walk is the list of its actions, which is played anew each time.
Invariant: the same view and the same walk come to the same screen and the same records.
"""

import base64
import hashlib
import json
import zlib
from dataclasses import dataclass, replace
from typing import Any

from kiosk import answers
from kiosk.visit import Visit

from fleet_server.screens import drawing
from fleet_server.screens.scenes import pretended_code

__all__ = ("BadWalk", "Here", "Walk", "answers", "unpacked", "walked")

MOST_ACTIONS = 400  # three languages' worth of open text; a visit has some thirty
MOST_PACKED = 6_000  # characters of an address
_MOST_JSON_BYTES = 32_000
_MOST_LETTERS = 40  # of one part of an action
_STEP_MS = 2_000  # a reader's pace: longer than a thank-you page waits for a second touch of the same finger
_GONE_MS = 120_000  # longer than any page waits


class BadWalk(ValueError):
    """What was sent is no walk."""


@dataclass(frozen=True)
class Walk:
    """`actions`: what was touched, as the screen's widgets mean it; `("touch",)` for nothing, `("gone",)` for nobody
    there any more. `language`: place in the view's. `seed`: for rotations, so that going on meets the same ones."""

    actions: tuple[tuple[Any, ...], ...] = ()
    language: int = 0
    seed: int = 0

    def then(self, *action: Any) -> "Walk":
        """One action further; a walk that is as long as it may be stays."""
        return self if self.full else replace(self, actions=(*self.actions, action))

    @property
    def full(self) -> bool:
        """Whether it can go no further."""
        return len(self.actions) >= MOST_ACTIONS

    def packed(self) -> str:
        """For a form's field and a picture's address."""
        plain = json.dumps([self.language, self.seed, *self.actions], separators=(",", ":"))
        return base64.urlsafe_b64encode(zlib.compress(plain.encode(), 9)).decode().rstrip("=")


def unpacked(packed: str) -> Walk:
    """Back again; "" is a walk that begins. Raises BadWalk."""
    if not packed:
        return Walk()
    if len(packed) > MOST_PACKED:
        raise BadWalk("too long")
    try:
        unzip = zlib.decompressobj()
        raw = base64.b64decode(packed.encode("ascii") + b"=" * (-len(packed) % 4), b"-_", validate=True)
        plain = unzip.decompress(raw, _MOST_JSON_BYTES)
        language, seed, *actions = json.loads(plain)
    except (ValueError, TypeError, zlib.error, RecursionError):
        raise BadWalk("cannot be read") from None
    whole = all(isinstance(number, int) and 0 <= number < 2**31 for number in (language, seed))
    if not whole or len(actions) > MOST_ACTIONS or not all(map(_is_action, actions)):
        raise BadWalk("holds what no touch means")
    return Walk(tuple(map(tuple, actions)), language, seed)


@dataclass(frozen=True)
class Here:
    """Where a walk has come to. `page`: screens.page.Page. `records`: (position, language, value, flags, text), as the
    kiosk would have written them. `thanked`: it came to a thank-you page. `language`, `mode`: the visitor's."""

    page: Any
    scene: dict[str, Any]
    language: int
    mode: tuple[str, ...]
    records: list[tuple[int, int, int, int, str]]
    thanked: bool


def walked(view: dict[str, Any], walk: Walk, *, phone: bool = False) -> Here:
    """Play a walk. `view`: a touchscreen's, without fault. `phone`: whether the kiosk offers to go on by phone."""
    settings = {"language": walk.language, "qr": pretended_code() if phone else None}
    visit = Visit(view, _Lots(walk.seed), settings.get, 0)
    now_ms, records, thanked = 0, [], False
    for action in walk.actions:
        now_ms += _STEP_MS
        if action[0] == "touch":
            entry = visit.touch(now_ms)
        elif action[0] == "gone":
            now_ms += _GONE_MS
            entry = visit.tick(now_ms)
        else:
            entry = visit.act(action, now_ms)
        if entry is not None:
            position, language, value, flags, body, _mark = entry
            records.append((position, language, value, flags, str(body, "utf-8")))
        thanked = thanked or visit.page == "thanks"
    scene = visit.scene(now_ms)
    page = drawing.page(scene, view, visit.language, visit.mode)
    return Here(page, scene, visit.language, tuple(visit.mode), records, thanked)


class _Lots:
    """A kiosk's random bytes, always the same ones for a seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn = 0

    def __call__(self, count: int) -> bytes:
        self._drawn += 1
        return hashlib.shake_128(f"{self._seed}.{self._drawn}".encode()).digest(count)


def _is_action(action: Any) -> bool:
    return (
        isinstance(action, list)
        and 1 <= len(action) <= 2
        and isinstance(action[0], str)
        and (len(action) == 1) == (action[0] not in _WITH_VALUE)
        and all(
            len(part) <= _MOST_LETTERS and part.isprintable()
            if isinstance(part, str)
            else isinstance(part, int)
            for part in action
        )
        and (len(action) == 1 or isinstance(action[1], _WITH_VALUE[action[0]]))
    )


_WITH_VALUE: dict[str, type] = {
    "answer": int, "toggle": int, "language": int, "layer": int, "mode": str, "kind": str, "key": str,
}  # fmt: skip

"""Every screen that a question set shows on a model: what the fit check lays out and the gallery draws.

It knows views and no body of a set, no database and no page. Invariant: a scene here is one that the kiosk can come to,
with the widest rows of buttons that it can have there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provisioning.models import Model

QR_CELLS = 29  # of a usual address; what a place's own code looks like is the phone's business
COUNTDOWN_S = 9
WITHOUT_SET = ("start", "wait", "full", "out")
_WRITTEN = "Kiitos avusta, odotusaika oli pitkä mutta hoito hyvää. "


@dataclass(frozen=True)
class Shown:
    """One screen. `key` names it in addresses. `kind`: rest, ask, chosen, countdown, text, written, phone, thanks, or
    the name of a screen without a set. `question`: its place in the view's list, None for none."""

    key: str
    kind: str
    scene: dict[str, Any]
    question: int | None = None


def scenes(view: dict[str, Any], model: Model) -> list[Shown]:
    """The screens of a view without faults, in the order in which a visitor may meet them."""
    if model.screen == "paper":
        return [Shown("question", "ask", {"page": "rest"}, 0)]
    if model.screen == "touch":
        return list(_touch(view))
    return []


def without_set(model: Model) -> list[Shown]:
    """The calm screens that a kiosk shows whatever its set."""
    pages = WITHOUT_SET if model.screen == "touch" else WITHOUT_SET[1:] if model.screen == "paper" else ()
    return [Shown(page, page, {"page": page}) for page in pages]


def _touch(view: dict[str, Any]) -> Iterator[Shown]:
    visitor = view["flows"][0]
    kinds = [flow["kind"] for flow in view["flows"][1:]]
    first = visitor["ask"][0]
    yield Shown("rest", "rest", {"page": "rest", "question": first, "kinds": kinds}, first)
    counted = False
    for place, (step, steps) in _steps(view).items():
        question = view["questions"][place]
        scene = {
            "page": "ask", "question": place, "step": step, "steps": steps, "back": step > 1, "leave": step > 1,
        }  # fmt: skip
        if question["type"] == "text":
            scene |= {"page": "text", "text": "", "caps": True} | _code()
            yield Shown(f"text-{place}", "text", scene, place)
            yield Shown(f"written-{place}", "written", scene | {"text": _WRITTEN * 3, "caps": False}, place)
            continue
        yield Shown(f"ask-{place}", "ask", scene, place)
        chosen = 0b11 if question.get("several") else _answers(question) // 2
        yield Shown(f"chosen-{place}", "chosen", scene | {"chosen": chosen}, place)
        if not counted:
            counted = True
            yield Shown(f"countdown-{place}", "countdown", scene | {"left": COUNTDOWN_S}, place)
    yield Shown("phone", "phone", {"page": "phone", "back": True, "leave": True} | _code())
    yield Shown("thanks", "thanks", {"page": "thanks", "leave": True} | _code())


def _steps(view: dict[str, Any]) -> dict[int, tuple[int, int]]:
    """{place in the list: (step, steps)} of every question, in the flow that asks it first."""
    found: dict[int, tuple[int, int]] = {}
    for flow in view["flows"]:
        taken = [entry["take"] if isinstance(entry, dict) else 1 for entry in flow["ask"]]
        for number, entry in enumerate(flow["ask"]):
            places = entry["rotate"] if isinstance(entry, dict) else [entry]
            for index, place in enumerate(places):
                step = sum(taken[:number]) + 1 + min(index, taken[number] - 1)
                found.setdefault(place, (step, sum(taken)))
    return found


def _answers(question: dict[str, Any]) -> int:
    return 11 if question["type"] == "nps" else len(next(iter(question["labels"].values())))


def _code() -> dict[str, Any]:
    """An address and a pattern of the size of its code: three corners and a regular inside. Nobody can read it, and
    the place's real one stands on its kiosk."""
    rows = []
    for y in range(QR_CELLS):
        bits = 0
        for x in range(QR_CELLS):
            bits = bits << 1 | _cell(x, y)
        rows.append(bits)
    return {"qr": "https://", "qr_rows": rows}


def pretended_code() -> dict[str, Any]:
    """The same, as a kiosk's settings hold it."""
    code = _code()
    return {"text": code["qr"], "rows": code["qr_rows"]}


def _cell(x: int, y: int) -> bool:
    for left, top in ((0, 0), (QR_CELLS - 7, 0), (0, QR_CELLS - 7)):
        if left - 1 <= x <= left + 7 and top - 1 <= y <= top + 7:
            ring = max(abs(x - left - 3), abs(y - top - 3))
            return ring in (0, 1, 3)
    return (x * 5 + y * 3 + x * y) % 4 < 2

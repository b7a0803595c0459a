"""Every screen of the ready question sets, as scenes: the questions asked and resting, and what surrounds them.

Knows no pixel. Invariant: a question that several sets ask is one screen; a name stands for one scene for good.
"""

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

from fleet_server.questions.national import national_sets
from fleet_server.questions.views import view

MODES = ("contrast", "large", "low")
COMBINATIONS = [chosen for count in range(4) for chosen in combinations(MODES, count)]
LANGUAGES = ("fi", "sv", "en")
STATES = ("out", "full", "wait", "start")
ADDRESS = "https://palaute.hyvaalue.fi/p/4K7Q"
# 29 cells wide, as the code of such an address is. These cells are no code: nobody scans them.
QR_ROWS = [0x1FC0_07F ^ row * 0x9E37_79B & 0x1FFF_FFFF for row in range(29)]
SAID_SETS = (7, 9)  # a long question, and one with two rows of buttons around it
NOTE = {
    "id": 1,
    "until": None,
    "fi": (
        "Odotusaika vastaanotolle oli liian pitkä.",
        "Avasimme toisen ilmoittautumispisteen. Jonossa odotetaan nyt enintään 10 minuuttia.",
    ),
    "sv": (
        "Väntetiden till mottagningen var för lång.",
        "Vi öppnade en andra anmälningspunkt. I kön väntar man nu högst 10 minuter.",
    ),
    "en": ("The signs were confusing.", "New signs are up."),
}
WRITTEN = (
    "Hoitaja oli ystävällinen ja kuunteli rauhassa. "
    "Odotin kuitenkin lääkäriä yli tunnin, eikä kukaan kertonut syytä"
)


@dataclass(frozen=True)
class Screen:
    """One screen to look at."""

    name: str
    scene: dict[str, Any]
    view: dict[str, Any] | None

    @property
    def languages(self) -> tuple[str, ...]:
        """Those in which it differs: a screen without a set shows all at once."""
        return LANGUAGES if self.view else LANGUAGES[:1]


@cache
def screens() -> tuple[Screen, ...]:
    """All of them, each name once."""
    found: dict[str, Screen] = {}

    def add(name: str, view: dict[str, Any] | None, **scene: Any) -> None:
        found.setdefault(name, Screen(name, scene, view))

    for body in national_sets():
        seen = view(body, "touch")
        codes = [question["code"] for question in seen["questions"]]
        flows = {flow["kind"]: flow["ask"] for flow in seen["flows"]}
        kinds = [kind for kind in flows if kind != seen["flows"][0]["kind"]]
        first = _first(seen["flows"][0]["ask"])
        add(
            "-".join(["rest", codes[first], *kinds]),
            seen,
            page="rest",
            question=first,
            step=1,
            steps=5,
            kinds=kinds,
        )
        for index, question in enumerate(seen["questions"]):
            code = question["code"]
            on_way = {"question": index, "step": 2, "steps": 5, "back": True, "leave": True}
            if question["type"] == "text":
                add(f"text-{code}", seen, page="text", text="", qr=ADDRESS, qr_rows=QR_ROWS, **on_way)
            else:
                add(f"ask-{code}", seen, page="ask", **on_way)
    _around(view(next(body for body in national_sets() if body["number"] == 7), "touch"), add)
    for state in STATES:
        add(state, None, page=state)
    for body in national_sets():
        if body["number"] in SAID_SETS:
            seen = view(body, "touch")
            first = _first(seen["flows"][0]["ask"])
            kinds = [flow["kind"] for flow in seen["flows"][1:]]
            name = "-".join(["said", seen["questions"][first]["code"], *kinds])
            add(name, seen, page="rest", question=first, kinds=kinds, said=NOTE)
    return tuple(found.values())


def _around(seen: dict[str, Any], add: Any) -> None:
    """What is shown of a question while it is answered, and what follows."""
    at = {question["code"]: index for index, question in enumerate(seen["questions"])}
    way = {"step": 3, "steps": 6, "back": True, "leave": True}
    several = {**seen, "questions": [*seen["questions"], _several()]}
    add("first", seen, page="ask", question=at["K1"], step=1, steps=5, leave=False)
    add("chosen-agree5", seen, page="ask", question=at["K2"], chosen=1, **way)
    add("chosen-cant-say", seen, page="ask", question=at["K1"], chosen=-1, **way)
    add("chosen-nps", seen, page="ask", question=at["NPS"], chosen=8, **way)
    add("chosen-pei", seen, page="ask", question=at["PEI-H"], chosen=0, **way)
    add("several", several, page="ask", question=len(at), **way)
    add("several-chosen", several, page="ask", question=len(at), chosen=0b100101, **way)
    text: dict[str, Any] = {"page": "text", "question": at["OPEN"], **way, "qr": ADDRESS, "qr_rows": QR_ROWS}
    add("written", seen, text=WRITTEN, caps=False, layer=0, **text)
    add("written-sami", seen, text="Giitu", caps=True, layer=1, **text)
    add("written-digits", seen, text="Klo 9", caps=False, layer=2, **text)
    add("ends-agree5", seen, page="ask", question=at["K2"], left=7, **way)
    add("ends-nps", seen, page="ask", question=at["NPS"], left=10, **way)
    add("ends-text", seen, text="Hyvä", left=1, **text)
    add("phone", seen, page="phone", back=True, leave=True, qr=ADDRESS, qr_rows=QR_ROWS)
    add("ends-phone", seen, page="phone", back=True, left=3, qr=ADDRESS, qr_rows=QR_ROWS)
    add("thanks", seen, page="thanks")
    add("thanks-phone", seen, page="thanks", qr=ADDRESS, qr_rows=QR_ROWS)


def _several() -> dict[str, Any]:
    """No ready set has one of six options with several answers."""
    return {
        "code": "SEVERAL",
        "type": "choice",
        "several": True,
        "position": 19,
        "text": {
            "fi": "Mikä onnistui käynnilläsi hyvin?",
            "sv": "Vad lyckades bra under ditt besök?",
            "en": "What went well during your visit?",
        },
        "labels": {
            "fi": ["Ajan saaminen", "Odottaminen", "Kohtaaminen", "Hoito", "Tiedon saanti", "Tilat"],
            "sv": ["Tidsbokningen", "Väntetiden", "Bemötandet", "Vården", "Informationen", "Lokalerna"],
            "en": [
                "Getting an appointment",
                "Waiting time",
                "How I was met",
                "Care",
                "Information",
                "Premises",
            ],
        },
    }


def _first(ask: list[Any]) -> int:
    first: int = ask[0] if isinstance(ask[0], int) else ask[0]["rotate"][0]
    return first

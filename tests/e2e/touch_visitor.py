"""A visitor at a virtual touch kiosk: touches what the kiosk says is there, and remembers what it answered.

It reads no pixel and no code of the kiosk; the question set comes from the server's view.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from provisioning.virtual.client import VirtualKiosk

SOON_S = 15
QUIET_S = 0.4
SKIPPED = 1
FIRST_VALUES = {"agree5": 5, "pei": 2}


class Touched(NamedTuple):
    """What a record must say: the question's place in the whole set, the language, the value, flags and text."""

    position: int
    language: int
    value: int
    flags: int = 0
    body: bytes = b""


class Visitor:
    """`view`: the set as the kiosk has it. `touched`: every answer so far, in order, over all visits."""

    def __init__(self, kiosk: VirtualKiosk, view: dict[str, Any]) -> None:
        self.touched: list[Touched] = []
        self._kiosk = kiosk
        self._questions = view["questions"]

    def until(
        self, true: Callable[[dict[str, Any]], bool], what: str, within_s: float = SOON_S
    ) -> dict[str, Any]:
        """What the kiosk shows once it is as wished."""
        end = time.monotonic() + within_s
        while True:
            show: dict[str, Any] = self._kiosk.status()["show"]
            if true(show):
                return show
            assert time.monotonic() < end, f"not within {within_s} s: {what}; shown: {show}"
            time.sleep(0.03)

    def arrive(self) -> dict[str, Any]:
        """Come to a kiosk at rest."""
        return self.until(lambda show: show.get("page") == "rest", "the resting screen")

    def asked(self) -> dict[str, Any]:
        """The question on the screen."""
        show = self.until(lambda show: show.get("page") in ("rest", "ask", "text"), "a question")
        question: dict[str, Any] = self._questions[show["question"]]
        return question

    def answer(self, index: int) -> None:
        """Touch an answer and see the next page."""
        question = self.asked()
        if index == -1:
            value = 255
        elif question["type"] == "choice":
            value = 1 << index
        elif question["type"] == "nps":
            value = index
        else:
            value = FIRST_VALUES[question["type"]] - index
        self._note(question, value)
        self.go("answer", index)

    def skip(self) -> None:
        """Skip a question after others were answered: that leaves a record without an opinion."""
        self._note(self.asked(), 255, SKIPPED)
        self.go("skip")

    def write(self, text: str, done: bool = True) -> None:
        """Type a text key by key, and be done, unless one stays."""
        question = self.asked()
        assert question["type"] == "text", (question["code"], self.touched)
        for letter in text:
            self._find(letter)
            self.touch("key", letter)
            if letter.isupper():  # the keyboard goes back to small letters by itself
                self.until(lambda _show, seen=letter: not self._there("key", seen), "small letters")
        self._note(question, 0, body=text.encode())
        if done:
            self.go("next")

    def go(self, *action: Any) -> None:
        """Touch what leads to another page, again if nothing comes: the countdown may have taken its place."""
        before = _page(self._kiosk.status()["show"])
        end = time.monotonic() + 2 * SOON_S
        while True:
            self.touch(*action)
            if _page(self._kiosk.status()["show"]) != before:
                return
            assert time.monotonic() < end, f"no other page after {action}"

    def _note(self, question: dict[str, Any], value: int, flags: int = 0, body: bytes = b"") -> None:
        language = self._kiosk.status()["show"]["language"]
        self.touched.append(Touched(question["position"], language, value, flags, body))

    def _find(self, letter: str) -> None:
        """Turn to the layer that has a letter, and to capitals or back, as one who reads the keys."""
        for layer in (1, 2, 0):
            if self._there("key", letter) or self._there("key", letter.swapcase()):
                break
            if self._there("layer", layer):
                self._turn("layer", layer)
        if not self._there("key", letter):
            self._turn("caps")

    def _turn(self, *action: Any) -> None:
        before = self._kiosk.status()["show"]["targets"]
        self.touch(*action)
        self.until(lambda show: show["targets"] != before, f"other keys after {action}")

    def _there(self, *action: Any) -> bool:
        return any(tuple(row[:-4]) == action for row in self._kiosk.status()["show"].get("targets", []))

    def touch(self, *action: Any) -> None:
        """A finger in the middle of a target, and what it changed is drawn."""
        show = self.until(lambda _show: self._there(*action), f"{action} on the screen")
        x, y, width, height = next(row[-4:] for row in show["targets"] if tuple(row[:-4]) == action)
        before = self._kiosk.status()["frame"]
        self._kiosk.touch(x + width // 2, y + height // 2, ms=80)
        end = time.monotonic() + SOON_S
        while self._kiosk.status()["frame"] == before:
            assert time.monotonic() < end, f"nothing was drawn after {action}"
            time.sleep(0.02)
        self._settled()

    def _settled(self) -> None:
        """Nothing is drawn and nothing new told for as long as a finger needs to get elsewhere."""
        seen, since = None, 0.0
        while seen is None or time.monotonic() - since < QUIET_S:
            status = self._kiosk.status()
            now = (status["frame"], status["show"])
            if now != seen:
                seen, since = now, time.monotonic()
            time.sleep(0.03)


def _page(show: dict[str, Any]) -> tuple[Any, ...]:
    return show.get("page"), show.get("question"), show.get("language")

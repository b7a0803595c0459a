"""Simulated patients at a touch kiosk touch what it tells to be there, as often as the published figures say."""

import asyncio
import json
import random
from importlib.resources import files
from typing import Any

import pytest

from fleet_server.demo.toucher import Toucher
from fleet_server.questions.national import national_sets
from fleet_server.questions.views import view
from fleet_server.screens.targets import name_of, targets_of

HABITS = json.loads(files("fleet_server.demo").joinpath("patients.json").read_text("utf-8"))
VIEW = view(next(body for body in national_sets() if body["number"] == 7), "touch")
CODES = [question["code"] for question in VIEW["questions"]]
WAY = ("NPS", "K1", "PEI-H", "KTI", "OPEN")
KEYS = "abcdefghijklmnopqrstuvwxyzåäö ,."


class Kiosk:
    """Tells targets side by side and turns the page as a touch kiosk does; `given` is what was touched, in order."""

    def __init__(self) -> None:
        self.given: list[tuple[Any, ...]] = []
        self.touches: list[dict[str, Any]] = []
        self.caps = True
        self.language = 0
        self.step = 0

    async def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        if do == "status":
            return {"show": self.show()}
        assert do == "touch"
        self.touches.append(fields)
        hit = [row for row in self.show()["targets"] if row[-4] <= fields["x"] < row[-4] + row[-2]]
        assert len(hit) == 1, "a touch beside every target"
        self.take(*hit[0][:-4])
        return {}

    def take(self, what: str, value: Any = None) -> None:
        if what == "caps":
            self.caps = not self.caps
            return
        if what == "language":
            self.language = value
            return
        self.given.append((what, value))
        if what == "key":
            self.caps = False
        else:
            self.step = len(WAY) if what == "leave" else self.step + 1

    def show(self) -> dict[str, Any]:
        if self.step >= len(WAY):
            return {"page": "thanks", "language": self.language, "targets": []}
        code = WAY[self.step]
        question = VIEW["questions"][CODES.index(code)]
        actions: list[list[Any]] = [["language", 1], ["language", 2], ["skip"], ["leave"]]
        if question["type"] == "text":
            keys = KEYS.upper() if self.caps else KEYS
            actions += [["next"], ["caps"], *(["key", key] for key in keys)]
        else:
            count = 11 if question["type"] == "nps" else len(question["labels"]["fi"])
            actions += [["answer", index] for index in range(count)]
            if question.get("cant_say"):
                actions.append(["answer", -1])
        page = "rest" if self.step == 0 else "text" if question["type"] == "text" else "ask"
        targets = [[*action, 10 * index, 5, 10, 10] for index, action in enumerate(actions)]
        return {
            "page": page,
            "question": CODES.index(code),
            "language": self.language,
            "targets": targets,
        }


def visits(count: int, seed: int = 3, alone: Any = lambda: True, **habits: Any) -> list[Kiosk]:
    async def question_of(index: int) -> dict[str, Any]:
        return VIEW["questions"][index]

    async def pause(_s: float) -> None:
        return

    chance = random.Random(seed)
    kiosks = [Kiosk() for _ in range(count)]
    for kiosk in kiosks:
        toucher = Toucher(kiosk, question_of, {**HABITS, **habits}, alone, chance, pause)
        asyncio.run(toucher.visit())
    return kiosks


def test_answers_follow_the_published_recommendation() -> None:
    kiosks = visits(3000, writes=0)
    given = [kiosk.given[0][1] for kiosk in kiosks]
    promoters = sum(value >= 9 for value in given)
    detractors = sum(value <= 6 for value in given)
    assert (promoters - detractors) / len(given) * 100 == pytest.approx(71, abs=3)
    early = sum(kiosk.step < len(WAY) or kiosk.given[-1][0] == "leave" for kiosk in kiosks)
    assert early / len(kiosks) == pytest.approx(1 - (1 - HABITS["leaves"]) ** 4, abs=0.03)


def test_every_touch_is_flagged_simulated_and_lies_within_one_target() -> None:
    touches = [touch for kiosk in visits(50) for touch in kiosk.touches]
    assert len(touches) > 150
    assert all(touch["simulated"] is True for touch in touches)


def test_about_a_third_write_one_of_the_harmless_texts_in_their_language() -> None:
    kiosks = visits(300, leaves=0)
    written = []
    for kiosk in kiosks:
        text = "".join(value for what, value in kiosk.given if what == "key")
        if text:
            written.append(text)
            language = HABITS["language_order"][kiosk.language]
            wanted = [
                "".join(one for one in text if one.lower() in KEYS) for text in HABITS["texts"][language]
            ]
            assert text in wanted, "letters that this keyboard lacks are left out, all others are right"
    assert len(written) / len(kiosks) == pytest.approx(HABITS["writes"], abs=0.08)
    languages = [kiosk.language for kiosk in kiosks]
    assert languages.count(0) / len(languages) == pytest.approx(0.8, abs=0.08)


def test_who_is_not_alone_walks_away_without_a_touch() -> None:
    (kiosk,) = visits(1, alone=lambda: False, languages={"fi": 1})
    assert kiosk.touches == []


def test_a_kiosk_that_is_not_at_rest_is_left_alone() -> None:
    kiosk = Kiosk()
    kiosk.step = 2

    async def question_of(_index: int) -> None:
        return None

    asyncio.run(Toucher(kiosk, question_of, HABITS, lambda: True, random.Random(1)).visit())
    assert kiosk.touches == []


def test_targets_have_words_and_what_is_none_is_left_out() -> None:
    show = {
        "targets": [
            ["answer", 1, 100, 50, 40, 40],
            ["answer", -1, 10, 90, 40, 40],
            ["language", 1, 5, 5, 40, 40],
            ["key", "š", 200, 50, 40, 40],
            ["skip", 300, 50, 0, 40],
            ["skip", 300, 50, 40],
            "skip",
            [1, 2, 3, 4, 5],
        ]
    }
    names = [name_of(target, VIEW, CODES.index("PEI-H"), "en") for target in targets_of(show)]
    better = VIEW["questions"][CODES.index("PEI-H")]["labels"]["en"][1]
    assert names == ["Svenska", better, "š", "Can't say"]
    assert [target.middle for target in targets_of(show)][1] == (120, 70)
    assert targets_of({}) == targets_of({"targets": 5}) == []

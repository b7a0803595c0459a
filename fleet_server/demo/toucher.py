"""A simulated patient at a touch kiosk: reads what the kiosk tells to be touchable, thinks, touches, sometimes leaves.

It knows no layout and no rule of a question set: it touches targets by their actions, as people touch what they see.
Every touch is flagged simulated.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from fleet_server.screens.targets import Target, targets_of
from provisioning.virtual.client import VirtualKiosk

PRESS_MS = 120
_MOST_PAGES = 20  # whatever a set asks, nobody stays longer
_LOOK_S = 0.25  # between two looks at the screen
_PATIENCE_S = 6.0  # for the next page
_THINK_S = (1.5, 4.0)
_KEY_S = (0.25, 0.6)  # from key to key
_ANSWER_PAGES = ("rest", "ask")

QuestionOf = Callable[[int], Awaitable[dict[str, Any] | None]]


class Toucher:
    """One visit after another at one kiosk.

    question_of: index in the set that the kiosk runs -> its question. habits: patients.json. alone: whether nobody
    else is trying the kiosk; `pause` is asyncio.sleep, or a test's.
    """

    def __init__(
        self,
        kiosk: VirtualKiosk,
        question_of: QuestionOf,
        habits: dict[str, Any],
        alone: Callable[[], bool],
        chance: random.Random,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._kiosk = kiosk
        self._question_of = question_of
        self._habits = habits
        self._alone = alone
        self._chance = chance
        self._pause = pause

    async def visit(self) -> None:
        """Come by, answer as far as one likes, go. Raises ProvisioningError when the kiosk cannot be touched."""
        show = await self._look()
        if show.get("page") != "rest":
            return  # out of order, being cleaned, or somebody stands there
        language = self._pick(self._habits["languages"])
        show = await self._speak(show, language)
        for _ in range(_MOST_PAGES):
            page = show.get("page")
            if page not in (*_ANSWER_PAGES, "text") or not self._alone():
                return
            if page != "rest" and self._chance.random() < self._habits["leaves"]:
                await self._leave(show)
                return
            await self._pause(self._chance.uniform(*_THINK_S))
            if page == "text":
                await self._write(show, language)
            else:
                await self._answer(show)
            show = await self._next_page(show)

    async def _speak(self, show: dict[str, Any], language: str) -> dict[str, Any]:
        """Choose one's language when the kiosk does not speak it already."""
        index = self._habits["language_order"].index(language)
        if index == show.get("language", 0) or not await self._touch(show, ("language", index)):
            return show
        return await self._next_page(show)

    async def _answer(self, show: dict[str, Any]) -> None:
        index = show.get("question")
        question = await self._question_of(index) if isinstance(index, int) else None
        offered = [target for target in targets_of(show) if target.action[0] in ("answer", "toggle")]
        if not offered:
            await self._touch(show, ("skip",))
            return
        target = self._choose(question, offered)
        await self._put(target)
        if target.action[0] == "toggle":
            await self._pause(self._chance.uniform(*_KEY_S))
            await self._touch(await self._look(), ("next",))

    def _choose(self, question: dict[str, Any] | None, offered: list[Target]) -> Target:
        """By the published shares for this question, as far as its answers are among those offered."""
        shares = self.shares_of(question)
        weights = []
        for target in offered:
            value = target.action[1]
            if value < 0:
                weights.append(shares["cant_say"])
            else:
                weights.append(shares["answers"][value] if value < len(shares["answers"]) else 1.0)
        if not any(weights):
            return self._chance.choice(offered)
        return self._chance.choices(offered, weights)[0]

    def shares_of(self, question: dict[str, Any] | None) -> dict[str, Any]:
        """{"answers": share of each answer in the order of the screen, "cant_say": share}."""
        habits = self._habits
        if question is None:
            return {"answers": [], "cant_say": 0.0}
        code, kind = question["code"].partition("-")[0], question["type"]
        for key in (code, kind):
            if key in habits["touch"]:
                answers = habits["touch"][key]
                return {"answers": answers[:-1], "cant_say": answers[-1]}
        if kind in ("agree5", "smiley5"):
            shares = habits["shares"].get(code, habits["shares"]["default"])
            return {"answers": shares, "cant_say": habits["cant_say"] if kind == "agree5" else 0.0}
        return {"answers": [], "cant_say": 0.0}

    async def _write(self, show: dict[str, Any], language: str) -> None:
        """About a third write a few words; the others go on."""
        if self._chance.random() >= self._habits["writes"]:
            await self._touch(show, ("skip",))
            return
        for letter in self._chance.choice(self._habits["texts"][language]):
            if not self._alone():
                return
            await self._type(letter)
            await self._pause(self._chance.uniform(*_KEY_S))
        await self._touch(await self._look(), ("next",))

    async def _type(self, letter: str) -> None:
        """Find the key, on another layer or with capitals if need be; a letter that has none is left out."""
        for turn in (None, ("caps",), ("layer", 1), ("layer", 2), ("layer", 0)):
            show = await self._look()
            if turn and not await self._touch(show, turn):
                continue
            if turn:
                await self._pause(self._chance.uniform(*_KEY_S))
                show = await self._look()
            if await self._touch(show, ("key", letter)):
                return

    async def _leave(self, show: dict[str, Any]) -> None:
        """Some say so, others just walk away and the kiosk counts what they gave."""
        if self._chance.random() < 0.5:
            await self._touch(show, ("leave",))

    async def _next_page(self, before: dict[str, Any]) -> dict[str, Any]:
        """What is shown once it is something else; the same when nothing comes."""
        waited = 0.0
        while waited < _PATIENCE_S:
            await self._pause(_LOOK_S)
            waited += _LOOK_S
            show = await self._look()
            if _page_of(show) != _page_of(before):
                return show
        return {}

    async def _touch(self, show: dict[str, Any], action: tuple[Any, ...]) -> bool:
        """Touch the target with this action; False when there is none."""
        for target in targets_of(show):
            if target.action == action:
                await self._put(target)
                return True
        return False

    async def _put(self, target: Target) -> None:
        """A finger somewhere in the middle half of a target: nobody aims at the very centre."""
        x = target.x + int(target.width * self._chance.uniform(0.25, 0.75))
        y = target.y + int(target.height * self._chance.uniform(0.25, 0.75))
        await self._kiosk.ask("touch", x=x, y=y, ms=PRESS_MS, simulated=True)

    async def _look(self) -> dict[str, Any]:
        status = await self._kiosk.ask("status")
        show: dict[str, Any] = status.get("show") or {}
        return show

    def _pick(self, weights: dict[str, float]) -> str:
        return self._chance.choices(list(weights), list(weights.values()))[0]


def _page_of(show: dict[str, Any]) -> tuple[Any, ...]:
    return show.get("page"), show.get("question"), show.get("language")

"""Many boards at once: all looked at, paired with their images, written; a process and a bar each.

Knows no command line and no plan. Invariant: a board that got no image was not written to, and runs again.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from provisioning import flashing
from provisioning.bars import Bars, Tell
from provisioning.board_reader import Line
from provisioning.dumps import Dumps
from provisioning.errors import ProvisioningError
from provisioning.esp_tool import LADDER, Rung
from provisioning.flash_plan import Looked, Pair
from provisioning.flashing import Harvest, Outcome, flash_board
from provisioning.ports import Port

SIGNS = {"written": "written and verified", "already": "held it already", "failed": "failed"}


@dataclass(frozen=True)
class Talk:
    """How boards are talked to. pause_s: before another try; attempts: knocks in each; ladder: from fast to sure."""

    pause_s: float = 1.5  # a USB port that was reset is there again after a second
    attempts: int = 7
    ladder: tuple[Rung, ...] = LADDER


TALK = Talk()


@dataclass(frozen=True)
class Guard:
    """What is done about answers in a journal. even_if_answers_wait: they are lost; harvest: they are handed over."""

    dumps: Dumps
    even_if_answers_wait: bool = False
    harvest: Harvest | None = None


async def flash_all(
    there: Sequence[Port],
    pair: Callable[[Sequence[Looked]], list[Pair]],
    guard: Guard,
    *,
    name_of: Callable[[Pair], str] = lambda pair: pair.image.id,
    done: Callable[[Pair, Outcome], None] = lambda pair, outcome: None,
    quiet: bool = False,
    talk: Talk | None = None,
) -> list[Outcome]:
    """Looks at all boards, pairs them with images, and writes. `pair`: may ask a person, and raises when nothing is to
    be written. `done`: hears of each board as soon as it is over.
    """
    talk = talk or TALK

    async def pause() -> None:
        await asyncio.sleep(talk.pause_s)

    lines = {one.device: Line(one, pause, talk.attempts, talk.ladder) for one in there}
    with Bars(quiet, passing=True) as bars:
        looked = await asyncio.gather(*(_look(lines[one.device], bars.teller(one.title)) for one in there))
    touched: set[str] = set()
    try:
        pairs = pair(looked)
        touched = {one.port.device for one in pairs}
    finally:
        idle = [one for one in looked if one.port.device not in touched]
        await asyncio.gather(*(flashing.let_run(lines[one.port.device]) for one in idle))

    async def write(one: Pair, tell: Tell) -> Outcome:
        outcome = await _flash(one, lines[one.port.device], tell, guard)
        done(one, outcome)
        return outcome

    with Bars(quiet) as bars:
        titled = [(one, bars.teller(f"{one.port.title} {name_of(one)}".strip())) for one in pairs]
        return await asyncio.gather(*(write(*one) for one in titled))


async def _look(line: Line, tell: Tell) -> Looked:
    try:
        return Looked(line.port, await flashing.look(line, tell))
    except ProvisioningError as error:
        return Looked(line.port, None, str(error))


async def _flash(pair: Pair, line: Line, tell: Tell, guard: Guard) -> Outcome:
    outcome = Outcome(pair.port, pair.image.id)
    if pair.found is None:
        outcome.reason = pair.why
        outcome.tried = list(line.tried)
    else:
        outcome.mac, outcome.was = pair.found.facts.mac, pair.found.id
        await flash_board(
            line,
            pair.found,
            pair.image,
            outcome,
            tell,
            guard.dumps,
            guard.even_if_answers_wait,
            guard.harvest,
        )
    tell(SIGNS[outcome.state], None if outcome.state == "failed" else 1.0)
    return outcome

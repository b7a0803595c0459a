"""The step of a plan that writes images to boards over USB: as many as are plugged in, the others are left for later.

Knows no server. Invariant: a board that is a device of this plan already is never given to another one.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from provisioning import ports
from provisioning.errors import ProvisioningError
from provisioning.field.provision import Job
from provisioning.field.say import Say
from provisioning.flash_plan import Looked, Pair, Wish, pair_wished
from provisioning.flashing import Outcome, open_image
from provisioning.many_boards import SIGNS, Guard, flash_all
from provisioning.ports import Port

Agree = Callable[[Sequence[Pair]], None]


@dataclass(frozen=True)
class Boards:
    """How boards are written. `agree`: asks before boards that nobody named are written to, and raises on a no."""

    guard: Guard
    agree: Agree | None = None
    quiet: bool = False

    def write(
        self, jobs: Sequence[Job], others: Mapping[str, str], taken: Sequence[str], say: Say
    ) -> list[tuple[Job, str]]:
        """Bring each job's image onto its board; what came onto one is recorded at once.

        others: id -> name of devices whose boards are left alone; taken: names of sockets where such boards are.
        Returns the jobs that are left, each with why.
        """
        left: list[tuple[Job, str]] = []
        todo: list[tuple[Job, Wish]] = []
        used: dict[Port, str] = {}
        for job in jobs:
            try:
                port = _port(job, used)
                todo.append((job, Wish(open_image(_image(job)), port)))
            except (ProvisioningError, OSError) as error:
                left.append((job, str(error)))
        if not todo:
            return left
        of = {wish.image.id: job for job, wish in todo}
        named = [wish.port for _, wish in todo if wish.port is not None]
        loose = any(wish.port is None for _, wish in todo)
        found = [
            port
            for port in (ports.find() if loose else ())
            if port not in named and not {port.device, port.location, port.serial}.intersection(taken)
        ]
        if named or found:
            say.doing(f"looking at {_count(named + found)}")

        def pair(looked: Sequence[Looked]) -> list[Pair]:
            pairs, missing = pair_wished(looked, [wish for _, wish in todo], others)
            left.extend((of[wish.image.id], why) for wish, why in missing)
            guessed = [one for one in pairs if one.port not in named]
            if guessed and self.agree:
                self.agree(guessed)
            return pairs

        def done(one: Pair, outcome: Outcome) -> None:
            job = of[one.image.id]
            if outcome.state == "failed":
                left.append((job, f"{one.port.title}: {outcome.reason}"))
                return
            job.progress.flashed, job.progress.mac = one.port.title, outcome.mac
            job.save()

        outcomes = asyncio.run(
            flash_all(
                [*named, *found], pair, self.guard, name_of=lambda one: of[one.image.id].wanted.name, done=done,
                quiet=self.quiet,
            )
        )  # fmt: skip
        for outcome in outcomes:
            if outcome.state != "failed":
                name = of[outcome.id].wanted.name
                say.done(f"{outcome.port.title} {outcome.mac}: {SIGNS[outcome.state]}", name)
                if outcome.by_hand:
                    say.hint(f"by hand: {outcome.by_hand}", name)
        return left


def _port(job: Job, used: dict[Port, str]) -> Port | None:
    """The port that the plan names for it. Raises ProvisioningError for one that is not there, or another line's."""
    if not job.wanted.usb:
        return None
    (port,) = ports.chosen([job.wanted.usb])
    if port in used:
        raise ProvisioningError(f"usb {job.wanted.usb}: {used[port]} has that board; name another one")
    used[port] = job.wanted.name
    return port


def _count(boards: list[Port]) -> str:
    return "1 board" if len(boards) == 1 else f"{len(boards)} boards"


def _image(job: Job) -> Path:
    path = getattr(job.target, "path", None)
    assert isinstance(path, Path), "flashing is for images"
    return path

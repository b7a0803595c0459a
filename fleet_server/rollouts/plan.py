"""What a coordinator decides of a rollout before it begins: its stages with their waiting times, and its stop rule.

It knows no database. Invariant: the last stage takes all that are left, so that no kiosk is forgotten; and each place
belongs to one stage, with all of its kiosks.
"""

import hashlib
import json
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any, TypeVar

from fleet_server.instants import DAY_MS, MINUTE_MS
from fleet_server.refusals import N_, Faults

MOST_STAGES = 6
MOST_WAIT_MIN = 60 * 24 * 60  # sixty days: whoever wants to wait longer wants another rollout

Group = TypeVar("Group", bound=Hashable)


@dataclass(frozen=True)
class Stage:
    """`kind`: `places` (a number of them), `share` (per cent of all places, those of earlier stages included), `all`.

    `wait_min`: how long it is watched before the next one begins.
    """

    kind: str
    count: int
    wait_min: int

    @property
    def wait_ms(self) -> int:
        """The same in ms."""
        return self.wait_min * MINUTE_MS

    def as_json(self) -> dict[str, Any]:
        """As it is kept, and as `read_stages` takes it."""
        return {self.kind: True if self.kind == "all" else self.count, "wait_min": self.wait_min}


@dataclass(frozen=True)
class StopRule:
    """What halts a rollout, each in per cent; None: does not. See rollouts/stop_rule.py.

    refused: of the kiosks that were wished it, so many refused. silent: so many of those that were here fell silent.
    presses: so much less than these places usually have. completion: so much smaller is the share of visits that were
    answered to their end.
    """

    refused: int | None = 5
    silent: int | None = 10
    presses: int | None = 50
    completion: int | None = 30

    def as_json(self) -> dict[str, int | None]:
        """As it is kept, and as `read_stop_rule` takes it."""
        return asdict(self)

    def without(self, kinds: Sequence[str]) -> "StopRule":
        """The rule with these kinds switched off."""
        return StopRule(**{**asdict(self), **dict.fromkeys(kinds, None)})


AT_ONCE = (Stage("all", 0, 0),)
USUAL = (
    Stage("places", 3, DAY_MS // MINUTE_MS),
    Stage("share", 25, DAY_MS // MINUTE_MS),
    Stage("all", 0, DAY_MS // MINUTE_MS),
)


def read_stages(typed: Any) -> tuple[Stage, ...]:
    """The stages of `[{"places": 3, "wait_min": 1440}, {"share": 25, …}, {"all": true, …}]`. Raises Refused."""
    faults = Faults()
    rows = typed if isinstance(typed, list) else []
    if not 1 <= len(rows) <= MOST_STAGES:
        faults.add(
            "stages",
            N_("These are %(count)s stages; 1 to %(most)s can be."),
            count=len(rows),
            most=MOST_STAGES,
        )
    stages = []
    for number, row in enumerate(rows, 1):
        kinds = [kind for kind in ("places", "share", "all") if isinstance(row, dict) and kind in row]
        if len(kinds) != 1:
            text = N_("Stage %(number)s must say one of: how many places, which share, or all.")
            faults.add("stages", text, number=number)
            continue
        kind, count = kinds[0], row[kinds[0]]
        if kind == "all":
            count = 0
        most = 100 if kind == "share" else 100_000
        if type(count) is not int or not (kind == "all" or 1 <= count <= most):
            text = N_("Stage %(number)s: “%(value)s” is not a whole number from 1 to %(most)s.")
            faults.add("stages", text, number=number, value=str(count), most=most)
            continue
        wait = row.get("wait_min", 0)
        if type(wait) is not int or not 0 <= wait <= MOST_WAIT_MIN:
            text = N_("Stage %(number)s: it cannot wait “%(value)s” minutes, at most %(most)s.")
            faults.add("stages", text, number=number, value=str(wait), most=MOST_WAIT_MIN)
            continue
        stages.append(Stage(kind, count, wait))
    if (
        stages
        and not faults.found
        and (stages[-1].kind != "all" or any(one.kind == "all" for one in stages[:-1]))
    ):
        faults.add("stages", N_("The last stage, and only that, takes all places that are left."))
    faults.check()
    return tuple(stages)


def read_stop_rule(typed: Any) -> StopRule:
    """The rule of `{"refused": 5, "silent": null, …}`; what is left out does not halt. Raises Refused."""
    faults = Faults()
    found: dict[str, int | None] = {}
    for kind in asdict(StopRule()):
        value = typed.get(kind) if isinstance(typed, dict) else None
        if value is not None and (type(value) is not int or not 1 <= value <= 100):
            faults.add(
                kind, N_("“%(value)s” is not a whole number from 1 to 100, or empty."), value=str(value)
            )
            continue
        found[kind] = value
    faults.check()
    return StopRule(**found)


def stages_of(kept: str) -> tuple[Stage, ...]:
    """The stages as a rollout keeps them (JSON)."""
    return read_stages(json.loads(kept))


def stop_rule_of(kept: str) -> StopRule:
    """The stop rule as a rollout keeps it (JSON)."""
    return read_stop_rule(json.loads(kept))


def assign(stages: Sequence[Stage], groups: Sequence[Group]) -> dict[Group, int]:
    """In which stage each group (the kiosks of a place) gets the set; `groups` in the order in which they come."""
    found: dict[Group, int] = {}
    for number, stage in enumerate(stages):
        if stage.kind == "all":
            upto = len(groups)
        elif stage.kind == "share":
            upto = ceil(len(groups) * stage.count / 100)
        else:
            upto = len(found) + stage.count
        for group in groups[len(found) : upto]:
            found[group] = number
    return found


def lot(rollout_id: int, group: object) -> str:
    """By which places are drawn: another order in each rollout, so that it is not always the same who goes first."""
    return hashlib.sha256(f"{rollout_id}/{group}".encode()).hexdigest()

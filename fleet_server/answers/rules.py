"""The misuse rules: which presses are left out of the figures and why; gaps and faces in, names out, no tables.

Invariant: what a rule says of a press follows from the presses of its clock run alone (and its opening hours), never
from the order in which they arrived. The numbers and their reasons: docs/decisions/0007-misuse-rules.md.
"""

from collections.abc import Sequence
from typing import NamedTuple

from fleet_server.instants import MINUTE_MS

CORRECTED = "corrected"  # by its giver, within a visit; no misuse, and stronger than every rule
UNANSWERED = "unanswered"  # skipped, or time ran out: no misuse and no opinion, so nothing else is said of it
REPEAT = "repeat"
BURST = "burst"
HOURS = "hours"
NAMES = (CORRECTED, UNANSWERED, REPEAT, BURST, HOURS)

GAP_CAP = 600  # tenths of a second; no rule asks how much longer than a minute a gap was


class Rules(NamedTuple):
    """One version of the rules. Tenths of a second; None: this version does not have the rule."""

    repeat_tenths: int | None
    burst_presses: int
    burst_tenths: int | None
    grace_ms: int | None  # before opening and after closing

    @property
    def reach(self) -> int:
        """A press whose gap to the one before is longer than this (tenths) depends on no press before it."""
        return max(self.repeat_tenths or 0, self.burst_tenths or 0)


# Only ever add: a clock run names the version that decided on its presses. 0: booked before there were rules.
VERSIONS = {
    0: Rules(repeat_tenths=None, burst_presses=1, burst_tenths=None, grace_ms=None),
    1: Rules(repeat_tenths=50, burst_presses=6, burst_tenths=200, grace_ms=30 * MINUTE_MS),
}
CURRENT = max(VERSIONS)
# A virtual kiosk is for trying out: who presses a face ten times wants to see ten answers, and no total holds them.
_OF_VIRTUAL = {
    number: rules._replace(repeat_tenths=None, burst_tenths=None) for number, rules in VERSIONS.items()
}


# Phones: the whole waiting room may send within seconds, and answer at home in the evening. What floods is refused at
# the door, unthanked (phone/limits.py), and one form counts once; decision 0009.
_OF_PHONES = {number: rules._replace(grace_ms=None) for number, rules in _OF_VIRTUAL.items()}


def rules_of(version: int, *, virtual: bool, phones: bool) -> Rules:
    """The rules of this version for a device; negative: those that its older presses are just being judged by."""
    return (_OF_PHONES if phones else _OF_VIRTUAL if virtual else VERSIONS)[abs(version)]


class Press(NamedTuple):
    """The first answer of a visit: `uptime` in tenths; `face` is equal for equal answers to the same question."""

    seq: int
    uptime: int
    face: tuple[int, ...]


def misused(rules: Rules, presses: Sequence[Press]) -> dict[int, str]:
    """{seq: rule} of those of `presses` that repeat or burst.

    `presses`: neighbours of one clock run by rising seq. What it says of one holds when the `burst_presses` before it,
    or all there are, are among them.
    """
    found: dict[int, str] = {}
    elapsed: list[int] = []
    at, before = 0, None
    for place, press in enumerate(presses):
        if before is not None:
            gap = _gap(before, press)
            at += gap
            if rules.repeat_tenths is not None and gap <= rules.repeat_tenths and press.face == before.face:
                found[press.seq] = REPEAT
            elif (
                rules.burst_tenths is not None
                and place >= rules.burst_presses
                and at - elapsed[place - rules.burst_presses] <= rules.burst_tenths
            ):
                found[press.seq] = BURST
        elapsed.append(at)
        before = press
    return found


def _gap(before: Press, press: Press) -> int:
    """Tenths between neighbours; a counter that went back tells nothing, so no rule applies."""
    gap = press.uptime - before.uptime
    return gap if 0 <= gap < GAP_CAP else GAP_CAP

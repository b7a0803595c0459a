"""What speaks for halting a rollout: kiosks that refuse the set or fell silent with it, and visitors who stay away.

It halts nothing itself, see service.py; decision 0012 gives the reasons for each number. Invariant: what was already
so before the set came (a kiosk that was away, a place that is always quiet at this hour) never speaks for halting.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from fleet_server.devices.models import Device, StatusChange
from fleet_server.instants import DAY_MS, MINUTE_MS
from fleet_server.refusals import N_, Sentence
from fleet_server.rollouts.activity import Activity, activity
from fleet_server.rollouts.models import Rollout, RolloutDevice
from fleet_server.rollouts.plan import StopRule, stop_rule_of

SILENT_MS = (
    10 * MINUTE_MS
)  # a cleaner pulled the plug, a switch was restarted: back within that, nobody is alarmed
HERE = ("here", "sleeping", "update")
AWAY = ("late", "lost")
WEEK_MS = 7 * DAY_MS

TEXTS = {
    "refused": N_("%(count)s of %(all)s kiosks refused the set"),
    "silent": N_("%(count)s of %(all)s kiosks fell silent after they were wished the set"),
    "presses": N_("%(count)s visits where about %(all)s are usual at these hours, on %(model)s"),
    "completion": N_(
        "%(count)s %% of the visits were answered to their end, %(all)s %% are usual, on %(model)s"
    ),
    "changed": N_("the set is not what it was when it got its number (%(count)s of %(all)s hashes match)"),
}


@dataclass(frozen=True)
class Finding:
    """One reason to halt: `kind` as in StopRule, and the two figures that were compared."""

    kind: str
    count: int
    all: int
    model: str = ""

    def as_text(self) -> str:
        """As a rollout keeps it; `said_of` reads it."""
        return json.dumps([self.kind, self.count, self.all, self.model])


def said_of(reason: str) -> str:
    """A kept reason as a sentence, which a page can say in another language; '' for none."""
    if not reason:
        return ""
    kind, count, of, model = json.loads(reason)
    return Sentence(TEXTS[kind], count=count, all=of, model=model)


def of_kiosks(session: Session, rollout: Rollout, *, now: int) -> list[Finding]:
    """What the kiosks themselves say against the set; cheap, for each look."""
    rule = stop_rule_of(rollout.stop_rule)
    wished = _count(session, rollout)
    refused = _count(session, rollout, col(RolloutDevice.refused) != "")
    found = []
    if _reached(rule.refused, refused, wished):
        found.append(Finding("refused", refused, wished))
    if rule.silent is not None:
        silent = len(fell_silent(session, rollout, now=now))
        if _reached(rule.silent, silent, wished):
            found.append(Finding("silent", silent, wished))
    return found


def of_visitors(session: Session, rollout: Rollout, *, now: int) -> list[Finding]:
    """What the visitors' answers say against it; takes a while, for once an hour and before a stage begins."""
    rule = stop_rule_of(rollout.stop_rule)
    if rule.presses is None and rule.completion is None:
        return []
    found = []
    for model, seen in sorted(activity(session, rollout, now=now).items()):
        found += _against(rule, model, seen)
    return found


def findings(session: Session, rollout: Rollout, *, now: int) -> list[Finding]:
    """All that speaks against it, by kiosks and by visitors."""
    return of_kiosks(session, rollout, now=now) + of_visitors(session, rollout, now=now)


def _against(rule: StopRule, model: str, seen: Activity) -> list[Finding]:
    found = []
    fewer = seen.visits * 100 <= seen.expected * (100 - (rule.presses or 0))
    if rule.presses is not None and seen.enough_expected and fewer:
        found.append(Finding("presses", seen.visits, round(seen.expected), model))
    unfinished = seen.share * 100 <= seen.usual_share * (100 - (rule.completion or 0))
    if rule.completion is not None and seen.enough_visits and seen.usual_share > 0 and unfinished:
        shares = round(100 * seen.share), round(100 * seen.usual_share)
        found.append(Finding("completion", *shares, model))
    return found


def fell_silent(session: Session, rollout: Rollout, *, now: int) -> list[str]:
    """Ids of the kiosks that were here when they were wished the set, and have been away for a while since.

    One that was away at this hour a week ago, too, is switched off at night: that says nothing.
    """
    candidates = session.exec(
        select(RolloutDevice.device_id, RolloutDevice.wished_at)
        .join(Device, col(Device.id) == col(RolloutDevice.device_id))
        .where(
            RolloutDevice.rollout_id == rollout.id,
            col(RolloutDevice.wished_at).is_not(None),
            col(Device.status).in_(AWAY),
            col(Device.revoked_at).is_(None),
        )
    ).all()
    found = []
    for device_id, wished_at in candidates:
        left = session.exec(
            select(StatusChange.at)
            .where(StatusChange.device_id == device_id, col(StatusChange.new).in_(AWAY))
            .order_by(col(StatusChange.id).desc())
            .limit(1)
        ).first()
        if left is None or wished_at is None or not wished_at < left <= now - SILENT_MS:
            continue
        if _status_at(session, device_id, wished_at) in HERE and (
            _status_at(session, device_id, now - WEEK_MS) not in AWAY
        ):
            found.append(device_id)
    return found


def _status_at(session: Session, device_id: str, at: int) -> str:
    last = (
        select(StatusChange.new)
        .where(StatusChange.device_id == device_id, col(StatusChange.at) <= at)
        .order_by(col(StatusChange.at).desc(), col(StatusChange.id).desc())
        .limit(1)
    )
    return session.exec(last).first() or "new"


def _reached(percent: int | None, count: int, of: int) -> bool:
    return percent is not None and count > 0 and count * 100 >= percent * of


def _count(session: Session, rollout: Rollout, *conditions: Any) -> int:
    found = select(func.count()).where(
        RolloutDevice.rollout_id == rollout.id, col(RolloutDevice.wished_at).is_not(None), *conditions
    )
    return int(session.exec(found).one())

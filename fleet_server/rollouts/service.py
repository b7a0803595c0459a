"""Rollouts as people take them: begun, paused, gone on with, taken back. What follows from that advancing.py does.

It knows no page and no kiosk. Invariant: each step is a row of the rollout's history and one of the audit log.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.devices.models import Device
from fleet_server.places.choosing import devices, read_choice
from fleet_server.places.models import Installation
from fleet_server.questions import service as questions
from fleet_server.questions.models import QuestionSet
from fleet_server.refusals import N_, Hindered, Sentence
from fleet_server.rollouts import stop_rule
from fleet_server.rollouts.models import OPEN, Rollout, RolloutDevice, RolloutEvent
from fleet_server.rollouts.plan import Stage, StopRule, assign, lot, stop_rule_of

SERVER = "server"


class NotDone(Hindered):
    """A rollout that cannot begin, or cannot be taken where it was to be; `faults` are Sentences, all at once."""


def faults(session: Session, number: int, chosen: Sequence[Device]) -> list[str]:
    """Why this set cannot go to these kiosks: its own faults, and each model that cannot ask it by name."""
    if not chosen:
        return [Sentence(N_("no device was chosen"))]
    return questions.hindrances(session, number, {device.model for device in chosen})


def start(
    session: Session,
    actor: Person | str,
    set_number: int,
    choice: Any,
    stages: Sequence[Stage],
    rule: StopRule,
    go_back: bool,
    *,
    now: int,
) -> Rollout:
    """Begin; the kiosks are wished the set by `advance`. `choice` as in places/choosing.py.

    Raises Refused for a choice that is none, NotDone with every fault when the set cannot go there.
    """
    choice = read_choice(choice)
    chosen = devices(session, actor if isinstance(actor, Person) else None, choice)
    if found := faults(session, set_number, chosen):
        raise NotDone(found)
    rollout = Rollout(
        set_number=set_number,
        choice=json.dumps(choice),
        stages=json.dumps([stage.as_json() for stage in stages]),
        stop_rule=json.dumps(rule.as_json()),
        go_back=go_back,
        stage_at=now,
        created_at=now,
        created_by=_name(actor),
    )
    session.add(rollout)
    session.flush()
    of_stage = draw(session, chosen, stages, rollout.id or 0)
    session.add_all(
        RolloutDevice(rollout_id=rollout.id or 0, device_id=device.id, stage=of_stage[device.id])
        for device in chosen
    )
    after = {"set": set_number, "devices": len(chosen), "stages": [stage.as_json() for stage in stages]}
    happened(session, rollout, actor, "begun", "start rollout", now, after=after)
    return rollout


def draw(
    session: Session, chosen: Sequence[Device], stages: Sequence[Stage], rollout_id: int
) -> dict[str, int]:
    """In which stage each kiosk is. Places whose kiosks are all here come first: one that is away could tell nothing
    of how the set does; among them the lot decides."""
    standing = dict(
        session.exec(
            select(Installation.device_id, Installation.place_id).where(
                col(Installation.to_at).is_(None),
                col(Installation.device_id).in_([device.id for device in chosen]),
            )
        ).all()
    )
    groups: dict[object, list[Device]] = {}
    for device in chosen:
        groups.setdefault(standing.get(device.id, device.id), []).append(device)
    order = sorted(
        groups,
        key=lambda group: (
            not all(device.status in stop_rule.HERE for device in groups[group]),
            lot(rollout_id, group),
        ),
    )
    numbers = assign(stages, order)
    return {device.id: numbers[group] for group, found in groups.items() for device in found}


def pause(session: Session, actor: Person | str, rollout_id: int, *, now: int) -> Rollout:
    """No more kiosks are wished the set until `resume`. Raises NotDone when it does not run."""
    rollout = _in_state(session, rollout_id, "running")
    rollout.state = "paused"
    happened(session, rollout, actor, "paused", "pause rollout", now)
    return rollout


def resume(session: Session, actor: Person | str, rollout_id: int, *, now: int) -> Rollout:
    """Go on with a paused or halted one. What halted it has been seen: that part of the rule holds no more.

    Its stage is watched anew from now on. Raises NotDone when there is nothing to go on with.
    """
    rollout = _in_state(session, rollout_id, "paused", "halted")
    seen = [finding.kind for finding in stop_rule.findings(session, rollout, now=now)]
    if rollout.state == "halted" and rollout.reason:
        seen.append(json.loads(rollout.reason)[0])
    rule = stop_rule_of(rollout.stop_rule)
    given_up = [kind for kind in sorted(set(seen)) if getattr(rule, kind, None) is not None]
    rollout.stop_rule = json.dumps(rule.without(given_up).as_json())
    rollout.state, rollout.stage_at, rollout.reason = "running", now, ""
    happened(
        session,
        rollout,
        actor,
        "resumed",
        "resume rollout",
        now,
        note=",".join(given_up),
        after={"stop_rule": rule.without(given_up).as_json()},
    )
    return rollout


def go_on(session: Session, actor: Person | str, rollout_id: int, *, now: int) -> Rollout:
    """Begin the next stage now, without waiting for the end of this one. Raises NotDone when there is none."""
    rollout = _in_state(session, rollout_id, "running")
    following = next_stage(session, rollout)
    if following is None:
        raise NotDone([Sentence(N_("rollout %(number)s is in its last stage"), number=rollout_id)])
    begin_stage(session, rollout, following, actor, now)
    return rollout


def next_stage(session: Session, rollout: Rollout) -> int | None:
    """The next stage that has a kiosk, None after the last: one for which none was left is not waited for."""
    later = select(func.min(RolloutDevice.stage)).where(
        RolloutDevice.rollout_id == rollout.id, col(RolloutDevice.stage) > rollout.stage
    )
    return session.exec(later).one()


def back(session: Session, actor: Person | str, rollout_id: int, *, now: int) -> Rollout:
    """Take it back: each kiosk is wished what was wished of it before, as a new version; `advance` does so.

    One that something else was published to since, and one that had nothing before, are left as they are.
    Raises NotDone when it was taken back already, or a set to go back to is in the archive.
    """
    rollout = _in_state(session, rollout_id, *OPEN, "done")
    away = session.exec(
        select(RolloutDevice.before_set)
        .join(QuestionSet, col(QuestionSet.number) == col(RolloutDevice.before_set))
        .where(RolloutDevice.rollout_id == rollout_id, col(QuestionSet.archived_at).is_not(None))
        .distinct()
        .order_by(col(RolloutDevice.before_set))
    ).all()
    if away:
        raise NotDone([questions.in_archive(number) for number in away if number is not None])
    rollout.state, rollout.ended_at = "undone", None
    happened(session, rollout, actor, "undone", "roll back rollout", now)
    return rollout


def begin_stage(session: Session, rollout: Rollout, stage: int, actor: Person | str, now: int) -> None:
    """A stage begins."""
    rollout.stage, rollout.stage_at = stage, now
    note = str(rollout.stage + 1)
    happened(
        session, rollout, actor, "stage", "begin stage", now, note=note, after={"stage": rollout.stage + 1}
    )


def _in_state(session: Session, rollout_id: int, *states: str) -> Rollout:
    rollout = session.get(Rollout, rollout_id)
    if rollout is None:
        raise NotDone([Sentence(N_("rollout %(number)s does not exist"), number=rollout_id)])
    if rollout.state not in states:
        text = N_("rollout %(number)s cannot do that now; somebody else has changed it, see how it is")
        raise NotDone([Sentence(text, number=rollout_id)])
    return rollout


def _name(actor: Person | str) -> str:
    return actor if isinstance(actor, str) else actor.name


def happened(
    session: Session,
    rollout: Rollout,
    actor: Person | str,
    what: str,
    action: str,
    now: int,
    *,
    note: str = "",
    after: Any = None,
) -> None:
    """One row of the rollout's history, and one of the audit log."""
    session.add(rollout)
    session.add(RolloutEvent(rollout_id=rollout.id or 0, at=now, by=_name(actor), what=what, note=note[:300]))
    audit.record(
        session, actor, action, "rollout", rollout.id, after=after or {"state": rollout.state}, now=now
    )
    session.flush()

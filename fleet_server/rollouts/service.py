"""Rollouts: begun, halted, gone on with, taken back; and `advance`, which does what is due, a portion at a time.

It knows no page and sends nothing: what kiosks are to be told is given back. Invariant: what is left to do is read from
the database each time, so that a stop at any instant loses nothing and repeats nothing; and a kiosk that something else
was published to since is left alone.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, update
from sqlmodel import Session, col, select

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.devices import desired
from fleet_server.devices.desired import Message
from fleet_server.devices.lines import refusal
from fleet_server.devices.models import Device
from fleet_server.places.choosing import devices, read_choice
from fleet_server.places.models import Installation
from fleet_server.questions import service as questions
from fleet_server.questions.models import Publication, QuestionSet
from fleet_server.refusals import N_, Hindered, Sentence
from fleet_server.rollouts import stop_rule
from fleet_server.rollouts.models import OPEN, Rollout, RolloutDevice, RolloutEvent
from fleet_server.rollouts.plan import Stage, StopRule, assign, lot, stages_of, stop_rule_of
from fleet_server.rollouts.stop_rule import Finding

PORTION = 100  # kiosks a transaction: no receipt waits longer than that takes, some 100 ms
SERVER = "server"
ARRIVED_SHARE = 0.5  # a stage of which fewer have the set yet says too little to go on by itself


class NotDone(Hindered):
    """A rollout that cannot begin, or cannot be taken where it was to be; `faults` are Sentences, all at once."""


@dataclass
class Outcome:
    """What `advance` leaves to be done after the commit. `more`: there is more to do at once."""

    messages: list[Message] = field(default_factory=list)
    topics: set[str] = field(default_factory=set)
    more: bool = False


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
    _happened(session, rollout, actor, "begun", "start rollout", now, after=after)
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
    _happened(session, rollout, actor, "paused", "pause rollout", now)
    return rollout


def resume(session: Session, actor: Person | str, rollout_id: int, *, now: int) -> Rollout:
    """Go on with a paused or halted one. What halted it has been seen: that part of the rule holds no more.

    Its stage is watched anew from now on. Raises NotDone when there is nothing to go on with.
    """
    rollout = _in_state(session, rollout_id, "paused", "halted")
    seen = [finding.kind for finding in _against(session, rollout, now=now)]
    if rollout.state == "halted" and rollout.reason:
        seen.append(json.loads(rollout.reason)[0])
    rule = stop_rule_of(rollout.stop_rule)
    given_up = [kind for kind in sorted(set(seen)) if getattr(rule, kind, None) is not None]
    rollout.stop_rule = json.dumps(rule.without(given_up).as_json())
    rollout.state, rollout.stage_at, rollout.reason = "running", now, ""
    _happened(
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
    if rollout.stage + 1 >= len(stages_of(rollout.stages)):
        raise NotDone([Sentence(N_("rollout %(number)s is in its last stage"), number=rollout_id)])
    _next_stage(session, rollout, actor, now)
    return rollout


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
    _happened(session, rollout, actor, "undone", "roll back rollout", now)
    return rollout


def advance(session: Session, *, now: int, visitors: bool = False) -> Outcome:
    """Do what is due in every rollout, PORTION kiosks at most each. `visitors`: look at the visitors' answers, too."""
    outcome = Outcome()
    for rollout in session.exec(select(Rollout).where(busy()).order_by(col(Rollout.id))).all():
        _note_reports(session, rollout, outcome, now)
        if rollout.state == "running":
            _go(session, rollout, outcome, now, visitors)
        elif rollout.state == "undone":
            _take_back(session, rollout, outcome, now)
    session.flush()
    return outcome


def busy() -> ColumnElement[bool]:
    """Rollouts at which there is something to look: cheap to ask, by the index of `state`."""
    late = exists().where(  # one that was done before the last of its kiosks had answered
        col(RolloutDevice.rollout_id) == col(Rollout.id),
        col(RolloutDevice.wished_at).is_not(None),
        col(RolloutDevice.reported_at).is_(None),
        col(RolloutDevice.device_id) == col(Device.id),
        col(Device.running_set) == col(Rollout.set_number),
    )
    return or_(
        col(Rollout.state).in_(OPEN),
        (col(Rollout.state) == "undone") & col(Rollout.ended_at).is_(None),
        (col(Rollout.state) == "done") & late,
    )


def _go(session: Session, rollout: Rollout, outcome: Outcome, now: int, visitors: bool) -> None:
    row = session.get_one(QuestionSet, rollout.set_number)
    if not questions.is_intact(row):
        _halt(session, rollout, Finding("changed", 0, 1), outcome, now)
        return
    against = (
        _against(session, rollout, now=now) if visitors else stop_rule.of_kiosks(session, rollout, now=now)
    )
    if against:
        _halt(session, rollout, against[0], outcome, now)
        return
    if _wish(session, rollout, outcome, now):
        return
    stages = stages_of(rollout.stages)
    if now < rollout.stage_at + stages[rollout.stage].wait_ms:
        return
    last = rollout.stage + 1 == len(stages)
    if not last and not _arrived_enough(session, rollout):
        return
    if not visitors and (found := stop_rule.of_visitors(session, rollout, now=now)):
        _halt(session, rollout, found[0], outcome, now)
    elif last:
        rollout.state, rollout.ended_at = "done", now
        _happened(session, rollout, SERVER, "done", "end rollout", now)
        outcome.topics.add(f"rollout:{rollout.id}")
    else:
        _next_stage(session, rollout, SERVER, now)
        outcome.topics.add(f"rollout:{rollout.id}")
        outcome.more = True


def _wish(session: Session, rollout: Rollout, outcome: Outcome, now: int) -> bool:
    """Wish the set of the next kiosks of the stage; whether there were any."""
    due = session.exec(
        select(RolloutDevice, Device)
        .join(Device, col(Device.id) == col(RolloutDevice.device_id))
        .where(
            RolloutDevice.rollout_id == rollout.id,
            col(RolloutDevice.stage) <= rollout.stage,
            col(RolloutDevice.wished_at).is_(None),
            col(Device.revoked_at).is_(None),
            ~exists().where(taken_since(rollout)),
        )
        .order_by(col(RolloutDevice.stage), col(RolloutDevice.device_id))
        .limit(PORTION)
    ).all()
    for part, device in due:
        before = questions.published_to(session, device.id)
        part.before_set, part.wished_at = (before.number if before else None), now
        session.add(part)
        if part.before_set != rollout.set_number:
            _publish(session, rollout, device.id, rollout.set_number, rollout.created_by, outcome, now)
    outcome.more |= len(due) == PORTION
    return bool(due)


def _take_back(session: Session, rollout: Rollout, outcome: Outcome, now: int) -> None:
    newest = (
        select(func.max(Publication.id))
        .where(Publication.device_id == RolloutDevice.device_id)
        .correlate(RolloutDevice)
        .scalar_subquery()
    )
    still_here = session.exec(
        select(RolloutDevice)
        .join(Publication, col(Publication.id) == newest)
        .where(
            RolloutDevice.rollout_id == rollout.id,
            col(RolloutDevice.before_set).is_not(None),
            RolloutDevice.before_set != rollout.set_number,
            Publication.rollout_id == rollout.id,
            Publication.set_number == rollout.set_number,
        )
        .order_by(col(RolloutDevice.device_id))
        .limit(PORTION)
    ).all()
    by = session.exec(
        select(RolloutEvent.by)
        .where(RolloutEvent.rollout_id == rollout.id, RolloutEvent.what == "undone")
        .order_by(col(RolloutEvent.id).desc())
    ).first()
    for part in still_here:
        if part.before_set is not None:
            _publish(session, rollout, part.device_id, part.before_set, by or SERVER, outcome, now)
    outcome.more |= len(still_here) == PORTION
    if len(still_here) < PORTION:
        rollout.ended_at = now
        session.add(rollout)
        outcome.topics.add(f"rollout:{rollout.id}")


def _publish(
    session: Session, rollout: Rollout, device_id: str, number: int, by: str, outcome: Outcome, now: int
) -> None:
    publication = Publication(
        device_id=device_id, set_number=number, published_at=now, published_by=by, rollout_id=rollout.id
    )
    session.add(publication)
    session.flush()
    message = desired.refresh(session, device_id, now=now)
    if message is not None:
        outcome.messages.append(message)
    outcome.topics |= {f"device:{device_id}", f"rollout:{rollout.id}", f"set:{number}"}


def _note_reports(session: Session, rollout: Rollout, outcome: Outcome, now: int) -> None:
    """Keep who says that it asks the set, and who refused it: what a report says now is gone with the next one."""
    mine = (
        col(RolloutDevice.rollout_id) == rollout.id,
        col(RolloutDevice.wished_at).is_not(None),
        col(RolloutDevice.reported_at).is_(None),
    )
    asking = select(Device.id).where(Device.running_set == rollout.set_number)
    noted = session.exec(
        update(RolloutDevice)
        .where(*mine, col(RolloutDevice.device_id).in_(asking))
        .values(reported_at=now, refused="")
        .execution_options(synchronize_session=False)
    )
    if noted.rowcount:
        outcome.topics.add(f"rollout:{rollout.id}")
    refusing = session.exec(
        select(RolloutDevice, Device)
        .join(Device, col(Device.id) == col(RolloutDevice.device_id))
        .where(*mine, RolloutDevice.refused == "", col(Device.report).contains('"result":"refused"'))
    ).all()
    for part, device in refusing:
        if (reason := refusal(device)) and not _is_taken(session, rollout, device.id):
            part.refused = reason[:200]
            session.add(part)
            outcome.topics.add(f"rollout:{rollout.id}")
    session.flush()


def _against(session: Session, rollout: Rollout, *, now: int) -> list[Finding]:
    return stop_rule.of_kiosks(session, rollout, now=now) + stop_rule.of_visitors(session, rollout, now=now)


def _halt(session: Session, rollout: Rollout, finding: Finding, outcome: Outcome, now: int) -> None:
    rollout.state, rollout.reason = "halted", finding.as_text()
    note = stop_rule.said_of(rollout.reason)
    _happened(
        session, rollout, SERVER, "halted", "halt rollout", now, note=rollout.reason, after={"reason": note}
    )
    outcome.topics.add(f"rollout:{rollout.id}")
    if rollout.go_back:
        back(session, SERVER, rollout.id or 0, now=now)
        outcome.more = True


def _arrived_enough(session: Session, rollout: Rollout) -> bool:
    """Whether enough of the stage's kiosks have the set, be it that it waits for idle or for its printed card."""
    row = session.get_one(QuestionSet, rollout.set_number)
    rows = session.exec(
        select(RolloutDevice, Device)
        .join(Device, col(Device.id) == col(RolloutDevice.device_id))
        .where(
            RolloutDevice.rollout_id == rollout.id,
            RolloutDevice.stage == rollout.stage,
            col(RolloutDevice.wished_at).is_not(None),
            col(Device.revoked_at).is_(None),
            ~exists().where(taken_since(rollout)),
        )
    ).all()
    arrived = sum(part.reported_at is not None or holds(device, row) for part, device in rows)
    return arrived >= ARRIVED_SHARE * len(rows)


def holds(device: Device, row: QuestionSet) -> bool:
    """Whether the kiosk's last report names this very set among those that it has."""
    wanted = questions.view_hash(row, device.model)
    held = json.loads(device.report or "{}").get("sets") or []
    return wanted is not None and any(entry[1] == wanted for entry in held)


def _next_stage(session: Session, rollout: Rollout, actor: Person | str, now: int) -> None:
    rollout.stage += 1
    rollout.stage_at = now
    note = str(rollout.stage + 1)
    _happened(
        session, rollout, actor, "stage", "begin stage", now, note=note, after={"stage": rollout.stage + 1}
    )


def taken_since(rollout: Rollout) -> ColumnElement[bool]:
    """Publications by which something else took a RolloutDevice's kiosk since the rollout began."""
    return (
        (col(Publication.device_id) == col(RolloutDevice.device_id))
        & (col(Publication.published_at) > rollout.created_at)
        & (col(Publication.rollout_id).is_(None) | (col(Publication.rollout_id) != rollout.id))
    )


def _is_taken(session: Session, rollout: Rollout, device_id: str) -> bool:
    newest = (
        select(Publication.rollout_id)
        .where(Publication.device_id == device_id)
        .order_by(col(Publication.id).desc())
        .limit(1)
    )
    return session.exec(newest).first() != rollout.id


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


def _happened(
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

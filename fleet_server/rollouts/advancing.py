"""Does what is due in rollouts, a portion at a time: kiosks are wished the set, stages end, reports are noted.

It knows no page and sends nothing: what kiosks are to be told is given back. Invariant: what is left to do is read from
the database each time, so that a stop at any instant loses nothing and repeats nothing; and a kiosk that something else
was published to since is left alone.
"""

import json
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, exists, func, or_, update
from sqlmodel import Session, col, select

from fleet_server.devices import desired
from fleet_server.devices.desired import Message
from fleet_server.devices.lines import refusal
from fleet_server.devices.models import Device
from fleet_server.questions import service as questions
from fleet_server.questions.models import Publication, QuestionSet
from fleet_server.rollouts import stop_rule
from fleet_server.rollouts.models import OPEN, Rollout, RolloutDevice, RolloutEvent
from fleet_server.rollouts.plan import stages_of
from fleet_server.rollouts.service import SERVER, back, begin_stage, happened, next_stage
from fleet_server.rollouts.stop_rule import Finding

PORTION = 100  # kiosks a transaction: no receipt waits longer than that takes, some 100 ms
# A stage of which fewer have the set yet says too little to go on by itself, or to be the last.
ARRIVED_SHARE = 0.5


@dataclass
class Outcome:
    """What `advance` leaves to be done after the commit. `more`: there is more to do at once."""

    messages: list[Message] = field(default_factory=list)
    topics: set[str] = field(default_factory=set)
    more: bool = False


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
        stop_rule.findings(session, rollout, now=now)
        if visitors
        else stop_rule.of_kiosks(session, rollout, now=now)
    )
    if against:
        _halt(session, rollout, against[0], outcome, now)
        return
    if _wish(session, rollout, outcome, now):
        return
    stages = stages_of(rollout.stages)
    if now < rollout.stage_at + stages[rollout.stage].wait_ms:
        return
    following = next_stage(session, rollout)
    if not arrived_enough(session, rollout):
        return
    if not visitors and (found := stop_rule.of_visitors(session, rollout, now=now)):
        _halt(session, rollout, found[0], outcome, now)
    elif following is None:
        rollout.state, rollout.ended_at = "done", now
        happened(session, rollout, SERVER, "done", "end rollout", now)
        outcome.topics.add(f"rollout:{rollout.id}")
    else:
        begin_stage(session, rollout, following, SERVER, now)
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
    before = {device.id: questions.published_to(session, device.id) for _part, device in due}
    for part, device in due:
        row = before[device.id]
        part.before_set, part.wished_at = (row.number if row else None), now
        session.add(part)
    wished = {part.device_id: rollout.set_number for part, _ in due if part.before_set != rollout.set_number}
    _publish(session, rollout, wished, rollout.created_by, outcome, now)
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
    wished = {
        part.device_id: number
        for part in still_here
        if (number := _wished_before(session, rollout, part) or part.before_set) is not None
    }
    _publish(session, rollout, wished, by or SERVER, outcome, now)
    outcome.more |= len(still_here) == PORTION
    if len(still_here) < PORTION:
        rollout.ended_at = now
        session.add(rollout)
        outcome.topics.add(f"rollout:{rollout.id}")


def _wished_before(session: Session, rollout: Rollout, part: RolloutDevice) -> int | None:
    """What was wished of a kiosk before this rollout and was not taken back itself since; None: nothing else."""
    publications = session.exec(
        select(Publication, Rollout)
        .outerjoin(Rollout, col(Rollout.id) == col(Publication.rollout_id))
        .where(
            Publication.device_id == part.device_id,
            or_(col(Publication.rollout_id).is_(None), col(Publication.rollout_id) < rollout.id),
            col(Publication.published_at) <= (part.wished_at or 0),
        )
        .order_by(col(Publication.id).desc())
    )
    for publication, brought_by in publications:
        taken_back = brought_by is not None and brought_by.state == "undone"
        if not taken_back or publication.set_number != brought_by.set_number:
            return publication.set_number if publication.set_number != rollout.set_number else None
    return None


def _publish(
    session: Session, rollout: Rollout, wished: dict[str, int], by: str, outcome: Outcome, now: int
) -> None:
    """Wish these sets of these kiosks. All are written at once: one by one they would take twice the time."""
    session.add_all(
        Publication(
            device_id=device_id, set_number=number, published_at=now, published_by=by, rollout_id=rollout.id
        )
        for device_id, number in wished.items()
    )
    session.flush()
    for device_id, number in wished.items():
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


def _halt(session: Session, rollout: Rollout, finding: Finding, outcome: Outcome, now: int) -> None:
    rollout.state, rollout.reason = "halted", finding.as_text()
    note = stop_rule.said_of(rollout.reason)
    happened(
        session, rollout, SERVER, "halted", "halt rollout", now, note=rollout.reason, after={"reason": note}
    )
    outcome.topics.add(f"rollout:{rollout.id}")
    if rollout.go_back:
        back(session, SERVER, rollout.id or 0, now=now)
        outcome.more = True


def arrived_enough(session: Session, rollout: Rollout) -> bool:
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


def taken_since(rollout: Rollout) -> ColumnElement[bool]:
    """Publications by which something else took a RolloutDevice's kiosk since the rollout began."""
    return (
        (col(Publication.device_id) == col(RolloutDevice.device_id))
        & (col(Publication.published_at) > rollout.created_at)
        & (col(Publication.rollout_id).is_(None) | (col(Publication.rollout_id) != rollout.id))
    )


def _is_taken(session: Session, rollout: Rollout, device_id: str) -> bool:
    """Whether another set is wished of a kiosk by now; who wished it this one, and when, makes no difference."""
    newest = (
        select(Publication.set_number)
        .where(Publication.device_id == device_id)
        .order_by(col(Publication.id).desc())
        .limit(1)
    )
    return session.exec(newest).first() != rollout.set_number

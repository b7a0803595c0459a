"""From a draft to a question set: everything that stands in the way, and the one step that makes it immutable.

It sends nothing to any kiosk; that is a rollout. Invariant: a set is made from exactly the revision that had no fault,
with a number that was never used, and says against which version it changed what.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from fleet_server.accounts import audit, county
from fleet_server.accounts.access import Person
from fleet_server.devices.models import KIOSK, Device
from fleet_server.drafts import seen, service
from fleet_server.drafts.models import Draft
from fleet_server.questions import service as questions
from fleet_server.questions.compare import Comparison, compare
from fleet_server.questions.models import QuestionSet
from fleet_server.questions.schema import faults_of
from fleet_server.questions.types import LANGUAGES
from fleet_server.questions.views import view_faults
from fleet_server.refusals import N_, Hindered, Refused, Sentence
from fleet_server.screens.check import screen_faults
from provisioning.models import MODELS

HIGHEST_NUMBER = 0xFFFF


class NotPublished(Hindered):
    """Nothing was published; `faults` says everything that has to be put right."""


class Step(Sentence):
    """A fault that is put right on a page of the draft; `page`: its address from the draft's on."""

    page: str = ""


@dataclass(frozen=True)
class Readiness:
    """A draft beside what it has to be. `unseen`: models whose preview nobody has looked at."""

    number: int
    faults: list[str]
    unseen: list[str]
    comparison: Comparison | None

    @property
    def breaks(self) -> dict[str, list[Sentence]]:
        """Codes whose answers cannot be compared with those to the previous version, each with the reasons."""
        return self.comparison.breaks if self.comparison else {}


def faults(session: Session, draft: Draft, *, now: int) -> list[str]:
    """Every reason why the draft cannot be published now, each a sentence; empty when it can."""
    return readiness(session, draft, now=now).faults


def readiness(session: Session, draft: Draft, *, now: int) -> Readiness:
    """The same with the number that it would get and what changes against its previous version."""
    number = next_number(session)
    body = service.body(draft) | {"number": number}
    found: list[str] = []
    if number > HIGHEST_NUMBER:
        found.append(Sentence(N_("all numbers up to %(most)s are used"), most=HIGHEST_NUMBER))
    found += _language_faults(session, body)
    own = faults_of(body)
    found += own
    able = [model for model in MODELS if not own and not view_faults(body, model)]
    if not own and not able:
        found += [fault for model in MODELS for fault in view_faults(body, model)]
    for model in able:
        found += screen_faults(body, model)
    found += _version_faults(session, draft, body)
    unseen = to_see(session, draft, able)
    text = N_("nobody has looked at the preview for model %(model)s of what the draft says now")
    found += [_step(f"/preview?model={model}", text, model=model) for model in unseen]
    if draft.state not in service.EDITABLE:
        found.append(Sentence(N_("the draft was published or dropped already")))
    elif county.rules(session).second_person and draft.state != "approved":
        text = N_("the county requires a second person, and nobody has approved the draft yet")
        found.append(_step("/publish#approval", text))
    return Readiness(
        number, [_named(fault, draft.name) for fault in found], unseen, _comparison(session, draft)
    )


def publish(
    session: Session,
    actor: Person,
    draft_id: int,
    *,
    revision: int | None = None,
    breaks_confirmed: bool = False,
    now: int,
) -> QuestionSet:
    """Make the question set. Raises NotPublished with every fault, and has done nothing then.

    `revision`: what was looked at; another one since is a fault. `breaks_confirmed`: the person was told which
    questions cannot be compared with the previous version any more, and wants it so.
    """
    draft = service.get(session, draft_id, for_edit=True)
    if draft is None:
        raise Refused({"draft": (N_("There is no draft %(value)s."), {"value": draft_id})})
    ready = readiness(session, draft, now=now)
    found = list(ready.faults)
    if revision is not None and revision != draft.revision:
        text = N_("revision %(value)s was looked at, and the draft is at %(now)s since; look at it anew")
        found.append(Sentence(text, value=revision, now=draft.revision))
    if ready.breaks and not breaks_confirmed:
        text = N_(
            "answers to %(codes)s cannot be compared with those to set %(number)s; confirm that this is wished"
        )
        found.append(_step("/publish#go", text, codes=", ".join(ready.breaks), number=draft.previous))
    if found:
        raise NotPublished(found)
    body = service.body(draft) | {"number": ready.number}
    row = questions.add(session, body, source=f"draft {draft_id}", actor=actor, now=now)
    row.family = draft.family or ready.number
    row.previous = draft.previous
    row.change = ready.comparison.change if ready.comparison else ""
    row.made_by, row.approved_by = draft.edited_by, draft.approved_by or ""
    draft.state, draft.published_number = "published", ready.number
    session.add(row)
    session.add(draft)
    audit.record(
        session,
        actor,
        "publish draft",
        "draft",
        draft_id,
        after={
            "set": ready.number,
            "revision": draft.revision,
            "change": row.change,
            "breaks": list(ready.breaks),
        },
        now=now,
    )
    session.flush()
    return row


def next_number(session: Session) -> int:
    """The number after the highest one: none is ever used twice, for records name it for ever."""
    return (session.exec(select(func.max(QuestionSet.number))).one() or 0) + 1


def _named(fault: str, name: str) -> str:
    """The same fault of a set that has no number yet: it is called by its name."""
    if not isinstance(fault, Sentence) or "who" not in fault.values:
        return fault
    values = fault.values | {"who": name}
    again = type(fault)(fault.text, **values)
    again.__dict__.update(vars(fault) | {"values": values})  # a screen's fault knows its picture
    return again


def _step(page: str, text: str, **values: object) -> Step:
    step = Step(text, **values)
    step.page = page
    return step


def _language_faults(session: Session, body: dict[str, object]) -> list[str]:
    asked = body.get("languages")
    there = asked if isinstance(asked, list) else []
    return [
        _step(
            "/texts#add",
            N_("the county requires %(language)s, and the draft does not ask in it"),
            language=LANGUAGES[code],
        )
        for code in county.rules(session).required_languages
        if code not in there
    ]


def _version_faults(session: Session, draft: Draft, body: dict[str, object]) -> list[str]:
    """Two versions of one family that are called the same could not be told apart by people."""
    if draft.family is None:
        return []
    rows = select(QuestionSet).where(
        QuestionSet.family == draft.family, col(QuestionSet.version) == str(body.get("version"))
    )
    return [
        Sentence(
            N_(
                "version %(version)s of this family exists already (question set %(number)s); give it another"
            ),
            version=row.version,
            number=row.number,
        )
        for row in session.exec(rows)
    ]


def to_see(session: Session, draft: Draft, able: Sequence[str]) -> list[str]:
    """Of the models that can ask the draft, those whose preview somebody has still to see: of those with a screen
    the ones that the county has, or else all."""
    in_use = set(
        session.exec(
            select(Device.model).where(Device.channel == KIOSK, col(Device.revoked_at).is_(None)).distinct()
        )
    )
    with_screen = [model for model in able if MODELS[model].screen != "none"]
    wanted = [model for model in with_screen if model in in_use] or with_screen
    return seen.unseen(session, service.content_hash(draft), wanted)


def _comparison(session: Session, draft: Draft) -> Comparison | None:
    previous = session.get(QuestionSet, draft.previous) if draft.previous is not None else None
    return compare(questions.body_of(previous), service.body(draft)) if previous is not None else None

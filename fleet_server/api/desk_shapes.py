"""What the API takes and gives at the coordinator's desk: drafts, publishing, rollouts; also their OpenAPI description.

Instants are ISO 8601 in UTC. A field that is not here is refused by name.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from fleet_server.api.shapes import Instant

Revision = Annotated[
    int, Field(ge=0, lt=2**31, description="what you last read; a newer one may be a conflict")
]


class Asked(BaseModel):
    """A request's body."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Draft(BaseModel):
    """A draft in a list."""

    id: int
    name: str
    state: str = Field(description="open, asked, approved, published or dropped")
    revision: int
    family: int | None = Field(description="number of the first version of its set; null: a new set")
    previous: int | None = Field(description="number of the set that it was made from")
    edited_at: Instant
    edited_by: str
    asked_by: str | None
    approved_by: str | None
    published_number: int | None


class Drafts(BaseModel):
    """A page of drafts by id; ask on with `after` = `next` until `next` is null."""

    drafts: list[Draft]
    next: int | None


class OneDraft(Draft):
    """A draft with its texts and everything that stands in the way of publishing it."""

    body: dict[str, Any] = Field(description="a question set without a number")
    faults: list[str] = Field(description="each a sentence in English; empty: it can be published")
    unseen: list[str] = Field(description="models whose preview nobody has looked at since the last edit")
    breaks: dict[str, list[str]] = Field(
        description="codes whose answers cannot be compared with those to `previous`, and why"
    )


class NewDraft(Asked):
    """A draft to be made."""

    name: str = Field(max_length=200)
    copy_of: int | None = Field(default=None, description="number of a question set")
    continues: bool = Field(default=False, description="the copy is that set's next version, not another set")


class Ops(Asked):
    """Operations on a draft, thought of at `revision`."""

    revision: Revision
    ops: list[dict[str, Any]] = Field(
        max_length=2_000,
        description="`set`, `add`, `move` or `remove`, by question code",
        examples=[[{"do": "set", "path": "questions/OWN-1/text/sv", "to": "Hur gick det?"}]],
    )


class Conflict(BaseModel):
    """An operation that was not done, because somebody else changed the same field since."""

    yours: dict[str, Any]
    theirs: dict[str, Any]
    now: Any = Field(description="what stands there now")
    by: str
    at: Instant


class Applied(BaseModel):
    """The draft's revision after an edit; what is not among the conflicts was done."""

    revision: int
    conflicts: list[Conflict]


class OfRevision(Asked):
    """What was looked at."""

    revision: Revision


class SentBack(Asked):
    """Why a draft is opened again."""

    comment: str = Field(max_length=300)


class Publish(OfRevision):
    """Make the question set from this revision."""

    breaks_confirmed: bool = Field(
        default=False, description="answers to the codes in `breaks` need not be comparable any more"
    )


class Published(BaseModel):
    """The question set that was made."""

    number: int
    hash: str
    family: int
    previous: int | None
    change: str = Field(description="classes of change against `previous`, joined by commas")


class Text(BaseModel):
    """One text that is another now."""

    code: str = Field(description="of its question; empty for a text of the set")
    what: str = Field(description="text, labels, thanks or a word's key")
    language: str
    old: str
    new: str


class Comparison(BaseModel):
    """What a question set has otherwise than another one."""

    classes: list[str] = Field(description="wording, scale, order, translation, added, removed")
    added: list[str]
    removed: list[str]
    reworded: list[Text]
    translated: list[Text]
    moved: list[str] = Field(description="sentences")
    rescaled: list[str] = Field(description="sentences")
    breaks: dict[str, list[str]] = Field(description="codes whose answers cannot be compared, and why")


class Label(Asked):
    """A name for a version, such as `summer`; empty: none."""

    label: str = Field(max_length=40)


class Choice(Asked):
    """Which kiosks: and-ed between the kinds, or-ed within one; an empty kind limits nothing."""

    units: list[int] = Field(default=[], max_length=1_000)
    labels: list[str] = Field(default=[], max_length=1_000)
    models: list[str] = Field(default=[], max_length=100)
    places: list[int] = Field(default=[], max_length=10_000)


class Kiosk(BaseModel):
    """How far a kiosk is with the set that is wished of it, by its own last report."""

    device_id: str
    state: str = Field(
        description="asks, idle (waits for a quiet moment), card (waits for its printed card), planned (asks another "
        "by its schedule), fetching, wished (has not answered yet), silent, refused, withheld (is not sent it), revoked"
    )
    asks: int | None = Field(description="number of the set that it asks now")
    wished_at: Instant | None
    heard_at: Instant | None
    reason: str = Field(description="why it refused, in its own words, or why it is not sent it; in English")


class Kiosks(BaseModel):
    """The kiosks of which a question set is wished now."""

    faults: list[str] = Field(description="why no kiosk is sent it; empty for a good set")
    kiosks: list[Kiosk]


class NewRollout(Asked):
    """A rollout to be begun."""

    set_number: int = Field(ge=1, le=0xFFFF)
    choice: Choice
    stages: list[dict[str, Any]] = Field(
        max_length=20,
        description="the last one says all",
        examples=[
            [{"places": 3, "wait_min": 1440}, {"share": 25, "wait_min": 1440}, {"all": True, "wait_min": 0}]
        ],
    )
    stop_rule: dict[str, int | None] = Field(
        default={}, examples=[{"refused": 5, "silent": 10, "presses": 50, "completion": 30}]
    )
    go_back: bool = Field(default=False, description="the stop rule also rolls back")


class Rollout(BaseModel):
    """A rollout."""

    id: int
    set_number: int
    state: str = Field(description="running, paused, halted, done or undone")
    stage: int = Field(description="position of the stage that is under way, from 0")
    choice: dict[str, Any]
    stages: list[dict[str, Any]]
    stop_rule: dict[str, Any]
    go_back: bool
    created_at: Instant
    created_by: str
    ended_at: Instant | None
    reason: str = Field(description="why it halted, in English; empty when it did not")


class RolloutDevice(BaseModel):
    """A kiosk's part in a rollout."""

    device_id: str
    stage: int
    before_set: int | None
    wished_at: Instant | None
    reported_at: Instant | None
    refused: str = Field(description="the kiosk's own reason; empty when it did not refuse")


class OneRollout(Rollout):
    """A rollout kiosk by kiosk; those that you may not see are left out."""

    devices: list[RolloutDevice]


class Rollouts(BaseModel):
    """Rollouts by id; ask on with `after` = `next` until `next` is null."""

    rollouts: list[Rollout]
    next: int | None


Step = Literal["pause", "resume", "go-on", "back"]


class NewSchedule(Asked):
    """A schedule to be made: at these places, days and hours this set is asked."""

    name: str = Field(max_length=200)
    set_number: int = Field(ge=1, le=0xFFFF)
    choice: Choice
    first_day: str = Field(
        default="", max_length=10, examples=["2027-01-07"], description="empty: from now on"
    )
    last_day: str = Field(default="", max_length=10, description="empty: until it is ended")
    weekly: dict[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], str] = Field(
        default={}, examples=[{"mon": "8-16"}], description="hours by day; empty: at any time"
    )
    holidays: Literal["any", "not", "only"] = "any"


class Schedule(BaseModel):
    """A schedule."""

    id: int
    name: str
    set_number: int
    choice: dict[str, Any]
    from_at: Instant | None
    to_at: Instant | None
    weekly: dict[str, Any]
    holidays: str
    created_by: str
    ended_at: Instant | None
    fault: str = Field(description="why no kiosk follows it, in English; empty for a good one")


class Schedules(BaseModel):
    """Schedules by id; ask on with `after` = `next` until `next` is null."""

    schedules: list[Schedule]
    next: int | None


class Kept(BaseModel):
    """A question set's label and whether it is in the archive."""

    number: int
    label: str
    archived: bool

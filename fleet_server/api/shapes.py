"""What the API answers with, field by field; these models are also its OpenAPI description.

Instants are ISO 8601 in UTC. Here are volumes only: how many pressed, never what; see result_shapes.py for that.
"""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from fleet_server.api.codes import MEANINGS, Code

Instant = Annotated[AwareDatetime, Field(examples=["2026-03-02T08:00:00Z"])]


class Books(BaseModel):
    """A device's two books, as of its last message. `balanced` null: nothing heard yet, nothing known."""

    pressed: int = Field(description="answers, by the kiosk's own counter")
    received: int = Field(description="answers that are booked")
    waiting: int = Field(description="records that the kiosk holds and that are not booked yet")
    rejected: int = Field(description="records that were refused, kept raw in quarantine")
    lost: int = Field(description="records that are known never to arrive")
    counted: int = Field(description="received answers that count")
    filtered: int = Field(description="received answers that a rule leaves out")
    refused: int = Field(description="presses that the full kiosk refused, visibly, and gave no thanks for")
    records: int = Field(description="records written so far, over all epochs")
    as_of: Instant | None
    balanced: bool | None
    faults: list[str] = Field(
        description="each is an alarm: what does not balance, or needs a look although it does; in English"
    )


class Epoch(BaseModel):
    """The books of one epoch: one life of the kiosk's journal."""

    epoch: int
    next: int = Field(description="number of records written in it")
    pressed: int
    received: int
    waiting: int
    rejected: int
    lost: int
    refused: int
    counted: int
    filtered: int
    balanced: bool
    faults: list[str] = Field(description="what does not balance or needs a look, in English")
    held: bool = Field(description="whether the kiosk still holds it")


class Device(BaseModel):
    """A kiosk."""

    id: str
    name: str
    model: str
    virtual: bool
    status: str = Field(description="new, here, sleeping, update, lost, late or revoked")
    status_since: Instant
    contact_at: Instant | None
    late_at: Instant | None = Field(description="when it counts as late if nothing is heard before")
    firmware: str | None
    place_id: int | None
    running_set: int | None
    wished_set: int | None
    wish: str = Field(
        description="none (nothing is wished), met, under way, refused (by the kiosk) or withheld (it is not sent)"
    )
    reason: str = Field(description="why it was refused (the kiosk's own words) or is withheld; else empty")
    books: Books | None


class OneDevice(Device):
    """A kiosk with each epoch of its journal, oldest first."""

    epochs: list[Epoch]


class Devices(BaseModel):
    """A page of devices by id; ask on with `after` = `next` until `next` is null."""

    devices: list[Device]
    next: str | None


class Place(BaseModel):
    """A place where feedback is given."""

    id: int
    name: str
    unit_id: int
    demo: bool = Field(description="virtual devices stand here; no total includes it")
    device_ids: list[str] = Field(description="devices that stand there now")
    labels: list[str] = Field(description="by which question sets are rolled out and scheduled")
    address: str | None = Field(
        description="what its QR code holds, for ever the same; null while the county gives no public address"
    )


class Places(BaseModel):
    """A page of places by id; ask on with `after` = `next` until `next` is null."""

    places: list[Place]
    next: int | None


class Count(BaseModel):
    """Presses of one hour, day or month of Finland's time."""

    start: Instant
    presses: int = Field(description="`counted`, or with `with_filtered` the sum of `counted` and `filtered`")
    counted: int
    filtered: int = Field(description="recorded, but left out by a rule")
    by_channel: dict[str, int] = Field(
        description="`counted` by channel: `kiosk`, and `qr` (the form behind the place's QR code)"
    )
    by_rule: dict[str, int] = Field(
        description="`filtered` by rule: `corrected` (by its giver), `repeat`, `burst`, `hours`"
    )


class Counts(BaseModel):
    """Presses of a place; hours, days or months without any are left out.

    An answer whose time is known less finely than `grain` is not in `counts`: see `not_placed`.
    """

    model_config = {"populate_by_name": True}

    place_id: int
    grain: str
    from_: Instant = Field(alias="from")
    to: Instant
    with_filtered: bool = Field(description="whether `presses` and `not_placed` hold filtered presses, too")
    rules_version: int = Field(description="of the misuse rules by which new presses are filtered")
    counts: list[Count]
    not_placed: dict[str, int] = Field(
        description="answers known to the day or month only (which begins in the range), or of "
        "which the time is not known yet (`unknown`, of any time)"
    )


class QuestionSet(BaseModel):
    """A question set in a list."""

    number: int
    name: str
    version: str
    hash: str
    created_at: Instant


class QuestionSets(BaseModel):
    """A page of question sets by number; ask on with `after` = `next` until `next` is null."""

    question_sets: list[QuestionSet]
    next: int | None


class OneQuestionSet(QuestionSet):
    """A question set with its texts."""

    body: dict[str, object]


class Fault(BaseModel):
    """Why a request was not answered: always in English; `field` and `value` where one of its fields is to blame."""

    error: str = Field(description="for people")
    code: Code = Field(
        description="for programs: " + "; ".join(f"`{code}`: {meaning}" for code, meaning in MEANINGS.items())
    )
    field: str | None = None
    value: str | None = None
    faults: list[str] = Field(
        default=[], description="everything that has to be put right, where that is known"
    )


FAULTS: dict[int | str, dict[str, Any]] = {status: {"model": Fault} for status in (401, 403, 404, 409, 422)}

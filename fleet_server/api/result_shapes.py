"""What the API answers with about results, field by field: sums of whole blocks, never single answers."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field


class Subject(BaseModel):
    """A unit with everything below it, or a place."""

    kind: Literal["unit", "place"]
    id: int
    name: str = Field(description="of a unit in the language of Accept-Language")
    unit_oid: str | None = Field(description="of the unit, or of the place's unit")
    demo: bool = Field(description="a place for trying things out, in no sum")


class Estimate(BaseModel):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int


class Figures(BaseModel):
    """What visitors answered to a question, as the sum of closed blocks."""

    n: int = Field(description="visitors, those who cannot say among them")
    cant_say: int
    counts: dict[str, int] = Field(
        description="how many chose each value (of a choice: each option, from 0; one visitor may choose several)"
    )
    shares: dict[str, float] = Field(description="the same of n - cant_say, 0 to 1; empty when nobody said")
    headline: Estimate | None = Field(
        description="see the question's `measure`: NPS from -100 to 100, else a share from 0 to 1"
    )
    mean: Estimate | None


class FromSource(BaseModel):
    """Figures from one device of a place, or one channel of a unit. `figures` null: withheld, which is not zero."""

    channel: str = Field(description="`kiosk` or `qr`")
    device_id: str | None
    device_model: str | None
    status: Literal["released", "withheld"]
    figures: Figures | None


class Period(BaseModel):
    """A period, both days included, with all sources together and each of them; see FromSource for `figures`."""

    model_config = {"populate_by_name": True}

    from_: date = Field(alias="from")
    to: date
    status: Literal["released", "withheld"]
    figures: Figures | None
    sources: list[FromSource]


class Question(BaseModel):
    """A question in one wording and scale. Answers of two series are never to be joined."""

    code: str
    type: str
    series: int
    question_set: int = Field(description="number of the set that asked it so first")
    several: bool = Field(description="a choice of which a visitor may choose several")
    texts: dict[str, str] = Field(description="its wording by language")
    labels: dict[str, str] = Field(
        description="{value: what visitors read} in the language of Accept-Language"
    )
    measure: str = Field(description="what `headline` is; empty for choices and texts")
    interval: str = Field(
        description="`multinomial`: variance of a multinomial (Rocks 2016); `wilson`: Wilson's score interval (1927); "
        "of means always the normal approximation"
    )
    periods: list[Period]


class Results(BaseModel):
    """Every question of which something is released in the time, in each of its periods.

    A block of answers counts for the day of its last one. No two answers of this API, whatever is asked when, differ by
    fewer than the visitors of a whole block.
    """

    model_config = {"populate_by_name": True}

    subject: Subject
    from_: date = Field(alias="from")
    to: date
    grain: str
    with_filtered: bool
    least_respondents: int = Field(
        description="visitors in a block at least, as the county decided for new ones"
    )
    waiting: int = Field(description="answers, of any time, that wait until enough others have come")
    questions: list[Question]


class OpenText(BaseModel):
    """What a visitor wrote. Nothing finer is known of when than the days of its block's first and last answer."""

    text: str
    place: str
    first_day: date
    last_day: date


class OpenTexts(BaseModel):
    """A page of open texts, newest blocks first; ask on with `offset` = `next` until `next` is null."""

    subject: Subject
    found: int
    texts: list[OpenText]
    next: int | None

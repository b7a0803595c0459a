"""What the API takes and gives for what a draft says: its library, its translations, its screens, its history; and for
holidays. Also their OpenAPI description.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from fleet_server.api.desk_shapes import Asked, Revision
from fleet_server.api.shapes import Instant

Eve = Literal["epiphany", "easter", "may_day", "midsummer", "christmas", "new_year"]


class Item(BaseModel):
    """A ready question of the library. `text`, `status` and `source` are by language."""

    code: str = Field(description='chosen by the operation `add` with `to`: `{"item": code}`')
    version: int
    type: str
    sector: str = Field(description="health, social, or empty: worded for both")
    national: bool = Field(description="its wording and its scale are locked in a draft")
    text: dict[str, str]
    labels: dict[str, list[str]]
    status: dict[str, str] = Field(description="verbatim, reconstructed, or ours")
    source: dict[str, str]


class Library(BaseModel):
    """Every item in its newest version."""

    items: list[Item]


class Language(BaseModel):
    """A language of a draft and how far its texts are."""

    language: str
    is_source: bool = Field(description="the first language, which the others translate")
    required: bool = Field(description="the county publishes nothing without it")
    missing: int
    stale: int


class Languages(BaseModel):
    """The languages of a draft. They are changed by the operation `set` on the path `languages`."""

    revision: int
    languages: list[Language]


class TextInLanguage(BaseModel):
    """One text of a draft in one language."""

    path: str = Field(examples=["questions/OWN-1/text/sv"])
    kind: str = Field(description="question, label, thanks or word")
    question: str = Field(description="its question's code; of a word its key; else empty")
    source: str = Field(description="what the draft's first language says there")
    text: str = Field(description="empty: missing")
    ready: bool = Field(description="a word of the kiosk as it came, which this draft does not say otherwise")
    locked: bool = Field(description="national: it cannot be translated here")
    stale_for: str | None = Field(
        description="the source text that it was made for, when the source says something else by now"
    )
    most: int = Field(description="characters that fit")


class Texts(BaseModel):
    """Everything that a draft says, in one language."""

    revision: int
    language: str
    source_language: str
    texts: list[TextInLanguage]


class Translation(Asked):
    """Texts of one language, translated from what the source said at `revision`. What is left out stays."""

    revision: Revision
    texts: dict[str, str] = Field(
        default={},
        max_length=2_000,
        description="by path; an empty text takes it away (of a word: leaves the ready one)",
        examples=[{"questions/OWN-1/text/sv": "Hur gick det?"}],
    )
    keep: list[str] = Field(
        default=[],
        max_length=2_000,
        description="paths whose text is still right, although its source changed",
    )


class SheetChange(BaseModel):
    """One text that a spreadsheet says otherwise."""

    op: dict[str, Any] = Field(description="the operation that does it, for `/drafts/{id}/ops`")
    now: str
    then: str
    source_changed: bool = Field(description="its source was altered here since the sheet was made")
    text_changed: bool = Field(description="it was itself altered here since")


class SheetRead(BaseModel):
    """What a spreadsheet that came back would change. Nothing is done yet: send the `op`s that you want."""

    revision: int
    changes: list[SheetChange]


class Look(BaseModel):
    """Somebody looked at all screens on a model, or walked through the flow to the thank-you."""

    model: str
    walked: bool
    by: str
    at: Instant


class Screen(BaseModel):
    """One screen as the kiosk draws it."""

    picture: str = Field(description="address of a PNG, by the same token")
    question: str = Field(description="its code; empty for a screen of none")
    texts: list[str] = Field(description="what is read on it, from above")
    misfits: list[str] = Field(description="texts that have no room")


class Preview(BaseModel):
    """The screens of a draft on one model in one language, and who has looked."""

    revision: int
    content: str = Field(description="names what is shown here; send it when it was looked at")
    models: list[str] = Field(description="those with a screen that can ask it")
    to_see: list[str] = Field(description="those whose preview somebody has still to see before publishing")
    model: str | None
    language: str | None
    faults: list[str] = Field(description="in English; while there are any, no look is noted")
    screens: list[Screen]
    looks: list[Look]


class Looked(Asked):
    """“All these screens were looked at.”"""

    content: str = Field(max_length=64, description="that of the preview which was looked at")
    model: str = Field(max_length=20)


class Edit(BaseModel):
    """One edit of a draft."""

    revision: int
    at: Instant
    by: str
    ops: list[dict[str, Any]]
    undoes: int | None = Field(description="the revision that it took back")


class Edits(BaseModel):
    """Edits by revision; ask on with `after` = `next` until `next` is null."""

    edits: list[Edit]
    next: int | None


class Holiday(BaseModel):
    """One day that counts as a holiday."""

    day: str = Field(examples=["2026-12-24"])
    name: str


class Holidays(BaseModel):
    """Which eves the county counts among Finland's public holidays, and the days that come of it, a year ahead."""

    eves: list[Eve]
    holidays: list[Holiday]


class Eves(Asked):
    """The eves that count as holidays, in the whole county; those left out do not."""

    eves: list[Eve] = Field(max_length=6)


class Unit(BaseModel):
    """A unit of the county's tree."""

    id: int
    parent_id: int | None
    name_fi: str
    name_sv: str
    name_en: str
    sector: str = Field(description="health or social")


class Units(BaseModel):
    """Units, parents before children; who sees a part of the tree sees a parent's id without the parent."""

    units: list[Unit]


class Labels(Asked):
    """The labels of a place, by which question sets are rolled out and scheduled."""

    labels: list[Annotated[str, Field(pattern="^[^,]*$")]] = Field(max_length=100, examples=[["ward"]])

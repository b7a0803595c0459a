"""What was booked: records as they came, the ledger of every seq, clock anchors, counts, and what was refused."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, String, text
from sqlmodel import Field, SQLModel

# An answer with a text. Without parameters, as the index has it: only then do the databases know that the index holds
# all that is asked for.
HAS_TEXT = text("kind = 1 AND length(body) > 0")


def _seq(**more: object) -> Column:  # type: ignore[type-arg]
    """u32 does not fit PostgreSQL's signed integer."""
    return Column(BigInteger, nullable=False, autoincrement=False, **more)  # type: ignore[arg-type]


class JournalEpoch(SQLModel, table=True):
    """One epoch of one device's journal, as of the header with the highest `next` that was heard."""

    __tablename__ = "journal_epoch"

    device_id: str = Field(primary_key=True, foreign_key="device.id", max_length=12)
    epoch: int = Field(sa_column=_seq(primary_key=True))
    age: int = Field(default=0, description="order among the device's epochs, oldest lowest")
    next: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    pressed: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    waiting: int = Field(
        default=0, sa_column=Column(BigInteger, nullable=False), description="as the kiosk said, for display"
    )
    header_next: int = Field(
        default=0,
        sa_column=Column(BigInteger, nullable=False),
        description="the `next` that came with `pressed` and `waiting`",
    )
    through: int = Field(
        default=0, sa_column=Column(BigInteger, nullable=False), description="every seq below is booked"
    )
    last_boot: int = Field(
        default=-1,
        sa_column=Column(BigInteger, nullable=False),
        description="highest clock run, -1: none yet",
    )
    received_answers: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    counted_answers: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    filtered_answers: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    refused_presses: int = Field(
        default=0,
        sa_column=Column(BigInteger, nullable=False),
        description="presses that the full kiosk refused, as its refused records say",
    )
    forks: int = Field(default=0, description="records that came with a key already taken by another one")
    untold: str = Field(
        default="",
        sa_column=Column(String, nullable=False),
        description="rejected ranges that did not fit into the last receipt, JSON [[from, to, reason], ...]",
    )
    progress_at: int = Field(
        sa_column=Column(BigInteger, nullable=False),
        description="when something was last booked, or last nothing was waiting",
    )
    first_heard_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    last_heard_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    gone_at: int | None = Field(
        default=None, sa_column=Column(BigInteger, nullable=True), description="no longer held by the device"
    )
    by_server: bool = Field(default=False, description="made by the server for an admitted fork")
    taken_in: int = Field(
        default=0,
        sa_column=Column(BigInteger, nullable=False, server_default="0"),
        description="answers of every seq below were looked at for the results, see results/release.py",
    )
    coarse: int = Field(
        default=0,
        sa_column=Column(BigInteger, nullable=False, server_default="0"),
        description="every record with a seq below has coarse times, see answers/coarsening.py",
    )


class LedgerRange(SQLModel, table=True):
    """All seqs in [start, stop) of an epoch are `received`, `rejected` or `lost`; what no row covers is waiting."""

    __tablename__ = "ledger_range"

    device_id: str = Field(primary_key=True, foreign_key="device.id", max_length=12)
    epoch: int = Field(sa_column=_seq(primary_key=True))
    start: int = Field(sa_column=_seq(primary_key=True))
    stop: int = Field(sa_column=Column(BigInteger, nullable=False))
    state: str = Field(max_length=8)


class Record(SQLModel, table=True):
    """A received record, in the order of the wire. The key is what makes "at least once" into "exactly once".

    `from_at`/`to_at`: the interval in which it was pressed, UTC ms, null while no clock is known.
    `grain`: `hour`, `day`, `month` or `unknown`, the finest bucket that holds the interval.
    `crc`: as the kiosk wrote it, or what answers/fingerprints.py keeps of it; from COARSE on, all times are coarse.
    `filtered`: null when counted, else the rule's name. `block_id`: no foreign key, for the same reason as `place_id`.
    """

    # Clustered by its key: a device's records of one run lie together, and no second index is kept up for each press.
    # But for the few that carry a text: those are found by their block, to be taken away with it.
    __table_args__ = (
        Index("ix_record_text", "block_id", sqlite_where=HAS_TEXT, postgresql_where=HAS_TEXT),
        {"sqlite_with_rowid": False},
    )

    device_id: str = Field(primary_key=True, foreign_key="device.id", max_length=12)
    epoch: int = Field(sa_column=_seq(primary_key=True))
    kind: int = Field(sa_column=Column(SmallInteger, nullable=False))
    flags: int = Field(sa_column=Column(SmallInteger, nullable=False))
    seq: int = Field(sa_column=_seq(primary_key=True))
    boot: int = Field(sa_column=Column(BigInteger, nullable=False))
    uptime: int = Field(sa_column=Column(BigInteger, nullable=False), description="tenths of a second")
    set_number: int = Field(sa_column=Column(Integer, nullable=False))
    session: int = Field(sa_column=Column(SmallInteger, nullable=False))
    question: int = Field(sa_column=Column(SmallInteger, nullable=False))
    language: int = Field(sa_column=Column(SmallInteger, nullable=False))
    value: int = Field(sa_column=Column(SmallInteger, nullable=False))
    pressed: int = Field(sa_column=Column(Integer, nullable=False))
    body: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))
    crc: int = Field(sa_column=Column(BigInteger, nullable=False))
    received_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    # No foreign key: a place that ever had a device is not deleted, and checking that here would read every record.
    place_id: int | None = Field(default=None)
    from_at: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    to_at: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    grain: str = Field(default="unknown", max_length=8)
    filtered: str | None = Field(default=None, max_length=20)
    block_id: int | None = Field(
        default=None, sa_column=Column(BigInteger, nullable=True), description="released in this block"
    )


class ClockRun(SQLModel, table=True):
    """One run of a kiosk's uptime counter, (device, epoch, boot), and what is known of when it was.

    With a clock: the usable anchor of the highest uptime, and the bounds that it sets for the runs before and after.
    Without one: `from_at`/`to_at`, the interval between its neighbours, once both are known.
    `press_seq`, `press_uptime`: of its last visit's first answer, so that most presses ask for no other.
    """

    __tablename__ = "clock_run"
    __table_args__ = {"sqlite_with_rowid": False}

    device_id: str = Field(primary_key=True, foreign_key="device.id", max_length=12)
    epoch: int = Field(sa_column=_seq(primary_key=True))
    boot: int = Field(sa_column=_seq(primary_key=True))
    first_seq: int = Field(sa_column=_seq())
    last_seq: int = Field(sa_column=_seq())
    last_uptime: int = Field(sa_column=_seq())
    anchor_seq: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    anchor_uptime: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    anchor_utc_ms: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    anchor_uncertainty_ms: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    began_before: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    ended_after: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    from_at: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    to_at: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    rules: int = Field(
        default=0,
        description="version of the misuse rules that decides on its presses; negative: not on all of them yet",
    )
    press_seq: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    press_uptime: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))


class ClockAnchor(SQLModel, table=True):
    """A clock record: at `uptime` of run (device, epoch, boot) it was `utc_ms` plus or minus `uncertainty_ms`."""

    __tablename__ = "clock_anchor"
    __table_args__ = {"sqlite_with_rowid": False}

    device_id: str = Field(primary_key=True, foreign_key="device.id", max_length=12)
    epoch: int = Field(sa_column=_seq(primary_key=True))
    boot: int = Field(sa_column=_seq(primary_key=True))
    seq: int = Field(sa_column=_seq(primary_key=True))
    uptime: int = Field(sa_column=_seq())
    utc_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    uncertainty_ms: int = Field(sa_column=Column(BigInteger, nullable=False))


class PressCount(SQLModel, table=True):
    """Presses per place, device and bucket of time: the volumes, open to whoever may see the place.

    `simulated`: how many of `counted` were made by simulated patients.

    `place_id` 0: no place (the device stood nowhere, or the interval straddles a move).
    `start_at`: UTC ms at which the local hour, day or month begins; 0 with grain `unknown`.
    """

    __tablename__ = "press_count"
    __table_args__ = (Index("ix_press_count_place", "place_id", "grain", "start_at"),)

    place_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    device_id: str = Field(primary_key=True, foreign_key="device.id", max_length=12)
    grain: str = Field(primary_key=True, max_length=8)
    start_at: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    counted: int = Field(default=0)
    filtered: int = Field(default=0)
    simulated: int = Field(default=0)


class UnitPressCount(SQLModel, table=True):
    """Presses of a unit with all below it, by channel and bucket of time: the sum of its places' PressCounts.

    Demo places are in none. Buckets as in PressCount, without `unknown`: those have no time to be summed by.
    """

    __tablename__ = "unit_press_count"
    __table_args__ = {"sqlite_with_rowid": False}

    unit_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    start_at: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    grain: str = Field(primary_key=True, max_length=8)
    channel: str = Field(primary_key=True, max_length=8)
    counted: int = Field(default=0)
    filtered: int = Field(default=0)


class FilterCount(SQLModel, table=True):
    """Why the `filtered` of a PressCount are filtered: so many by each rule, `simulated` of them simulated."""

    __tablename__ = "filter_count"
    __table_args__ = (Index("ix_filter_count_place", "place_id", "grain", "start_at"),)

    place_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    device_id: str = Field(primary_key=True, foreign_key="device.id", max_length=12)
    grain: str = Field(primary_key=True, max_length=8)
    start_at: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    rule: str = Field(primary_key=True, max_length=20)
    answers: int = Field(default=0)
    simulated: int = Field(default=0)


class Quarantine(SQLModel, table=True):
    """What was not booked as it came: whole messages and single records, raw, with the reason.

    `evidence`: the raw form is all that is left of thanked answers (rejected seqs, forks), so it is kept far longer
    than what booked nothing, of which the last 100 a device stay.
    """

    id: int | None = Field(default=None, primary_key=True)
    device_id: str = Field(foreign_key="device.id", index=True, max_length=12)
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    source: str = Field(max_length=12, description="`mqtt`, `harvest`, `replay`")
    what: str = Field(max_length=8, description="`message` or `record`")
    epoch: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    seq: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    reason: str = Field(max_length=200)
    evidence: bool = Field(default=False)
    raw: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class BookAlarm(SQLModel, table=True):
    """The books of a device gave an alarm, or stopped to: history and outbox (`processed_at` null: nobody was told).

    `faults`: JSON [[text, values], ...] as in answers/books.py; [] when the alarm was over.
    """

    __tablename__ = "book_alarm"

    id: int | None = Field(default=None, primary_key=True)
    device_id: str = Field(foreign_key="device.id", index=True, max_length=12)
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    faults: str = Field(sa_column=Column(String, nullable=False))
    processed_at: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))


class ServerState(SQLModel, table=True):
    """One row: the generation, random, made with the database and made anew after a restore.

    `since`: what was heard before it came out of a backup, and says nothing of how the devices stand now.
    """

    __tablename__ = "server_state"

    id: int = Field(default=1, primary_key=True)
    generation: int = Field(sa_column=Column(BigInteger, nullable=False))
    since: int = Field(sa_column=Column(BigInteger, nullable=False))

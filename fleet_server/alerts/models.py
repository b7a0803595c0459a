"""What a person has watched for her, and the alerts that came of it.

Invariant: a watch has at most one alert at a time for its subject, or for each place of it.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, text
from sqlmodel import Field, SQLModel

LOW, FALL, SILENCE = "low", "fall", "silence"  # kinds of a Watch
_OPEN = text("cleared_at IS NULL")


class Watch(SQLModel, table=True):
    """A unit or place, watched for one person.

    `low`: the headline of question `code` in the last `weeks` weeks is below `threshold` (as it is shown: NPS points
    or percent), with `sure` its whole interval. `fall`: it is lower than in the 13 weeks before, beyond chance.
    `silence`: no press in `hours` opening hours.
    """

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(
        sa_column=Column(
            Integer, ForeignKey("user_account.id", ondelete="CASCADE"), nullable=False, index=True
        )
    )
    scope: str = Field(max_length=6, description="`unit` or `place`")
    scope_id: int
    kind: str = Field(max_length=8)
    code: str = Field(default="", max_length=40)
    threshold: int = Field(default=0)
    sure: bool = Field(default=True)
    weeks: int = Field(default=4)
    hours: int = Field(default=0)
    mail: bool = Field(default=False)
    created_at: int = Field(sa_type=BigInteger)
    paused_at: int | None = Field(default=None, sa_type=BigInteger)
    removed_at: int | None = Field(default=None, sa_type=BigInteger)


class Alert(SQLModel, table=True):
    """A watch found what it watches for. `place_id`: the place that is silent, else 0.

    `facts`: JSON, the figures as of `began_at`: sums of released blocks, or volumes.
    """

    __table_args__ = (
        Index(
            "uq_alert_open",
            "watch_id",
            "place_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    watch_id: int = Field(
        sa_column=Column(Integer, ForeignKey("watch.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    place_id: int = Field(default=0)
    facts: str = Field(sa_column=Column(String, nullable=False))
    began_at: int = Field(sa_type=BigInteger)
    cleared_at: int | None = Field(default=None, sa_type=BigInteger)
    acknowledged_at: int | None = Field(default=None, sa_type=BigInteger)
    acknowledged_by: str = Field(default="", max_length=200)
    comment: str = Field(default="", max_length=500)

"""Where feedback is given: the tree of units, the places in them, and which device stood where when."""

from sqlalchemy import BigInteger, Column, Index, text
from sqlmodel import Field, SQLModel

from fleet_server.places.codes import new_code


class Unit(SQLModel, table=True):
    """A unit of the county's tree. `path` holds the ids from the root (`/1/4/9/`): a unit's subtree is a prefix."""

    id: int | None = Field(default=None, primary_key=True)
    parent_id: int | None = Field(default=None, foreign_key="unit.id")
    path: str = Field(default="", max_length=400, index=True)
    name_fi: str = Field(max_length=200)
    name_sv: str = Field(max_length=200)
    name_en: str = Field(max_length=200)
    oid: str | None = Field(
        default=None, max_length=100, description="identifier in the SOTE organisation register"
    )
    sector: str = Field(default="health", max_length=10, description="`health` or `social`")


class Place(SQLModel, table=True):
    """A measurement point, such as an exit of a clinic. History belongs to the place, not to the device."""

    id: int | None = Field(default=None, primary_key=True)
    unit_id: int = Field(foreign_key="unit.id", index=True)
    name: str = Field(max_length=200)
    demo: bool = Field(default=False, description="virtual devices stand only here; no total includes it")
    created_at: int = Field(sa_type=BigInteger)
    code: str = Field(
        default_factory=new_code,
        max_length=8,
        unique=True,
        index=True,
        description="in its public address, for ever the same",
    )


class PlaceLabel(SQLModel, table=True):
    """A county's own mark on places (`ward`, `winter2027`), by which sets are rolled out and scheduled."""

    __tablename__ = "place_label"

    place_id: int = Field(primary_key=True, foreign_key="place.id", sa_column_kwargs={"autoincrement": False})
    label: str = Field(primary_key=True, max_length=40, index=True)


class Installation(SQLModel, table=True):
    """A device stood at a place in [from_at, to_at); `to_at` null: it stands there now."""

    __table_args__ = (
        Index(
            "uq_installation_open",
            "device_id",
            unique=True,
            sqlite_where=text("to_at IS NULL"),
            postgresql_where=text("to_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    place_id: int = Field(foreign_key="place.id", index=True)
    device_id: str = Field(foreign_key="device.id", index=True, max_length=12)
    from_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    to_at: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))


class OpeningHours(SQLModel, table=True):
    """A place's opening hours from a Finnish midnight on, until the next row's. See places/hours.py.

    `weekly`: JSON {"mon": [["08:00", "16:00"], ...], ...}; empty: from then on it has none.
    `pending_since`: when it was last changed, as long as presses booked before may still be judged by what held then.
    """

    __tablename__ = "opening_hours"

    place_id: int = Field(primary_key=True, foreign_key="place.id", sa_column_kwargs={"autoincrement": False})
    from_at: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    weekly: str = Field(default="", max_length=2_000)
    pending_since: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))

    @property
    def pending(self) -> bool:
        """Whether older presses are still to be judged."""
        return self.pending_since is not None

"""Devices: their credentials, what they last said of themselves, what is wished of them, and how they were."""

from sqlalchemy import BigInteger, Column, Index, String, text
from sqlmodel import Field, SQLModel

KIOSK, QR = "kiosk", "qr"  # channels: how answers come in


class Device(SQLModel, table=True):
    """A kiosk, or with channel `qr` the journal of a place's phones.

    `late_at`: the instant at which it becomes late, its last message plus what it announced plus grace.
    """

    __table_args__ = (
        Index(
            "ix_device_late_at",
            "late_at",
            sqlite_where=text("late_at IS NOT NULL"),
            postgresql_where=text("late_at IS NOT NULL"),
        ),
    )

    id: str = Field(
        primary_key=True,
        max_length=12,
        description="12 characters [a-z0-9]; also MQTT user name and client id",
    )
    name: str = Field(max_length=200)
    model: str = Field(max_length=20, description="`button4`, `button5`, …")
    secret_sha256: str = Field(max_length=64)
    virtual: bool = Field(default=False)
    channel: str = Field(default=KIOSK, max_length=8, description="`kiosk`, or `qr`: see phone/journal.py")
    created_at: int = Field(sa_type=BigInteger)
    revoked_at: int | None = Field(default=None, sa_type=BigInteger)

    status: str = Field(
        default="new", max_length=10, description="`new`, `here`, `sleeping`, `update`, `lost`, `late`"
    )
    connection: int = Field(
        default=0, sa_type=BigInteger, description="number of the connection that last said `ready`"
    )
    contact_at: int | None = Field(
        default=None, sa_type=BigInteger, description="its last message of any kind"
    )
    late_at: int | None = Field(default=None, sa_type=BigInteger)

    report: str | None = Field(
        default=None, sa_column=Column(String, nullable=True), description="JSON as it came"
    )
    report_at: int | None = Field(default=None, sa_type=BigInteger)
    running_set: int | None = Field(default=None, description="number of the question set that it asks now")
    firmware: str | None = Field(default=None, max_length=40)

    desired_version: int = Field(default=0, sa_type=BigInteger)
    desired: str | None = Field(
        default=None, sa_column=Column(String, nullable=True), description="JSON as it is sent"
    )
    card_confirmed: str | None = Field(
        default=None,
        max_length=64,
        description="hash of the set whose printed card is said to be in the kiosk",
    )
    cleaning_until: int | None = Field(
        default=None, sa_type=BigInteger, description="UTC ms; nobody answers until then"
    )


class StatusChange(SQLModel, table=True):
    """One change of a device's status: history and outbox in one (`processed_at` null: nobody was told yet)."""

    __tablename__ = "status_change"
    __table_args__ = (
        Index(
            "ix_status_change_open",
            "id",
            sqlite_where=text("processed_at IS NULL"),
            postgresql_where=text("processed_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    device_id: str = Field(foreign_key="device.id", index=True, max_length=12)
    at: int = Field(sa_type=BigInteger)
    old: str = Field(max_length=10)
    new: str = Field(max_length=10)
    reason: str = Field(default="", max_length=200)
    processed_at: int | None = Field(default=None, sa_type=BigInteger)


class HealthSample(SQLModel, table=True):
    """How a device was, as one of its reports gave it. Units: dBm, mV, bytes, share 0-1, ms, degrees Celsius."""

    __tablename__ = "health_sample"

    device_id: str = Field(foreign_key="device.id", primary_key=True, max_length=12)
    at: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    signal_dbm: int | None = None
    supply_mv: int | None = None
    heap_free: int | None = None
    flash_free: int | None = None
    journal_fill: float | None = None
    clock_uncertainty_ms: int | None = Field(default=None, sa_type=BigInteger)
    temperature_c: float | None = None
    uptime_s: int | None = Field(default=None, sa_type=BigInteger)
    reset_cause: int | None = None


class CrashReport(SQLModel, table=True):
    """What a kiosk sent after a crash: trace and last lines, as they came (JSON)."""

    __tablename__ = "crash_report"

    id: int | None = Field(default=None, primary_key=True)
    device_id: str = Field(foreign_key="device.id", index=True, max_length=12)
    at: int = Field(sa_type=BigInteger)
    body: str = Field(sa_column=Column(String, nullable=False))

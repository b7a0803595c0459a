"""Rollouts: a question set on its way to many kiosks, in stages, with a rule that stops it; and each one's part."""

from sqlalchemy import BigInteger, Column, String
from sqlmodel import Field, SQLModel

OPEN = ("running", "paused", "halted")


class Rollout(SQLModel, table=True):
    """One rollout. `choice`, `stages` and `stop_rule` are JSON, see rollouts/plan.py.

    `state`: `running`, `paused`, `halted` (by its stop rule), `done`, `undone` (rolled back).
    """

    id: int | None = Field(default=None, primary_key=True)
    set_number: int = Field(foreign_key="question_set.number", index=True)
    state: str = Field(default="running", max_length=10, index=True)
    choice: str = Field(sa_column=Column(String, nullable=False))
    stages: str = Field(sa_column=Column(String, nullable=False))
    stop_rule: str = Field(sa_column=Column(String, nullable=False))
    go_back: bool = Field(default=False, description="the stop rule also rolls back")
    stage: int = Field(default=0, description="position of the stage that is under way")
    stage_at: int = Field(sa_type=BigInteger, description="when it began")
    created_at: int = Field(sa_type=BigInteger)
    created_by: str = Field(max_length=200)
    ended_at: int | None = Field(default=None, sa_type=BigInteger)
    reason: str = Field(default="", max_length=300, description="why it halted")


class RolloutDevice(SQLModel, table=True):
    """A device's part in a rollout. `before_set`: what was wished of it before, for going back."""

    __tablename__ = "rollout_device"

    rollout_id: int = Field(
        primary_key=True, foreign_key="rollout.id", sa_column_kwargs={"autoincrement": False}
    )
    device_id: str = Field(primary_key=True, foreign_key="device.id", max_length=12, index=True)
    stage: int
    before_set: int | None = Field(default=None, foreign_key="question_set.number")
    wished_at: int | None = Field(default=None, sa_type=BigInteger)
    reported_at: int | None = Field(default=None, sa_type=BigInteger, description="said that it asks the set")
    refused: str = Field(default="", max_length=200, description="the kiosk's own reason")


class RolloutEvent(SQLModel, table=True):
    """What happened to a rollout, by whom: the history on its page."""

    __tablename__ = "rollout_event"

    id: int | None = Field(default=None, primary_key=True)
    rollout_id: int = Field(foreign_key="rollout.id", index=True)
    at: int = Field(sa_type=BigInteger)
    by: str = Field(max_length=200)
    what: str = Field(
        max_length=20, description="`begun`, `stage`, `paused`, `resumed`, `halted`, `done`, `undone`"
    )
    note: str = Field(default="", max_length=300)

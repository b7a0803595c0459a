"""What the API for the station tool takes and gives. A secret is in one answer only: that of a new device."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from fleet_server.api.shapes import Instant


class Broker(BaseModel):
    """Where kiosks find their broker."""

    host: str
    port: int
    tls: bool
    ca: str | None = Field(description="PEM of the authority that signed its certificate")
    embedded: bool = Field(
        description="false: the broker must be given the kiosk's name and secret by its operator"
    )


class Station(BaseModel):
    """What the tool has to know before it begins."""

    technician: str = Field(description="who the token acts for")
    address: str = Field(description="of the pages; a device's page is this and /devices/ID")
    models: list[str]
    broker: Broker


class NewDevice(BaseModel):
    """A device that is asked for."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] = Field(
        description="random, made by the tool and kept: the same key gives the same device"
    )
    name: Annotated[str, Field(max_length=300)]
    model: Annotated[str, Field(max_length=60)]
    serial: Annotated[str, Field(max_length=60, pattern="^[0-9A-Za-z:._-]*$")] = Field(
        default="", description="of the board, such as its MAC; one board is one device"
    )
    virtual: bool = False
    place: Annotated[int, Field(ge=1, lt=2**31)] | None = Field(
        default=None, description="number of the place at which it stands from now on"
    )


class DeviceMade(BaseModel):
    """A device that was asked for."""

    id: str
    name: str
    model: str
    place_id: int | None
    new: bool = Field(description="made by this request; false: the key was known")
    secret: str | None = Field(
        description="64 hex digits, in no other answer; null when the device was heard already and keeps what it has"
    )


class Where(BaseModel):
    """A place to put a device."""

    model_config = ConfigDict(extra="forbid")

    place: Annotated[int, Field(ge=1, lt=2**31)]


class Stands(BaseModel):
    """Where a device stands from when on."""

    device_id: str
    place_id: int
    since: Instant


class SwapAsked(BaseModel):
    """Which device takes over."""

    model_config = ConfigDict(extra="forbid")

    new: Annotated[str, Field(pattern="^[a-z0-9]{12}$")]
    without_questions: bool = Field(default=False, description="do not take over the question set")


class SwapDone(BaseModel):
    """What a swap did."""

    place_id: int
    place: str
    old: str
    new: str
    question_set: int | None = Field(description="that the new device is wished")
    waiting: int = Field(
        description="records that the old device was known to hold, as of its last message; they count at this place "
        "when it connects or is harvested"
    )


class AcceptanceKept(BaseModel):
    """An acceptance report that is kept."""

    id: int
    device_id: str
    verdict: str = Field(description="passed, partial (steps were skipped) or failed")
    at: Instant
    by: str
    address: str = Field(description="of its page, to print")

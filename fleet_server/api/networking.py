"""`/api/v1` for a kiosk's network settings: wished, and what became of the last wish; no answer has a key."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field

from fleet_server.accounts.access import Person, allow
from fleet_server.accounts.models import Role
from fleet_server.api.shapes import FAULTS
from fleet_server.devices import network
from fleet_server.devices.network_models import NetworkChange
from fleet_server.devices.network_pages import kiosk, tell
from fleet_server.instants import utc
from fleet_server.web.deps import Now, ReadSession, WriteSession

router = APIRouter(prefix="/api/v1/devices/{device_id}/network", responses=FAULTS)
Operator = Annotated[Person, allow(Role.OPERATOR)]
DeviceId = Annotated[str, InPath(max_length=12)]


class NewNetwork(BaseModel):
    """Settings to be tried; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    way: Literal["", "cable", "radio"] = ""
    ssid: Annotated[str, Field(max_length=300)] = ""
    key: Annotated[str, Field(max_length=300, description="of the Wi-Fi network; never given back")] = ""
    host: Annotated[str, Field(max_length=300, description="of the broker")] = ""
    port: Annotated[str, Field(max_length=300, description="of the broker")] = ""


class Network(BaseModel):
    """The last wish and what became of it."""

    state: str = Field(
        description="none, wished, trying, kept, back (why: `reason`), withdrawn, unfetched (for a week)"
    )
    version: int = 0
    reason: str = ""
    ssid: str | None = Field(default=None, description="'': by cable; null: not changed")
    key: bool = Field(default=False, description="whether a key was part of the wish")
    host: str | None = None
    port: int | None = None
    by: str = ""
    asked_at: datetime | None = None
    changed_at: datetime | None = None


@router.get("")
def known(person: Operator, session: ReadSession, device_id: DeviceId) -> Network:
    """The last wish."""
    device = kiosk(session, person, device_id)
    return _shown(network.newest(session, device.id))


@router.post("", status_code=202)
def change(
    request: Request,
    person: Operator,
    session: WriteSession,
    now: Now,
    device_id: DeviceId,
    asked: NewNetwork,
) -> Network:
    """Let the kiosk try these for ten minutes. It goes back by itself when it cannot return over them."""
    device = kiosk(session, person, device_id)
    row = network.wish(session, device, network.Typed(**asked.model_dump()), actor=person, now=now)
    tell(request, session, device, now)
    return _shown(row)


def _shown(row: NetworkChange | None) -> Network:
    if row is None:
        return Network(state="none")
    return Network(
        state=row.state,
        version=row.version,
        reason=row.reason,
        ssid=row.ssid,
        key=row.has_key,
        host=row.host,
        port=row.port,
        by=row.by,
        asked_at=utc(row.at),
        changed_at=utc(row.changed_at),
    )

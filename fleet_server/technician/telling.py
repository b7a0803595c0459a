"""After a device was put elsewhere: its wishes are made anew and sent, and open pages are told, after the commit."""

from collections.abc import Iterable

from fastapi import Request
from sqlmodel import Session

from fleet_server.db import after_commit
from fleet_server.schedules.pages import tell as tell_devices


def tell(request: Request, session: Session, devices: Iterable[str], places: Iterable[int], now: int) -> None:
    """Wish anew of these devices, and let pages of these places know."""
    topics = [f"place:{place_id}" for place_id in sorted(set(places))]
    tell_devices(request, session, devices, now)
    after_commit(session, lambda: request.app.state.changes.notify(*topics))


def tell_page(request: Request, session: Session, device_id: str) -> None:
    """Only let open pages of this device know."""
    after_commit(session, lambda: request.app.state.changes.notify(f"device:{device_id}"))

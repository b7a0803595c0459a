"""What somebody at a desk asks of one kiosk: to be cleaned in peace, and to ask what its new printed card says.

Both are wishes in the desired document and end by themselves: cleaning when its time is over, a confirmation with the
set that it was given for. Knows no page.
"""

from dataclasses import dataclass

from sqlmodel import Session

from fleet_server.accounts import audit
from fleet_server.accounts.access import Person
from fleet_server.devices.models import Device
from fleet_server.instants import MINUTE_MS
from fleet_server.questions import service as questions
from provisioning.models import MODELS

CLEANING_MS = (
    10 * MINUTE_MS
)  # a wipe takes one; nobody has to hurry, and a kiosk that was forgotten is soon back


@dataclass(frozen=True)
class CardChange:
    """A set that a card kiosk will ask once its card is changed. `confirmed`: somebody said on the page that it is."""

    number: int
    name: str
    hash: str
    confirmed: bool


def card_change(session: Session, device: Device) -> CardChange | None:
    """The set for which this kiosk waits for its card; None for a kiosk without one, or when it asks what is wished."""
    model = MODELS.get(device.model)
    if model is None or model.screen != "none":
        return None
    wished = questions.published_to(session, device.id)
    if wished is None or device.running_set == wished.number:
        return None
    wanted = questions.view_hash(wished, device.model)
    if wanted is None:
        return None  # it is never sent, so no card is to be changed for it
    return CardChange(wished.number, wished.name, wanted, device.card_confirmed == wanted)


def confirm_card(
    session: Session, device: Device, wanted: str, *, actor: Person | str, now: int
) -> CardChange | None:
    """Somebody says that the card for the set with hash `wanted` is in the kiosk. None when that set does not wait
    (any more): another one was published since, and its card is another."""
    change = card_change(session, device)
    if change is None or change.hash != wanted:
        return None
    if not change.confirmed:
        device.card_confirmed = wanted
        session.add(device)
        session.flush()
        after = {"set": change.number}
        audit.record(session, actor, "confirm card", "device", device.id, after=after, now=now)
    return change


def takes_cleaning(device: Device) -> bool:
    """Whether this kiosk can be told from here; on buttons there is no film of fingers, and a gesture does."""
    model = MODELS.get(device.model)
    return model is not None and model.screen == "touch"


def start_cleaning(session: Session, device: Device, *, actor: Person | str, now: int) -> int:
    """Let nobody answer for ten minutes; returns the instant at which that ends by itself, UTC ms."""
    device.cleaning_until = now + CLEANING_MS
    session.add(device)
    session.flush()
    after = {"minutes": CLEANING_MS // MINUTE_MS}
    audit.record(session, actor, "start cleaning", "device", device.id, after=after, now=now)
    return device.cleaning_until


def end_cleaning(session: Session, device: Device, *, actor: Person | str, now: int) -> bool:
    """End it before its time; False when it is over already."""
    if device.cleaning_until is None or device.cleaning_until <= now:
        return False
    device.cleaning_until = None
    session.add(device)
    session.flush()
    audit.record(session, actor, "end cleaning", "device", device.id, now=now)
    return True

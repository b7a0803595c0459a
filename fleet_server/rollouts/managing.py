"""Who may halt a rollout or take it back: whoever may publish to every kiosk of it. It knows no page."""

from sqlmodel import Session, select

from fleet_server.accounts.access import WHOLE_COUNTY, Person, may
from fleet_server.accounts.models import Role
from fleet_server.places.choosing import unit_paths
from fleet_server.rollouts.models import Rollout, RolloutDevice


def may_manage(session: Session, person: Person, rollout: Rollout) -> bool:
    """Whether this person may; a kiosk that stands nowhere belongs to the whole county."""
    if may(person, Role.COORDINATOR, WHOLE_COUNTY):
        return True
    ids = list(session.exec(select(RolloutDevice.device_id).where(RolloutDevice.rollout_id == rollout.id)))
    paths = unit_paths(session, ids)
    return all(may(person, Role.COORDINATOR, paths.get(device_id, WHOLE_COUNTY)) for device_id in ids)

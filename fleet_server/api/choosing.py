"""`/api/v1` for what rollouts and schedules choose their kiosks by: units, and the labels of places.

The services and rules of the page of labels.
"""

from fastapi import APIRouter
from sqlmodel import Session, col, select

from fleet_server.accounts.access import SignedIn, visible_units
from fleet_server.api import draft_shapes as shapes
from fleet_server.api.shapes import FAULTS
from fleet_server.places import service
from fleet_server.places.choosing import label_place, read_labels
from fleet_server.places.keeping import Keeper, kept_place
from fleet_server.places.models import PlaceLabel
from fleet_server.web.deps import Now, ReadSession, RowId, WriteSession

router = APIRouter(prefix="/api/v1", responses=FAULTS)


@router.get("/units")
def units(person: SignedIn, session: ReadSession) -> shapes.Units:
    """The units that you may see, parents before children."""
    rows = service.all_units(session, visible_units(person))
    return shapes.Units(units=[shapes.Unit.model_validate(row, from_attributes=True) for row in rows])


@router.put("/places/{place_id}/labels")
def label(
    person: Keeper, session: WriteSession, now: Now, place_id: RowId, asked: shapes.Labels
) -> shapes.Labels:
    """Give a place that you keep exactly these labels."""
    place = kept_place(session, person, place_id)
    label_place(session, person, place, labels := read_labels(",".join(asked.labels)), now=now)
    return shapes.Labels(labels=labels)


def labels_by_place(session: Session, place_ids: list[int]) -> dict[int, list[str]]:
    """The labels of each of these places, in their order; places without one are absent."""
    found: dict[int, list[str]] = {}
    query = select(PlaceLabel.place_id, PlaceLabel.label).where(col(PlaceLabel.place_id).in_(place_ids))
    for place_id, label in session.exec(query.order_by(col(PlaceLabel.label))):
        found.setdefault(place_id, []).append(label)
    return found

"""`/api/v1`: devices with their books, places with their counts, question sets; for programs with a token.

The same rules as on pages: what the token's role and unit may not see does not exist for it. What was answered is in
results.py; what changes something in desk.py, rolling.py and scheduling.py.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import AwareDatetime
from sqlmodel import Session, col, select

from fleet_server.accounts.access import (
    STATION,
    Person,
    SignedIn,
    allow,
    visible_devices,
    visible_places,
)
from fleet_server.answers import books, rules
from fleet_server.api import shapes
from fleet_server.api.choosing import labels_by_place
from fleet_server.devices.lines import DeviceLine, device_lines
from fleet_server.devices.models import KIOSK, QR, Device
from fleet_server.instants import DAY_MS, to_ms, utc
from fleet_server.phone.address import address_of
from fleet_server.places.models import Installation, Place
from fleet_server.places.volumes import Bucket, buckets, coarser
from fleet_server.questions import service as questions
from fleet_server.questions.models import QuestionSet
from fleet_server.web.deps import ReadSession, RowId

router = APIRouter(prefix="/api/v1", responses=shapes.FAULTS)

# Hours of a year and a day fit in one answer of about 700 kB; whoever wants more asks in pieces.
LONGEST_DAYS = {"hour": 366, "day": 3_660, "month": 36_600}
# The station tool, too, looks up which devices and places there are and waits for a device to be heard.
Reader = Annotated[Person, allow(scope=STATION)]
Limit = Annotated[int, Query(ge=1, le=500, description="at most so many in one answer")]


@router.get("/devices")
def devices(
    person: Reader,
    session: ReadSession,
    after: Annotated[str, Query(max_length=12, description="id of the last device already had")] = "",
    limit: Limit = 100,
) -> shapes.Devices:
    """Devices by id, each with its books."""
    rows = session.exec(
        select(Device)
        .where(col(Device.id).in_(visible_devices(person)), col(Device.id) > after)
        .order_by(col(Device.id))
        .limit(limit + 1)
    ).all()
    shown = [shapes.Device(**_device(line)) for line in device_lines(session, rows[:limit])]
    return shapes.Devices(devices=shown, next=shown[-1].id if len(rows) > limit else None)


@router.get("/devices/{device_id}")
def device(
    person: Reader, session: ReadSession, device_id: Annotated[str, Path(max_length=12)]
) -> shapes.OneDevice:
    """One device with the books of each epoch."""
    row = session.exec(
        select(Device).where(Device.id == device_id, col(Device.id).in_(visible_devices(person)))
    ).one_or_none()
    if row is None:
        raise HTTPException(404, f"device {device_id!r} does not exist")
    epochs = [_epoch(one) for one in books.of_device(session, device_id)]
    return shapes.OneDevice(**_device(device_lines(session, [row])[0]), epochs=epochs)


@router.get("/places")
def places(
    request: Request,
    person: Reader,
    session: ReadSession,
    after: Annotated[int, Query(ge=0, lt=2**31, description="id of the last place already had")] = 0,
    limit: Limit = 100,
) -> shapes.Places:
    """Places by id, each with the devices that stand there now."""
    rows = session.exec(
        select(Place)
        .where(col(Place.id).in_(visible_places(person)), col(Place.id) > after)
        .order_by(col(Place.id))
        .limit(limit + 1)
    ).all()
    standing: dict[int, list[str]] = {row.id or 0: [] for row in rows[:limit]}
    for place_id, device_id in session.exec(
        select(Installation.place_id, Installation.device_id)
        .join(Device, col(Device.id) == col(Installation.device_id))
        .where(
            Device.channel == KIOSK,
            col(Installation.place_id).in_(standing),
            col(Installation.to_at).is_(None),
        )
        .order_by(col(Installation.device_id))
    ):
        standing[place_id].append(device_id)
    labels = labels_by_place(session, list(standing))
    shown = [
        shapes.Place(
            id=row.id or 0,
            name=row.name,
            unit_id=row.unit_id,
            demo=row.demo,
            device_ids=standing[row.id or 0],
            labels=labels.get(row.id or 0, []),
            address=address_of(request.app.state.settings.public_address, row.code) or None,
        )
        for row in rows[:limit]
    ]
    return shapes.Places(places=shown, next=shown[-1].id if len(rows) > limit else None)


@router.get("/places/{place_id}/counts")
def counts(
    person: SignedIn,
    session: ReadSession,
    place_id: RowId,
    from_: Annotated[AwareDatetime, Query(alias="from", description="with its offset from UTC")],
    to: Annotated[AwareDatetime, Query(description="with its offset from UTC; not included")],
    grain: Literal["hour", "day", "month"] = "hour",
    with_filtered: Annotated[
        bool, Query(description="count what the misuse rules leave out, too, in `presses` and `not_placed`")
    ] = False,
) -> shapes.Counts:
    """How many pressed at a place, by hour, day or month of Finland's time that begins in [from, to)."""
    start, stop = _instant("from", from_), _instant("to", to)
    if stop <= start:
        raise _refusal("to", to, f"must be after from, which is {from_.isoformat()}")
    if stop - start > LONGEST_DAYS[grain] * DAY_MS:
        raise _refusal("to", to, f"must be at most {LONGEST_DAYS[grain]} days after from for grain {grain}")
    _visible_place(session, person, place_id)
    found = buckets(session, place_id, grain=grain, start=start, stop=stop)
    return shapes.Counts(
        place_id=place_id,
        grain=grain,
        from_=from_,
        to=to,
        with_filtered=with_filtered,
        rules_version=rules.CURRENT,
        counts=[_count(one, with_filtered) for one in found],
        not_placed=coarser(
            session, place_id, grain=grain, start=start, stop=stop, with_filtered=with_filtered
        ),
    )


@router.get("/question-sets")
def question_sets(
    person: SignedIn,
    session: ReadSession,
    after: Annotated[int, Query(ge=0, lt=2**31, description="number of the last set already had")] = 0,
    limit: Limit = 100,
) -> shapes.QuestionSets:
    """Question sets by number."""
    rows = [row for row in questions.all_sets(session) if row.number > after]
    shown = [shapes.QuestionSet(**_set(row)) for row in rows[:limit]]
    return shapes.QuestionSets(question_sets=shown, next=shown[-1].number if len(rows) > limit else None)


@router.get("/question-sets/{number}")
def question_set(person: SignedIn, session: ReadSession, number: RowId) -> shapes.OneQuestionSet:
    """One question set with its texts."""
    row = session.get(QuestionSet, number)
    if row is None:
        raise HTTPException(404, f"question set {number} does not exist")
    return shapes.OneQuestionSet(**_set(row), body=questions.body_of(row))


def _device(line: DeviceLine) -> dict[str, Any]:
    kept = line.books
    return {
        "id": line.id,
        "name": line.name,
        "model": line.model,
        "virtual": line.virtual,
        "status": line.status,
        "status_since": utc(line.since),
        "contact_at": _utc(line.contact_at),
        "late_at": _utc(line.late_at),
        "firmware": line.firmware,
        "place_id": line.place_id,
        "running_set": line.running.number if line.running else None,
        "wished_set": line.wished.number if line.wished else None,
        "wish": line.wish,
        "reason": str(line.refusal or line.withheld) if line.wish in ("refused", "withheld") else "",
        "books": kept
        and shapes.Books(
            pressed=kept.pressed,
            received=kept.received,
            waiting=kept.waiting,
            rejected=kept.rejected,
            lost=kept.lost,
            counted=kept.counted,
            filtered=kept.filtered,
            refused=kept.refused,
            records=kept.next,
            as_of=_utc(kept.as_of),
            balanced=kept.balanced,
            faults=[str(fault) for fault in kept.faults],
        ),
    }


def _count(one: Bucket, with_filtered: bool) -> shapes.Count:
    return shapes.Count(
        start=utc(one.start),
        presses=one.counted + (one.filtered if with_filtered else 0),
        counted=one.counted,
        filtered=one.filtered,
        by_channel={KIOSK: one.counted - one.phone, QR: one.phone},
        by_rule=one.rules,
    )


def _epoch(one: books.EpochBooks) -> shapes.Epoch:
    return shapes.Epoch.model_validate(one, from_attributes=True)


def _set(row: QuestionSet) -> dict[str, Any]:
    return {
        "number": row.number,
        "name": row.name,
        "version": row.version,
        "hash": row.hash,
        "created_at": utc(row.created_at),
    }


def _visible_place(session: Session, person: Person, place_id: int) -> None:
    query = select(Place.id).where(Place.id == place_id, col(Place.id).in_(visible_places(person)))
    if session.exec(query).first() is None:
        raise HTTPException(404, f"place {place_id} does not exist")


def _instant(name: str, moment: datetime) -> int:
    try:
        return to_ms(moment)
    except (OverflowError, ValueError):
        raise _refusal(name, moment, "is too far from now") from None


def _refusal(name: str, value: datetime, why: str) -> RequestValidationError:
    return RequestValidationError(
        [{"type": "value_error", "loc": ("query", name), "msg": f"{name} {why}", "input": value.isoformat()}]
    )


def _utc(instant: int | None) -> datetime | None:
    return None if instant is None else utc(instant)

"""Who has something watched is told once that it is so, by released answers alone; nobody else is told anything."""

import json
import re
from collections.abc import Sequence

import pytest
from sqlmodel import Session, col, delete, select

from fleet_server.accounts import service as accounts
from fleet_server.accounts.models import AuditEntry, Membership, Role
from fleet_server.alerts import watching
from fleet_server.alerts.models import Alert, Watch
from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.instants import DAY_MS, HOUR_MS, MINUTE_MS
from fleet_server.jobs import Jobs
from fleet_server.mails.models import Mail
from fleet_server.places import opening
from fleet_server.places.models import Place
from tests.conftest import MONDAY_10
from tests.fleet_server.pages.world import World
from tests.fleet_server.results.test_result_pages import answer, text_of
from tests.fleet_server.results.visitors import LATER, Kiosk, let_go

WEEK_MS = 7 * DAY_MS
OPEN = json.dumps(
    {day: [["08:00", "16:00"]] for day in ("mon", "tue", "wed", "thu", "fri")} | {"sat": [], "sun": []}
)


def watch(database: Database, person: str = "anna", **more: object) -> int:
    """A watch of place 1 for a supervisor of all of it."""
    with database.write() as session:
        user = accounts.by_email(session, f"{person}@example.org") or accounts.create_user(
            session, email=f"{person}@example.org", name=person, language="en",
            roles=[(Role.SUPERVISOR, 1)], now=MONDAY_10,
        )  # fmt: skip
        known = {"user_id": user.id, "scope": "place", "scope_id": 1, "created_at": MONDAY_10, "mail": True}
        row = Watch(**(known | more))
        session.add(row)
        session.flush()
        return row.id or 0


def alerts(database: Database, watch_id: int) -> Sequence[Alert]:
    with database.read() as session:
        return session.exec(select(Alert).where(Alert.watch_id == watch_id).order_by(col(Alert.id))).all()


def visit(kiosk: Kiosk, at: int, *values: int) -> None:
    """One visitor each, two minutes apart, from `at` after MONDAY_10 on; sent an hour later."""
    records = [kiosk.answer(value, at_ms=at + 2 * MINUTE_MS * step) for step, value in enumerate(values)]
    kiosk.send(records, now=MONDAY_10 + at + 2 * HOUR_MS)


def code_of(session: Session) -> str:
    from fleet_server.results.models import Series

    return session.exec(select(Series.code).order_by(col(Series.id))).first() or ""


def test_low_scores_and_falls_are_told_once_from_closed_blocks(shared_database: Database) -> None:
    database = shared_database
    kiosk = Kiosk.new(database)
    for week in range(13):
        visit(kiosk, week * WEEK_MS + HOUR_MS, *[5] * 10)
    now = MONDAY_10 + 14 * WEEK_MS
    let_go(database, now=now)
    with database.read() as session:
        code = code_of(session)
    low = watch(database, kind="low", code=code, threshold=60, weeks=1)
    fall = watch(database, kind="fall", code=code, weeks=1)
    unsure = watch(database, "berta", kind="low", code=code, threshold=60, weeks=1, sure=False, mail=False)
    assert watching.look(database, now=now) == 0, "no answers this week: nothing can be said"
    at = 14 * WEEK_MS - DAY_MS
    visit(kiosk, at, *[1] * 4)
    let_go(database, now=now + LATER)
    assert watching.look(database, now=now + LATER) == 0, "four are no block, and tell nothing"
    visit(kiosk, at + HOUR_MS, *[1] * 6)
    let_go(database, now=now + LATER)
    assert watching.look(database, now=now + LATER, places={2}) == 0, "another place"
    assert watching.look(database, now=now + LATER, places={1}) == 3
    assert watching.look(database, now=now + 2 * LATER) == 0, "told already"
    (first,) = alerts(database, low)
    facts = json.loads(first.facts)
    assert (facts["value"], facts["n"], facts["threshold"]) == (0, 10, 60)
    assert json.loads(alerts(database, fall)[0].facts)["before"]["value"] == 100
    assert [alert.cleared_at for alert in alerts(database, unsure)] == [None]
    with database.read() as session:
        keys = session.exec(select(Mail.key).order_by(col(Mail.id))).all()
    assert keys == [f"alert:{alerts(database, one)[0].id}" for one in (low, fall)], "who wants mail gets one"
    visit(kiosk, at + DAY_MS, *[5] * 40)
    let_go(database, now=now + DAY_MS + LATER)
    later = now + DAY_MS + LATER
    assert watching.look(database, now=later) == 2, "80 % is not low, but less than 100 % still"
    assert [one.cleared_at for one in alerts(database, unsure)] == [later]
    with database.write() as session:
        session.get_one(Watch, low).threshold = 99
    assert watching.look(database, now=later + HOUR_MS) == 0, "not again within a day"
    assert watching.look(database, now=later + DAY_MS + 1) == 1


def test_nothing_is_watched_for_who_may_not_read_it_any_more(shared_database: Database) -> None:
    database = shared_database
    gone = watch(database, "doris", kind="low", code="", threshold=100)
    with database.read() as session:
        code = code_of(session)
    with database.write() as session:
        session.get_one(Watch, gone).code = code
        user = accounts.by_email(session, "doris@example.org")
        assert user is not None
        session.exec(delete(Membership).where(col(Membership.user_id) == user.id))
    watching.look(database, now=MONDAY_10 + 14 * WEEK_MS + LATER)
    assert alerts(database, gone) == []


@pytest.fixture
def busy(world: World) -> World:
    """Clinic A had three presses an hour on four weeks' working days, the last one on Friday at 15; open 8 to 16."""
    kiosk = world.kiosks["A"]
    kiosk.switched_on_at = MONDAY_10 - 29 * DAY_MS
    kiosk.learn_time(kiosk.switched_on_at + MINUTE_MS)
    monday_8 = MONDAY_10 - 28 * DAY_MS - 2 * HOUR_MS
    with world.database.write() as session:
        place = session.get_one(Place, world.places["A"])
        opening.save_hours(
            session, "test", place, from_at=MONDAY_10 - 60 * DAY_MS - 10 * HOUR_MS, weekly=OPEN, now=world.now
        )
        from fleet_server.places.models import Installation

        for row in session.exec(select(Installation).where(Installation.place_id == place.id)):
            row.from_at = MONDAY_10 - 60 * DAY_MS
            session.add(row)
    for day in (*range(5), *range(7, 12), *range(14, 19), *range(21, 26)):
        kiosk.learn_time(monday_8 + day * DAY_MS)
        for step in range(24):
            kiosk.press(monday_8 + day * DAY_MS + (step * 20 + 7) * MINUTE_MS, value=1 + step % 5)
        kiosk.send(monday_8 + day * DAY_MS + 9 * HOUR_MS)
    kiosk.say("ready", MONDAY_10 - DAY_MS, seconds=7 * 86_400)
    return world


def hour_of(world: World, hour: int, day: int = 0) -> int:
    return MONDAY_10 + day * DAY_MS + (hour - 10) * HOUR_MS


def test_silence_counts_opening_hours_and_names_a_kiosk_that_is_offline(busy: World) -> None:
    world, database = busy, busy.database
    alice = world.sign_in("alice@example.org")
    form = {"on": f"unit-{world.units['A']}", "kind": "silence", "hours": "3", "mail": "yes"}
    assert alice.post("/results/alerts/new", data=form).status_code == 303
    jobs = Jobs(database, Changes())
    for hour, expected in ((8, 0), (10, 0), (11, 1), (12, 0)):
        before = len(alerts(database, 1))
        jobs.look(hour_of(world, hour))
        assert len(alerts(database, 1)) - before == expected, hour
    world.now = hour_of(world, 12)
    page = text_of(alice.get("/results/alerts").text)
    assert "Nobody has pressed since 27 Feb 2026 16:00" in page
    assert "3 opening hours have gone by; about 9 presses would be usual." in page
    assert "Clinic A · Exit A" in page
    kiosk = world.kiosks["A"]
    kiosk.press(hour_of(world, 12))
    kiosk.send(hour_of(world, 12))
    jobs.look(hour_of(world, 13))
    (told,) = alerts(database, 1)
    assert told.cleared_at == hour_of(world, 13)
    kiosk.say("lost", hour_of(world, 13))
    for hour in (9, 10, 11, 12, 13):
        jobs.look(hour_of(world, hour, day=2))
    world.now = hour_of(world, 13, day=2)
    alice = world.sign_in("alice@example.org")
    assert "The kiosk has not been heard of since 1 Mar 2026 10:00" in text_of(
        alice.get("/results/alerts").text
    )
    with database.read() as session:
        assert len(session.exec(select(Mail)).all()) == 2


def test_a_place_that_is_usually_quiet_is_not_silent(world: World) -> None:
    """No opening hours, two presses a week: a night, a weekend and a day without any say nothing."""
    kiosk = world.kiosks["A"]
    kiosk.learn_time(MONDAY_10 - 3 * HOUR_MS)
    for step in range(2):
        kiosk.press(MONDAY_10 - 2 * HOUR_MS + step * MINUTE_MS * 5)
    kiosk.send(world.now)
    with world.database.write() as session:
        user = accounts.by_email(session, "alice@example.org")
        assert user is not None
        session.add(
            Watch(
                user_id=user.id or 0,
                scope="place",
                scope_id=world.places["A"],
                kind="silence",
                hours=1,
                created_at=0,
            )
        )
    for days in (1, 3, 7):
        assert watching.look(world.database, now=MONDAY_10 + days * DAY_MS) == 0


def test_alerts_are_chosen_acknowledged_changed_and_removed_by_their_owner_alone(world: World) -> None:
    database = world.database
    answer(world, "A", *[1] * 20)
    alice, charlie = (world.sign_in(f"{name}@example.org") for name in ("alice", "charlie"))
    on = f"unit-{world.units['A']}"
    page = alice.get(f"/results/alerts/new?on={on}").text
    code = re.search(r'<option value="([^"]+)"[^>]*>\1 ·', page)
    assert code is not None
    form = {"on": on, "kind": "low", "code": code[1], "threshold": "50", "weeks": "4", "sure": "yes"}
    for wrong, said in (
        ({"threshold": "150"}, "“150” is no whole number from 0 to 100."),
        ({"weeks": "3"}, "“3” is none of the times"),
        ({"code": "X9"}, "“X9” is no question that has a score."),
    ):
        refused = alice.post("/results/alerts/new", data=form | wrong)
        assert refused.status_code == 422
        assert said in refused.text
        assert 'value="50"' in refused.text or "threshold" in wrong
    assert alice.post("/results/alerts/new", data=form).status_code == 303
    assert "You have this watched already" in alice.post("/results/alerts/new", data=form).text
    assert charlie.post("/results/alerts/new", data=form).status_code == 404
    assert world.sign_in("tuula@example.org").get("/results/alerts").status_code == 403
    watching.look(database, now=world.now)
    shown = alice.get("/results/alerts").text
    assert "0 % is below 50 %" in text_of(shown)
    assert re.search(r'class="count">1<', alice.get("/devices").text), "the menu of every page has the number"
    (alert,) = alerts(database, 1)
    assert charlie.post(f"/results/alerts/{alert.id}/acknowledge", data={"comment": "x"}).status_code == 404
    long = alice.post(f"/results/alerts/{alert.id}/acknowledge", data={"comment": "x" * 501})
    assert (long.status_code, "x" * 501 in long.text) == (422, True), "what was typed is kept"
    done = alice.post(f"/results/alerts/{alert.id}/acknowledge", data={"comment": "Talked with the staff"})
    assert done.status_code == 303
    shown = text_of(alice.get("/results/alerts").text)
    assert "by alice@example.org: Talked with the staff" in shown
    assert 'class="count"' not in alice.get("/devices").text
    with database.write() as session:
        accounts.create_user(
            session, email="carla@example.org", name="Carla", language="en",
            roles=[(Role.SUPERVISOR, world.units["A"])], now=world.now,
        )  # fmt: skip
    carla = world.sign_in("carla@example.org")
    of_colleague = text_of(carla.get("/results/alerts").text)
    for seen in (
        "Of colleagues",
        "0 % is below 50 %",
        "Watched by Alice",
        "by alice@example.org: Talked with the staff",
    ):
        assert seen in of_colleague
    assert carla.post(f"/results/alerts/{alert.id}/acknowledge", data={"comment": "x"}).status_code == 404
    assert "Of colleagues" not in alice.get("/results/alerts").text, "her own are hers"
    assert "Talked" not in charlie.get("/results/alerts").text, "another unit's"
    for path in ("", "/pause", "/remove"):
        assert charlie.post(f"/results/alerts/watches/1{path}", data=form).status_code == 404
    assert alice.post("/results/alerts/watches/1", data=form | {"threshold": "0"}).status_code == 303
    watching.look(database, now=world.now)
    assert alerts(database, 1)[0].cleared_at == world.now
    for what, state in (("pause", "Paused"), ("resume", "It is watched again"), ("remove", "Undo")):
        gone = alice.post(f"/results/alerts/watches/1/{what}")
        assert state in alice.get(gone.headers["location"].partition("#")[0]).text
    assert alice.get("/results/alerts/watches/1").status_code == 404
    assert alice.post("/results/alerts/watches/1/restore").status_code == 303
    assert alice.get("/results/alerts/watches/1").status_code == 200
    with database.read() as session:
        rows = session.exec(select(AuditEntry).order_by(col(AuditEntry.id)))
        told = [row.action for row in rows if row.object_kind in ("alert", "watch")]
    assert told[-7:] == [
        "create watch", "acknowledge alert", "change watch", "pause watch", "resume watch", "remove watch",
        "restore watch",
    ]  # fmt: skip

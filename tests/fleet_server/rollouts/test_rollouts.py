"""A rollout's life: stage by stage, halted, gone on with, taken back, found again after a stop."""

import json

import pytest
from sqlmodel import select

from fleet_server import jobs
from fleet_server.answers.models import PressCount
from fleet_server.changes import Changes
from fleet_server.devices.models import Device
from fleet_server.instants import DAY_MS, HOUR_MS
from fleet_server.questions import service as questions
from fleet_server.questions.models import Publication, QuestionSet
from fleet_server.questions.views import hash_of
from fleet_server.rollouts import advancing, service
from fleet_server.rollouts.models import Rollout
from fleet_server.rollouts.plan import AT_ONCE, Stage, StopRule
from fleet_server.rollouts.where import of_rollout, where
from tests.conftest import MONDAY_10
from tests.fleet_server.rollouts.conftest import NEW, OLD, Fleet


def test_stages_follow_each_other_once_watched_and_arrived(fleet: Fleet) -> None:
    fleet.start()
    outcome = fleet.advance()
    assert len(fleet.wished()) == len(outcome.messages) == 1
    assert outcome.messages[0][0] == f"hymio/1/down/{fleet.wished()[0]}/desired"
    fleet.advance(59)
    assert len(fleet.wished()) == 1, "the first stage is still watched"
    fleet.advance(1)
    assert len(fleet.wished()) == 1, "its kiosk has not got it yet"
    fleet.obey()
    fleet.advance()
    assert len(fleet.wished()) == 3
    fleet.obey()
    fleet.advance(60)
    assert len(fleet.wished()) == 6
    fleet.obey()
    fleet.advance(60)
    assert fleet.rollout().state == "done"
    assert fleet.history() == ["begun", "stage", "stage", "done"]
    assert all(part.reported_at and part.before_set == OLD for part in fleet.parts().values())


def test_a_stop_between_any_two_portions_loses_and_repeats_nothing(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advancing, "PORTION", 2)
    fleet.start(stages=AT_ONCE)
    for expected in (2, 4, 6):
        cut_off_before_the_commit(fleet)
        assert len(fleet.wished()) == expected - 2
        with fleet.database.write() as session:
            assert len(advancing.advance(session, now=fleet.now).messages) == 2
        assert len(fleet.wished()) == expected
    with fleet.database.read() as session:
        ours = session.exec(select(Publication).where(Publication.rollout_id == fleet.rollout_id)).all()
    assert sorted(row.device_id for row in ours) == fleet.ids
    fleet.obey()
    fleet.advance()
    assert fleet.rollout().state == "done"


def test_each_portion_is_wished_at_its_own_instant(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    instants = iter(range(fleet.now + 1_000, fleet.now + 9_000, 1_000))
    monkeypatch.setattr(advancing, "PORTION", 2)
    monkeypatch.setattr(jobs, "now_ms", lambda: next(instants))
    fleet.start(stages=AT_ONCE)
    jobs.Jobs(fleet.database, Changes()).roll_out(fleet.now)
    wished = sorted((part.wished_at or 0) - fleet.now for part in fleet.parts().values())
    assert wished == [1_000, 1_000, 2_000, 2_000, 3_000, 3_000]


def cut_off_before_the_commit(fleet: Fleet) -> None:
    class PowerGone(Exception):
        pass

    try:
        with fleet.database.write() as session:
            advancing.advance(session, now=fleet.now)
            raise PowerGone
    except PowerGone:
        return


def test_rolled_back_each_has_what_it_had_before_as_a_new_version(fleet: Fleet) -> None:
    fleet.publish(4, fleet.ids[0])
    fleet.now += 1
    fleet.start(stages=AT_ONCE)
    fleet.advance()
    fleet.obey()
    with fleet.database.read() as session:
        before = {one.id: one.desired_version for one in session.exec(select(Device))}
    fleet.now += 1000
    fleet.do(service.back)
    outcome = fleet.advance()
    assert len(outcome.messages) == 6
    assert all(json.loads(body)["version"] > before[topic.split("/")[3]] for topic, body in outcome.messages)
    assert fleet.wishes() == dict.fromkeys(fleet.ids, OLD) | {fleet.ids[0]: 4}
    assert (fleet.rollout().state, fleet.rollout().ended_at) == ("undone", fleet.now)


def test_going_back_passes_over_what_was_taken_back_itself_meanwhile(fleet: Fleet) -> None:
    def roll_out(number: int) -> int:
        fleet.start(number=number, stages=AT_ONCE)
        fleet.now += 1
        fleet.advance()
        fleet.now += 1
        return fleet.rollout_id

    first, second = roll_out(NEW), roll_out(4)
    fleet.do(service.back, first)
    fleet.advance()
    assert set(fleet.wishes().values()) == {4}
    fleet.now += 1
    fleet.do(service.back, second)
    fleet.advance()
    assert set(fleet.wishes().values()) == {OLD}


def test_what_another_publication_took_since_is_left_alone(fleet: Fleet) -> None:
    fleet.start()
    fleet.advance()
    [first] = fleet.wished()
    later = next(one for one in fleet.ids if one != first)
    fleet.now += 1
    fleet.publish(4, first, later)
    fleet.obey()
    fleet.advance(60)
    fleet.obey()
    fleet.do(service.go_on)
    fleet.advance()
    assert len(fleet.wished()) == 4
    assert fleet.wishes()[first] == fleet.wishes()[later] == 4
    fleet.do(service.back)
    fleet.advance()
    assert fleet.wishes() == {one: 4 if one in (first, later) else OLD for one in fleet.ids}


def test_a_kiosk_that_was_away_for_weeks_gets_the_newest_and_no_queue(fleet: Fleet) -> None:
    away = fleet.ids[0]
    for number in (4, NEW):
        fleet.now += DAY_MS
        fleet.start(stages=AT_ONCE, number=number)
        fleet.advance()
    fleet.now += 21 * DAY_MS
    [(topic, body)] = fleet.report(away, running=OLD, desired=1)
    assert topic.endswith("/desired")
    assert [entry["number"] for entry in json.loads(body)["sets"]] == [NEW]


def test_who_answers_after_the_rollout_is_done_is_noted_all_the_same(fleet: Fleet) -> None:
    fleet.start(stages=AT_ONCE)
    fleet.advance(1)
    assert fleet.rollout().state == "running"
    fleet.report(*fleet.ids[:2])
    fleet.advance(600)
    assert fleet.rollout().state == "running", "nothing is done that most kiosks have not got"
    fleet.report(*fleet.ids[:3])
    fleet.advance(1)
    assert fleet.rollout().state == "done"
    fleet.obey()
    fleet.advance(1)
    assert [part.reported_at for part in fleet.parts().values()].count(fleet.now) == 3
    assert all(part.reported_at for part in fleet.parts().values())
    with fleet.database.read() as session:
        assert session.exec(select(Rollout).where(advancing.busy())).all() == [], "nothing is left to look at"


def test_nothing_is_wished_while_it_is_paused(fleet: Fleet) -> None:
    fleet.start()
    fleet.advance()
    fleet.obey()
    fleet.do(service.pause)
    fleet.advance(24 * 60)
    assert len(fleet.wished()) == 1
    fleet.do(service.resume)
    fleet.advance()
    assert len(fleet.wished()) == 1, "the stage is watched anew"
    fleet.advance(60)
    assert len(fleet.wished()) == 3
    assert fleet.history() == ["begun", "paused", "resumed", "stage"]


def test_a_refusal_halts_it_and_going_on_all_the_same_asks_no_more_for_that(fleet: Fleet) -> None:
    fleet.start()
    fleet.advance()
    [first] = fleet.wished()
    refuse(fleet, first)
    fleet.advance(1)
    assert fleet.rollout().state == "halted"
    assert json.loads(fleet.rollout().reason)[:3] == ["refused", 1, 1]
    assert fleet.parts()[first].refused == "no room"
    assert fleet.wished() == [first], "it did not go back: that was not chosen"
    fleet.do(service.resume)
    fleet.do(service.go_on)
    fleet.advance()
    assert fleet.rollout().state == "running"
    assert len(fleet.wished()) == 3


def test_a_refusal_counts_too_where_the_kiosk_was_wished_the_set_before(fleet: Fleet) -> None:
    fleet.publish(NEW, *fleet.ids)
    fleet.start()
    fleet.now += 1
    fleet.advance()
    [first] = [device_id for device_id, part in fleet.parts().items() if part.wished_at]
    refuse(fleet, first)
    fleet.advance(1)
    assert fleet.rollout().state == "halted"


def test_a_halted_one_goes_back_by_itself_if_that_was_chosen(fleet: Fleet) -> None:
    fleet.start(go_back=True)
    fleet.advance()
    refuse(fleet, *fleet.wished())
    fleet.advance(1)
    assert fleet.wished() == []
    assert fleet.rollout().state == "undone"
    assert fleet.history() == ["begun", "halted", "undone"]


def test_few_refusals_among_many_do_not_halt(fleet: Fleet) -> None:
    fleet.start(stages=(Stage("all", 0, 60),), rule=StopRule(refused=40))
    fleet.advance()
    refuse(fleet, *fleet.ids[:2])
    fleet.advance(1)
    assert fleet.rollout().state == "running"
    refuse(fleet, fleet.ids[2])
    fleet.advance(1)
    assert fleet.rollout().state == "halted"


def test_a_kiosk_that_falls_silent_with_the_set_halts_it(fleet: Fleet) -> None:
    fleet.start()
    fleet.advance()
    [first] = fleet.wished()
    fleet.now += 1000
    fleet.say(first, "lost")
    fleet.advance(9)
    assert fleet.rollout().state == "running", "back within ten minutes nobody is alarmed"
    fleet.advance(1)
    assert json.loads(fleet.rollout().reason)[:3] == ["silent", 1, 1]


def test_a_kiosk_that_was_away_before_or_is_each_week_at_this_hour_halts_nothing(fleet: Fleet) -> None:
    always, nightly = fleet.ids[:2]
    fleet.now = MONDAY_10 - 7 * DAY_MS - 1000
    fleet.say(nightly, "lost")
    fleet.now = MONDAY_10 - 6 * DAY_MS
    fleet.say(nightly, "ready")
    fleet.now = MONDAY_10 - DAY_MS
    fleet.say(always, "lost")
    fleet.now = MONDAY_10
    fleet.start(stages=(Stage("all", 0, 24 * 60),))
    fleet.advance()
    fleet.now += 1000
    fleet.say(nightly, "lost")
    fleet.advance(30)
    assert fleet.rollout().state == "running"


@pytest.mark.parametrize(("presses", "state"), [(9, "halted"), (16, "running")])
def test_half_as_many_presses_as_at_the_same_hours_before_halt_it(
    fleet: Fleet, presses: int, state: str
) -> None:
    for week in range(1, 5):
        count_presses(fleet, MONDAY_10 - week * 7 * DAY_MS, each=20, hours=4)
    fleet.start(stages=(Stage("all", 0, 24 * 60),))
    fleet.advance()
    fleet.obey()
    fleet.advance()
    count_presses(fleet, MONDAY_10, each=presses, hours=4)
    fleet.advance(4 * 60, visitors=True)
    assert fleet.rollout().state == state
    if state == "halted":
        assert json.loads(fleet.rollout().reason) == ["presses", 6 * 4 * 9, 6 * 4 * 20, "button5"]


def test_where_few_are_expected_silence_of_visitors_says_nothing(fleet: Fleet) -> None:
    for week in range(1, 5):
        count_presses(fleet, MONDAY_10 - week * 7 * DAY_MS, each=2, hours=4)
    fleet.start(stages=(Stage("all", 0, 24 * 60),))
    fleet.advance()
    fleet.obey()
    fleet.advance()
    fleet.advance(4 * 60, visitors=True)
    assert fleet.rollout().state == "running"


def test_visitors_are_looked_at_before_the_next_stage_begins(fleet: Fleet) -> None:
    for week in range(1, 5):
        count_presses(fleet, MONDAY_10 - week * 7 * DAY_MS, each=60, hours=4)
    fleet.start(stages=(Stage("places", 1, 240), Stage("all", 0, 0)))
    fleet.advance()
    fleet.obey()
    fleet.advance()
    fleet.advance(240)
    assert (fleet.rollout().state, len(fleet.wished())) == ("halted", 1)


def test_a_set_that_somebody_changed_in_the_database_goes_no_further(fleet: Fleet) -> None:
    fleet.start()
    fleet.advance()
    with fleet.database.write() as session:
        row = session.get_one(QuestionSet, NEW)
        row.body = row.body.replace("?", "!")
    fleet.obey()
    fleet.advance(60)
    assert (fleet.rollout().state, len(fleet.wished())) == ("halted", 1)
    with fleet.database.write() as session, pytest.raises(service.NotDone, match="not what it was"):
        service.start(session, "test", NEW, {}, AT_ONCE, StopRule(), False, now=fleet.now)


def test_each_state_of_a_kiosk_is_told_from_its_own_report(fleet: Fleet) -> None:
    fleet.start(stages=(Stage("places", 5, 60), Stage("all", 0, 60)), rule=StopRule(None, None, None, None))
    fleet.now += 1
    fleet.advance()
    asks, fetches, idle, refused, silent = fleet.wished()
    [later] = set(fleet.ids) - {asks, fetches, idle, refused, silent}
    with fleet.database.read() as session:
        name = hash_of(questions.view_of(session.get_one(QuestionSet, NEW), "button5"))
    for device_id in (asks, fetches, idle, refused):
        fleet.say(device_id, "ready")
    fleet.report(asks)
    fleet.report(fetches, running=OLD, want=name)
    fleet.report(idle, running=OLD, sets=[[NEW, name]])
    refuse(fleet, refused)

    def states() -> dict[str, str]:
        with fleet.database.read() as session:
            return {one.device_id: one.state for one in of_rollout(session, fleet.rollout())}

    expected = {asks: "asks", fetches: "fetching", idle: "idle", refused: "refused", silent: "silent"}
    assert states() == expected | {later: "later"}
    fleet.report(idle, running=OLD, sets=[[NEW, name]], card=name)
    fleet.now += 1
    fleet.publish(4, fetches)
    with fleet.database.write() as session:
        session.get_one(Device, asks).revoked_at = fleet.now
    assert states() == expected | {later: "later", idle: "card", fetches: "taken", asks: "revoked"}
    with fleet.database.read() as session:
        assert {one.device_id for one in where(session, NEW)} == {asks, idle, refused, silent}


def test_a_stage_for_which_no_kiosk_is_left_is_not_waited_for(fleet: Fleet) -> None:
    fleet.start(choice={"places": fleet.places[:1]}, stages=(Stage("places", 3, 60), Stage("all", 0, 60)))
    fleet.advance()
    fleet.obey()
    with pytest.raises(service.NotDone, match="last stage"):
        fleet.do(service.go_on)
    fleet.advance(59)
    assert fleet.rollout().state == "running"
    fleet.advance(1)
    assert (fleet.rollout().state, fleet.rollout().stage) == ("done", 0)


def test_after_going_back_each_kiosk_says_whether_it_asks_the_old_set_again(fleet: Fleet) -> None:
    fleet.start()
    fleet.now += 1
    fleet.advance()
    fleet.obey()
    fleet.advance(60)
    fleet.obey()
    first, second, third = fleet.wished()
    fleet.publish(4, third)
    fleet.do(service.back)
    fleet.advance()

    def states() -> dict[str, str]:
        with fleet.database.read() as session:
            return {one.device_id: one.state for one in of_rollout(session, fleet.rollout())}

    rest = dict.fromkeys(set(fleet.ids) - {first, second, third}, "untouched") | {third: "taken"}
    assert states() == rest | {first: "returning", second: "returning"}
    fleet.report(first, running=OLD)
    assert states() == rest | {first: "returned", second: "returning"}


def refuse(fleet: Fleet, *device_ids: str) -> None:
    for device_id in device_ids:
        with fleet.database.read() as session:
            version = session.get_one(Device, device_id).desired_version
        said = {"version": version, "result": "refused", "reason": "no room"}
        fleet.report(device_id, running=OLD, update=said)


def count_presses(fleet: Fleet, start: int, *, each: int, hours: int) -> None:
    with fleet.database.write() as session:
        session.add_all(
            PressCount(
                place_id=place,
                device_id=device_id,
                grain="hour",
                start_at=start + hour * HOUR_MS,
                counted=each,
            )
            for place, device_id in zip(fleet.places, fleet.ids, strict=True)
            for hour in range(hours)
        )

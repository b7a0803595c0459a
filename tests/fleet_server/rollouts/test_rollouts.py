"""A rollout's life: stage by stage, halted, gone on with, taken back, found again after a stop."""

import json

import pytest
from sqlmodel import select

from fleet_server.questions.models import Publication
from fleet_server.rollouts import service
from fleet_server.rollouts.plan import AT_ONCE
from tests.fleet_server.rollouts.conftest import OLD, Fleet


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
    monkeypatch.setattr(service, "PORTION", 2)
    fleet.start(stages=AT_ONCE)
    for expected in (2, 4, 6):
        cut_off_before_the_commit(fleet)
        assert len(fleet.wished()) == expected - 2
        with fleet.database.write() as session:
            assert len(service.advance(session, now=fleet.now).messages) == 2
        assert len(fleet.wished()) == expected
    with fleet.database.read() as session:
        ours = session.exec(select(Publication).where(Publication.rollout_id == fleet.rollout_id)).all()
    assert sorted(row.device_id for row in ours) == fleet.ids
    fleet.advance()
    assert fleet.rollout().state == "done"


def cut_off_before_the_commit(fleet: Fleet) -> None:
    class PowerGone(Exception):
        pass

    try:
        with fleet.database.write() as session:
            service.advance(session, now=fleet.now)
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
        from fleet_server.devices.models import Device

        before = {one.id: one.desired_version for one in session.exec(select(Device))}
    fleet.now += 1000
    fleet.do(service.back)
    outcome = fleet.advance()
    assert len(outcome.messages) == 6
    assert all(json.loads(body)["version"] > before[topic.split("/")[3]] for topic, body in outcome.messages)
    assert fleet.wishes() == dict.fromkeys(fleet.ids, OLD) | {fleet.ids[0]: 4}
    assert (fleet.rollout().state, fleet.rollout().ended_at) == ("undone", fleet.now)


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

"""The desk in Chromium: turns, a damaged set, a set in use. axe finds nothing, and nothing is cut off."""

from typing import Any

import pytest

from fleet_server.devices import desired
from fleet_server.drafts import service as drafts
from fleet_server.questions import service as questions
from fleet_server.questions.models import QuestionSet
from fleet_server.schedules.models import Schedule
from tests import wcag
from tests.fleet_server.accounts.county import County
from tests.fleet_server.chromium import MARKS, address, chromium
from tests.fleet_server.schedules.test_schedules import EXIT, fleet, make
from tests.fleet_server.schedules.test_turns import BIG, in_turns

__all__ = ["address", "chromium", "fleet"]

pytestmark = [*MARKS, pytest.mark.xdist_group("chromium-desk")]


def the_desk(county: County) -> list[str]:
    """Addresses of a draft with turns, a damaged set, a set in use, a schedule that cannot be read."""
    make(county, name="Talvikysely", set_number="2")
    make(county, name="Iltakysely", set_number="1")
    with county.database.write() as session:
        alice = county.person("alice")
        questions.add(session, in_turns(BIG, "week", 3), source="test", now=county.now)
        draft = drafts.new(session, alice, "Syksy", copy_of=BIG, now=county.now)
        assert questions.publish(session, 5, [EXIT], actor="test", now=county.now) == []
        session.get_one(QuestionSet, 5).body = "{}"
        session.get_one(Schedule, 2).weekly = "always"
        session.flush()
        desired.refresh(session, EXIT, now=county.now)
        number = draft.id
    return [
        f"/drafts/{number}",
        f"/drafts/{number}/preview?model=button5",
        f"/question-sets/{BIG}",
        "/question-sets/5",
        "/question-sets/2/manage",
        "/schedules",
        f"/devices/{EXIT}",
    ]


@pytest.mark.parametrize("language", ["fi", "sv"])
def test_the_desk_passes_axe_and_fits(fleet: County, address: str, chromium: Any, language: str) -> None:
    alice = fleet.browser("alice")
    alice.post("/account/language", data={"language": language})
    cookie: Any = {"name": "hymio_session", "value": alice.cookies["hymio_session"], "url": address}
    faults = []
    context = chromium.new_context(locale=language)
    context.add_cookies([cookie])
    page = context.new_page()
    for path in the_desk(fleet):
        answer = page.goto(address + path)
        assert answer is not None
        assert answer.status == 200, path
        faults += wcag.faults(page, path, contrast=language == "fi")
    context.close()
    assert faults == []

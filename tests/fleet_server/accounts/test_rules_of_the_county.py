"""The county's rules for publishing: administrators decide them, and every decision is in the log."""

import json

from fleet_server.accounts import county as rules
from tests.fleet_server.accounts.county import County


def _rules(county: County) -> rules.CountyRules:
    with county.database.read() as session:
        return rules.rules(session)


def test_before_anybody_decides_both_national_languages_are_required_and_one_person_is_enough(
    county: County,
) -> None:
    assert _rules(county) == rules.CountyRules(False, ("fi", "sv"))


def test_an_administrator_decides_and_the_log_has_before_and_after(county: County) -> None:
    browser = county.browser("alice")
    form = {"second_person": "yes", "language": ["sv", "fi", "sme"]}
    assert browser.post("/county", data=form).headers["location"] == "/county?done=changed"
    assert _rules(county) == rules.CountyRules(True, ("fi", "sv", "sme"))
    entries = [entry for entry in county.audit() if entry.object_kind == "county"]
    assert [entry.actor for entry in entries] == ["alice@example.org"] * 2
    assert [(json.loads(entry.before or ""), json.loads(entry.after or "")) for entry in entries] == [
        ({"second_person": False}, {"second_person": True}),
        ({"required_languages": ["fi", "sv"]}, {"required_languages": ["fi", "sv", "sme"]}),
    ]
    page = browser.get("/county").text
    assert page.count("checked") == 4
    browser.post("/county", data=form)
    again = [entry for entry in county.audit() if entry.object_kind == "county"]
    assert again == entries, "what stays the same is no change"


def test_a_language_that_no_set_can_have_is_refused_by_name_and_nothing_changes(county: County) -> None:
    answer = county.browser("alice").post("/county", data={"language": ["fi", "xx"], "second_person": "yes"})
    assert answer.status_code == 422
    assert "“xx” is no language" in answer.text
    assert _rules(county) == rules.CountyRules()


def test_public_results_are_off_until_somebody_switches_them_on_and_a_refused_form_keeps_its_ticks(
    county: County,
) -> None:
    browser = county.browser("alice")
    assert not _rules(county).public_results
    form = {"language": ["fi"], "public_results": "yes", "least_respondents": "0"}
    refused = browser.post("/county", data=form)
    assert (refused.status_code, _rules(county).public_results) == (422, False)
    assert refused.text.count("checked") == 2
    assert browser.post("/county", data=form | {"least_respondents": "7"}).status_code == 303
    assert _rules(county).public_results
    browser.post("/county", data={"language": ["fi"]})
    assert not _rules(county).public_results


def test_nobody_else_gets_in(county: County) -> None:
    for name in ("bob", "charlie", "tuula", "otto"):
        assert county.browser(name).get("/county").status_code == 403
        assert county.browser(name).post("/county", data={"second_person": "yes"}).status_code == 403
    assert _rules(county) == rules.CountyRules()

"""What went wrong is told to programs by a code that never changes and, whoever asks, in English."""

from typing import Any

import pytest

from fleet_server.accounts import service as accounts
from fleet_server.api.codes import CODES, MEANINGS
from tests.fleet_server.accounts.county import County, county

__all__ = ["county"]

ASKED: list[tuple[str, str, Any, int, str, str]] = [
    ("get", "/drafts/7", None, 404, "not_found", "draft 7 does not exist"),
    ("post", "/drafts", {"name": " "}, 422, "invalid", "This is empty. Type something here."),
    ("post", "/drafts", {"name": "x", "colour": 1}, 422, "invalid", "Extra inputs are not permitted"),
    ("post", "/places", {}, 405, "method", "That request cannot be understood"),
    (
        "post",
        "/rollouts",
        {"set_number": 3, "choice": {"models": ["card"]}, "stages": [{"all": True}]},
        422,
        "invalid",
        "There is no model “card”.",
    ),
    (
        "post",
        "/rollouts",
        {"set_number": 99, "choice": {}, "stages": [{"all": True}]},
        422,
        "hindered",
        "question set 99 does not exist",
    ),
]


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
@pytest.mark.parametrize(("method", "path", "body", "status", "code", "said"), ASKED)
def test_an_error_is_english_with_its_code_whatever_language_its_reader_has_chosen(
    county: County, language: str, method: str, path: str, body: Any, status: int, code: str, said: str
) -> None:
    with county.database.write() as session:
        user = accounts.by_email(session, "alice@example.org")
        assert user is not None
        user.language = language
        session.add(user)
    browser = county.browser("alice")
    browser.headers["accept-language"] = language
    answer = browser.request(method, f"/api/v1{path}", json=body)
    told = answer.json()
    assert (answer.status_code, told["code"]) == (status, code)
    assert said in told["error"]
    if code == "invalid":
        assert told["field"]
        assert told["faults"][0].startswith(f"{told['field']}: ")


def test_all_faults_of_a_request_are_listed_by_field(county: County) -> None:
    body = {"name": "", "set_number": 99, "choice": {}, "first_day": "soon", "last_day": "later"}
    told = county.browser("alice").post("/api/v1/schedules", json=body).json()
    assert {fault.partition(":")[0] for fault in told["faults"]} >= {
        "name",
        "set_number",
        "first_day",
        "last_day",
    }
    told = county.browser("alice").post("/api/v1/schedules", json={"name": 7}).json()
    assert {fault.partition(":")[0] for fault in told["faults"]} == {"name", "set_number", "choice"}


def test_the_codes_are_in_the_description(county: County) -> None:
    description = county.stranger().get("/api/v1/openapi.json").json()
    fault = description["components"]["schemas"]["Fault"]["properties"]["code"]
    assert tuple(fault["enum"]) == CODES
    assert set(MEANINGS) == set(CODES)
    assert all(meaning in fault["description"] for meaning in MEANINGS.values())


def test_who_is_not_signed_in_or_may_not_is_told_so_by_a_code(county: County) -> None:
    assert county.stranger().get("/api/v1/drafts").json()["code"] == "sign_in"
    assert county.browser("charlie").get("/api/v1/drafts").json()["code"] == "not_allowed"

"""Every route says who may use it, and a stranger gets nothing but what is meant for strangers."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount

from fleet_server.accounts.access import PublicRule, Rule
from fleet_server.accounts.models import Role
from fleet_server.changes import Changes
from fleet_server.settings import Settings
from fleet_server.web.app import create_app
from tests.fleet_server.accounts.county import County

# What anybody may use. A route joins this list only on purpose.
PUBLIC = {
    "/sign-in",
    "/sign-out",
    "/language",
    "/invitation/{secret}",
    "/health/live",
    "/health/ready",
    "/api/v1/openapi.json",
    "/mails/stop/{token}",
    "/p/{code}",
    "/p/{code}/thanks",
    "/p/{code}/results",
}


def routes(app: Any) -> Iterator[tuple[str, APIRoute]]:
    """Every route with its path, however deep its router lies; routers are included without a prefix."""
    for found in app.routes:
        if isinstance(found, APIRoute):
            yield found.path, found
        elif hasattr(found, "original_router"):
            assert found.include_context.prefix == ""
            yield from routes(found.original_router)
        else:
            assert isinstance(found, Mount), found
            assert found.path == "/static"


def rules(dependant: Any) -> Iterator[object]:
    """The rules among all dependencies of a route."""
    for each in dependant.dependencies:
        if isinstance(each.call, Rule | PublicRule):
            yield each.call
        yield from rules(each)


@pytest.fixture
def whole(county: County) -> Any:
    """The application with everything that there is, the demonstration too."""
    return create_app(Settings(demo=True), county.database, Changes(), None)


def test_every_route_has_exactly_one_kind_of_rule(whole: Any) -> None:
    seen = set()
    for path, route in routes(whole):
        found = list(rules(route.dependant))
        assert found, f"{path} has no rule: allow(...) or public"
        public = [rule for rule in found if isinstance(rule, PublicRule)]
        assert not public or len(public) == len(found), f"{path} is public and is not"
        if public:
            seen.add(path)
        else:
            assert path not in PUBLIC
    assert seen <= PUBLIC, "a route became public: is that meant?"


def test_the_walk_sees_what_the_application_serves(whole: Any) -> None:
    paths = {path for path, _route in routes(whole)}
    assert {"/", "/sign-in", "/people/{user_id}", "/units", "/devices", "/question-sets", "/live"} <= paths
    assert any(path.startswith("/try") for path in paths)
    assert any(path.startswith("/api/v1/") for path in paths)
    assert len(paths) > 40


def test_a_stranger_gets_no_further_than_the_sign_in(county: County) -> None:
    for path, route in routes(county.app):
        if path in PUBLIC:
            continue
        address = re.sub(r"{[^}]*}", "1", path)
        for method in route.methods or ():
            answer = county.stranger().request(method, address)
            if path.startswith("/api/"):
                assert answer.status_code == 401, f"{method} {path}"
            else:
                assert answer.status_code == 303, f"{method} {path}"
                assert answer.headers["location"].startswith("/sign-in")


def test_a_route_without_a_rule_would_be_found(whole: Any) -> None:
    whole.get("/open")(lambda: None)
    path, route = next((path, route) for path, route in routes(whole) if path == "/open")
    assert not list(rules(route.dependant)), path


def test_every_signed_in_role_may_read_the_overview(county: County) -> None:
    assert {county.browser(name).get("/").status_code for name in county.people} == {200}
    assert set(Role) == {role for name in county.people for role in county.person(name).roles}

"""The county and its people, where a test says `both` in PostgreSQL, too; Tuula's tool with her token."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fleet_server.db import Database
from tests.fleet_server.accounts.county import County, county_in
from tests.fleet_server.answers.conftest import postgresql

__all__ = ["postgresql"]

Tool = Callable[..., Any]


both = pytest.mark.parametrize("county", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def county(request: pytest.FixtureRequest, empty_database_file: Path, tmp_path: Path) -> Iterator[County]:
    """The county of the accounts' tests, new for each test."""
    if getattr(request, "param", "sqlite") == "sqlite":
        path = tmp_path / "hymio.db"
        path.write_bytes(empty_database_file.read_bytes())
        database = Database(f"sqlite:///{path}")
    else:
        cluster = request.getfixturevalue("postgresql")
        database = Database(cluster.url(cluster.create(cluster.migrated)))
    yield county_in(database)
    database.close()


@pytest.fixture
def token(county: County) -> str:
    """A token that Tuula has made on her page."""
    return token_of(county, "tuula")


def token_of(county: County, name: str, hours: str = "8") -> str:
    """The token that this person reads on the page."""
    text = county.browser(name).post("/technician/token", data={"hours": hours}).text
    return text.partition("HYMIO_TOKEN=")[2].partition("<")[0].strip()


@pytest.fixture
def tool(county: County, token: str) -> Tool:
    """`tool("/devices", {...})` posts, `tool("/station")` gets; answers (status, JSON)."""

    def ask(path: str, body: dict[str, Any] | None = None, token: str = token) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {token}"}
        method = "GET" if body is None else "POST"
        answer = county.stranger().request(method, f"/api/v1{path}", json=body, headers=headers)
        return answer.status_code, answer.json()

    return ask

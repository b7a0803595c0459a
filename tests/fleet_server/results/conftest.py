"""Both databases, furnished as for the tests of booking."""

from tests.fleet_server.answers.conftest import postgresql, shared_database

__all__ = ["postgresql", "shared_database"]

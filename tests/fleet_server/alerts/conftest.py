"""The county of the pages, and both databases."""

from tests.fleet_server.answers.conftest import postgresql, shared_database
from tests.fleet_server.pages.world import world

__all__ = ["postgresql", "shared_database", "world"]

"""The county of ../pages/world.py for every test here."""

from tests.fleet_server.pages.world import world

__all__ = ["world"]

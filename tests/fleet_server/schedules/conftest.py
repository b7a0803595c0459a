"""The county and its people."""

from tests.fleet_server.accounts.county import county

__all__ = ["county"]

"""The county of accounts/county.py for every test here, with a place that asks the national questions by phone."""

from tests.fleet_server.accounts.county import county, password_hash, with_passwords
from tests.fleet_server.phone.visitors import exit_

__all__ = ["county", "exit_", "password_hash", "with_passwords"]

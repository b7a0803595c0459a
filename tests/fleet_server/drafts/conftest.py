"""The county of accounts/county.py for every test here."""

from tests.fleet_server.accounts.county import county, password_hash, with_passwords

__all__ = ["county", "password_hash", "with_passwords"]

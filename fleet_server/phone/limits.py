"""How much may be sent or asked in a time window, for one place and from one address. It forgets, and stores nothing.

An address is known here only as a hash with a salt that is drawn anew for each window, and in memory alone. What is
refused was not thanked for, and its form stays filled in.
"""

import hashlib
import secrets
from collections import Counter
from ipaddress import IPv6Address, ip_address

from fleet_server.instants import MINUTE_MS

WINDOW_MS = 10 * MINUTE_MS
# A waiting room shares the clinic's address: 30 people who fill in a form within 10 minutes are more than an exit sees.
PER_ADDRESS = 30
# Whatever the number of addresses: a place with 150 filled-in forms in 10 minutes is under attack.
PER_PLACE = 150
# The public page of results: a whole ward may read it, a machine that walks all places has no business here. A proxy
# that keeps it for its ten minutes asks once for each language.
READ_PER_ADDRESS = 120
READ_PER_PLACE = 3_000


class Limits:
    """Counts of one window. One for each process, used by its event loop alone."""

    def __init__(self, *, per_place: int = PER_PLACE, per_address: int = PER_ADDRESS) -> None:
        self._per_place, self._per_address = per_place, per_address
        self._window_at = 0
        self._salt = secrets.token_bytes(16)
        self._sent: Counter[bytes] = Counter()

    def take(self, place_id: int, address: str, *, now: int) -> int:
        """Count one. Returns 0, or the milliseconds until the next may be sent (this one is then not counted)."""
        if not 0 <= now - self._window_at < WINDOW_MS:
            self._window_at, self._salt = now, secrets.token_bytes(16)
            self._sent.clear()
        place, person = self._key(f"place {place_id}"), self._key(f"address {_network(address)}")
        # The place first: what it refuses adds no address, so memory is bounded by places.
        if self._sent[place] >= self._per_place or self._sent[person] >= self._per_address:
            return self._window_at + WINDOW_MS - now
        self._sent[place] += 1
        self._sent[person] += 1
        return 0

    def _key(self, value: str) -> bytes:
        return hashlib.blake2b(value.encode(), key=self._salt, digest_size=16).digest()


def _network(address: str) -> str:
    """The address, or the /64 of an IPv6 one: that is what a single phone has, and changes at will."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or int(found) >> 64)

"""What is kept of a record's CRC once its times are coarse: a keyed hash.

From the CRC itself the exact time could be computed back by trying those of an hour. The hash still tells a record that
comes again from another one under the same key (a fork). The secret lies in a file beside the database, so that a copy
of the database alone gives nothing away. It knows no tables.
"""

import os
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

# Kept instead of a CRC, which is lower: the record's times are coarse, and what its CRC was is not known.
COARSE = 1 << 32
# Of a record that is otherwise not kept as it came: the CRC of a text would tell what was taken out of it.
NO_CRC = -1

_HASHED = 1 << 62
_KEY_BITS, _HASH_BITS = 14, 48
SECRET_BYTES = 32


class Fingerprints:
    """Hashes with one secret. Without one (b"") nothing is known of a coarse record's CRC any more."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        named = int.from_bytes(blake2b(secret, digest_size=2, person=b"hymio key").digest(), "big")
        self._key_id = named & ((1 << _KEY_BITS) - 1)

    def of(self, crc: int, device_id: str, epoch: int, seq: int) -> int:
        """What to keep of the `crc` of this record; that of a coarse one stays as it is."""
        if crc >= COARSE:
            return crc
        if crc == NO_CRC or not self._secret:
            return COARSE
        data = f"{device_id} {epoch} {seq} {crc}".encode()
        hashed = int.from_bytes(blake2b(data, digest_size=_HASH_BITS // 8, key=self._secret).digest(), "big")
        return _HASHED | self._key_id << _HASH_BITS | hashed

    def alike(self, kept: int, crc: int, device_id: str, epoch: int, seq: int) -> bool:
        """Whether a record with this `crc` is the one of which `kept` is kept, or that cannot be told any more.

        In doubt it is: that a record came twice is common, that two records share a key a fault that nobody has seen.
        """
        if kept < COARSE:
            return kept in (crc, NO_CRC)
        known = kept >= _HASHED and kept >> _HASH_BITS == (_HASHED >> _HASH_BITS | self._key_id)
        return not known or not self._secret or kept == self.of(crc, device_id, epoch, seq)


def kept_secret(path: Path) -> bytes:
    """The secret of this file, made when there is none. Raises OSError, and ValueError for a file that is none."""
    with suppress(FileExistsError):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "wb") as file:
            file.write(os.urandom(SECRET_BYTES))
            file.flush()
            os.fsync(opened)
    secret = path.read_bytes()
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"{path} has {len(secret)} bytes, must have {SECRET_BYTES}")
    return secret

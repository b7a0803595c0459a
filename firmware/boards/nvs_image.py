"""Reads blobs from an ESP-IDF NVS partition image; writes nothing and knows no key's meaning.

The virtual kiosk has no `esp32.NVS`: this reads the same bytes that the ESP32 would. Format: pages of 4096
bytes, header 32, state bitmap 32 (2 bits an entry, 0b10 = written), 126 entries of 32 bytes
(docs.espressif.com/projects/esp-idf, "Non-Volatile Storage Library", internals). Runs on MicroPython and
CPython.
"""

from binascii import crc32
from struct import unpack_from

try:
    from micropython import const
except ImportError:  # the host reads with this code, too
    const = int

_PAGE = const(4096)
_ENTRIES = const(126)
_U8 = const(0x01)
_BLOB_DATA = const(0x42)
_BLOB_INDEX = const(0x48)
_ACTIVE = const(0xFFFFFFFE)
_FULL = const(0xFFFFFFFC)
_SEED = const(0xFFFFFFFF)


def reader(read, size):
    """-> f(namespace, key) -> bytes or None. `read(offset, n)` gives n bytes of the partition; size in bytes.

    f raises ValueError when the blob is there but damaged.
    """

    def blob(namespace, key):
        index = None
        space = 0
        for entry, _ in _entries(read, size):
            if entry[0] == 0 and entry[1] == _U8 and _key(entry) == namespace:
                space = entry[24]
        for entry, _ in _entries(read, size):
            if space and entry[0] == space and entry[1] == _BLOB_INDEX and _key(entry) == key:
                index = entry
        if index is None:
            return None
        length, count, first = unpack_from("<IBB", index, 24)
        value = b""
        for number in range(first, first + count):
            value += _chunk(read, size, space, key, number)
        if len(value) != length:
            raise ValueError("nvs: blob '%s' is damaged: %d of %d bytes" % (key, len(value), length))
        return value

    return blob


def _chunk(read, size, space, key, number):
    for entry, at in _entries(read, size):
        if entry[0] == space and entry[1] == _BLOB_DATA and entry[3] == number and _key(entry) == key:
            length, _, crc = unpack_from("<HHI", entry, 24)
            data = read(at + 32, length)
            if crc32(data, _SEED) != crc:
                raise ValueError("nvs: blob '%s' is damaged: wrong CRC" % key)
            return data
    raise ValueError("nvs: blob '%s' is damaged: part %d is missing" % (key, number))


def _entries(read, size):
    """Each written entry whose own CRC is right, with its offset; the data parts of blobs are skipped."""
    for page in range(0, size, _PAGE):
        header = read(page, 64)
        if unpack_from("<I", header, 0)[0] not in (_ACTIVE, _FULL):
            continue
        skip = 0
        for i in range(_ENTRIES):
            if skip:
                skip -= 1
                continue
            if (header[32 + i // 4] >> (i % 4 * 2)) & 3 != 2:
                continue
            at = page + 64 + 32 * i
            entry = read(at, 32)
            if crc32(entry[8:], crc32(entry[:4], _SEED)) != unpack_from("<I", entry, 4)[0]:
                continue
            skip = entry[2] - 1
            yield entry, at


def _key(entry):
    return entry[8:24].split(b"\0")[0].decode()

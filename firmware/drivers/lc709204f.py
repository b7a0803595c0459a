"""The LC709204F fuel gauge: the battery's voltage, nothing else of it. Knows no board and no limit.

Registers as the SDK of the board uses them (PowerFeather, LC709204F.h); words are little-endian and end with a CRC-8
(polynomial 7) over the whole exchange. A gauge that does not answer, or answers damaged, costs the figure only.
"""

from kiosk.compat import const

ADDRESS = const(0x0B)
_CELL_VOLTAGE = const(0x09)  # mV
_POWER_MODE = const(0x15)
_OPERATIONAL = b"\x01\x00"
_POLYNOMIAL = const(0x07)


def millivolts(i2c):
    """The cell's voltage; None when the gauge does not say it."""
    begin = bytes((ADDRESS << 1, _POWER_MODE)) + _OPERATIONAL
    try:
        i2c.writeto_mem(ADDRESS, _POWER_MODE, _OPERATIONAL + bytes((crc8(begin),)))
        answer = i2c.readfrom_mem(ADDRESS, _CELL_VOLTAGE, 3)
    except OSError:
        return None
    said = bytes((ADDRESS << 1, _CELL_VOLTAGE, ADDRESS << 1 | 1, answer[0], answer[1]))
    return answer[0] | answer[1] << 8 if crc8(said) == answer[2] else None


def crc8(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ _POLYNOMIAL if crc & 0x80 else crc << 1) & 0xFF
    return crc

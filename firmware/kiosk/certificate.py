"""Reads the one thing that a kiosk without a clock must know of its CA: from when on it is valid. Checks nothing."""


def not_before(certificate):
    """When a DER certificate begins to be valid, UTC ms: what a clock that knows nothing may safely assume.

    Raises ValueError when no date is found.
    """
    at = certificate.find(b"\x17\x0d")  # UTCTime, 13 bytes: YYMMDDhhmmssZ (RFC 5280, 4.1.2.5.1)
    while at >= 0:
        digits = certificate[at + 2 : at + 14]
        if certificate[at + 14 : at + 15] == b"Z" and all(48 <= digit <= 57 for digit in digits):
            year, month, day, hour, minute, second = [int(digits[i : i + 2]) for i in range(0, 12, 2)]
            year += 1900 if year >= 50 else 2000
            return (((_days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000
        at = certificate.find(b"\x17\x0d", at + 1)
    raise ValueError("certificate without a date of beginning")


def _days(year, month, day):
    """Days from 1970-01-01; ports disagree about the epoch of `time`."""
    if month < 3:
        year, month = year - 1, month + 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day - 719_469

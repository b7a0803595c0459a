"""Reads the one thing that a kiosk without a clock must know of its CA: when it is valid. Checks nothing."""


def validity(certificate):
    """From when to when a DER certificate is valid, UTC ms: a clock that knows nothing may safely assume the
    first, and whatever says it is later than the second is wrong.

    Raises ValueError when no two dates are found, the first of them before 2050 (RFC 5280, 4.1.2.5).
    """
    at = certificate.find(b"\x17\x0d")
    while at >= 0:
        begins, ends = _instant(certificate, at), _instant(certificate, at + 15)
        if begins is not None and ends is not None:
            return begins, ends
        at = certificate.find(b"\x17\x0d", at + 1)
    raise ValueError("certificate without dates of validity")


def _instant(certificate, at):
    """UTC ms of the date at byte `at`: UTCTime YYMMDDhhmmssZ or GeneralizedTime YYYYMMDDhhmmssZ, else None."""
    size = {b"\x17\x0d": 12, b"\x18\x0f": 14}.get(certificate[at : at + 2], 0)
    at += 2
    digits = certificate[at : at + size]
    at += size
    if not size or certificate[at : at + 1] != b"Z" or not all(48 <= digit <= 57 for digit in digits):
        return None
    year = int(digits[: size - 10])
    if size == 12:
        year += 1900 if year >= 50 else 2000
    month, day, hour, minute, second = [int(digits[i : i + 2]) for i in range(size - 10, size, 2)]
    return (((_days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000


def _days(year, month, day):
    """Days from 1970-01-01; ports disagree about the epoch of `time`."""
    if month < 3:
        year, month = year - 1, month + 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day - 719_469

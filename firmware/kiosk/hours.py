"""The hours of a planned question set: brought into a small form, and whether they hold at an instant.

Lent, not kept. Knows no set and no clock. Invariant: what `look` says of an instant is true of the whole time that it
names, since nothing changes there: no edge of the hours, no midnight, no change of the clocks.
"""

import struct

from kiosk.compat import const

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST_SPANS = const(4)  # a day
_MOST_DATES = const(64)  # two years of holidays with their eves are 40
_DAY_MIN = const(1440)
_MINUTE_MS = const(60_000)
_FAR_MS = 1 << 53


def pack(hours):
    """The small form (weekly, not, only) of `hours` as a desired document has them; each is bytes or None.

    Raises ValueError with what is wrong. Unknown keys are no fault.
    """
    if not isinstance(hours, dict):
        raise ValueError("'hours' is not an object")
    weekly = hours.get("weekly")
    if weekly is not None:
        weekly = _week(weekly)
    return weekly, _dates("not", hours.get("not")), _dates("only", hours.get("only"))


def look(small, offset, now):
    """(whether the hours hold at `now`, since when, until when), all UTC ms.

    `offset`: the desired document's, [[from UTC ms, minutes east of UTC], ...], not empty, in any order.
    """
    weekly, never, only = small
    minutes = offset[0][1]  # before all of them: the clock is wrong, any will do
    since, until = 0, _FAR_MS
    for at, east in offset:
        if at <= now:
            if at >= since:
                since, minutes = at, east
        elif at < until:
            until = at
    utc_min = now // _MINUTE_MS
    day, minute = divmod(utc_min + minutes, _DAY_MIN)
    holds = weekly is None
    low, high = 0, _DAY_MIN
    monday = (day + 3) % 7 * _DAY_MIN  # 1970 began with a Thursday
    for place in range(0, len(weekly or b""), 4):
        start, stop = struct.unpack_from("<HH", weekly, place)
        if start <= monday + minute < stop:
            holds = True
        for edge in (start - monday, stop - monday):
            if low < edge <= minute:
                low = edge
            elif minute < edge < high:
                high = edge
    if (never is not None and _has(never, day)) or (only is not None and not _has(only, day)):
        holds = False
    return (
        holds,
        max(since, (utc_min - minute + low) * _MINUTE_MS),
        min(until, (utc_min - minute + high) * _MINUTE_MS),
    )


def _week(weekly):
    """Pairs of u16: minutes of the week."""
    if not isinstance(weekly, dict):
        raise ValueError("hours: weekly is not an object")
    found = b""
    for name, spans in weekly.items():
        if name not in _DAYS:
            raise ValueError("hours: %r is no day of the week" % (name,))
        if not isinstance(spans, list) or len(spans) > _MOST_SPANS:
            raise ValueError("hours: %s is not a list of at most %d times" % (name, _MOST_SPANS))
        for span in spans:
            if not isinstance(span, list) or len(span) != 2:
                raise ValueError("hours: %s: %r is not [from, to]" % (name, span))
            start, stop = _minute(name, span[0]), _minute(name, span[1])
            if start >= stop:
                raise ValueError("hours: %s: %s ends before it begins" % (name, "-".join(span)))
            first = _DAYS.index(name) * _DAY_MIN
            found += struct.pack("<HH", first + start, first + stop)
    return found


def _minute(name, text):
    if _shaped(text, "00:00"):
        hour, minute = int(text[:2]), int(text[3:])
        if minute < 60 and hour * 60 + minute <= _DAY_MIN:
            return hour * 60 + minute
    raise ValueError("hours: %s: %r is not a time HH:MM" % (name, text))


def _dates(name, dates):
    """u16 each: days since 1970."""
    if dates is None:
        return None
    if not isinstance(dates, list) or len(dates) > _MOST_DATES:
        raise ValueError("hours: '%s' is not a list of at most %d dates" % (name, _MOST_DATES))
    found = bytearray()
    for text in dates:
        day = _day(text) if _shaped(text, "0000-00-00") else None
        if day is None:
            raise ValueError("hours: '%s': %r is not a date YYYY-MM-DD from 1970 to 2148" % (name, text))
        found.append(day & 255)
        found.append(day >> 8)
    return bytes(found)


def _day(text):
    """Days from 1970-01-01, or None for a day that no calendar has. The year is counted from March, so that its
    odd day is its last one."""
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1970 <= year <= 2148 or not 1 <= month <= 12:
        return None
    if (
        not 1
        <= day
        <= (29 if leap and month == 2 else (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1])
    ):
        return None
    if month < 3:
        year -= 1
        month += 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day - 719_469


def _shaped(text, shape):
    """Whether text has the form of `shape`: a digit where it has one."""
    if not isinstance(text, str) or len(text) != len(shape):
        return False
    for byte, like in zip(text.encode(), shape.encode()):
        if byte != like if like != 48 else not 48 <= byte <= 57:
            return False
    return True


def _has(days, day):
    for place in range(0, len(days), 2):
        if days[place] | days[place + 1] << 8 == day:
            return True
    return False

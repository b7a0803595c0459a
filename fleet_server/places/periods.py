"""Days and hours as Finland has them, as UTC milliseconds: days of 23 and 25 hours included."""

from datetime import datetime, timedelta

from fleet_server.instants import DAY_MS, HELSINKI, HOUR_MS, local, to_ms

WEEK_MS = 7 * DAY_MS


def day_start(instant: int, days_later: int = 0) -> int:
    """The Finnish midnight at which this instant's day began, or that of another day as far from it."""
    date = local(instant).date() + timedelta(days=days_later)
    return to_ms(datetime(date.year, date.month, date.day, tzinfo=HELSINKI))


def month_start(instant: int) -> int:
    """The Finnish midnight at which this instant's month began."""
    moment = local(instant)
    return to_ms(datetime(moment.year, moment.month, 1, tzinfo=HELSINKI))


def hours_until(instant: int, hours: int) -> list[int]:
    """Starts of the last `hours` hours, this one included, oldest first: Finland is whole hours from UTC."""
    last = instant // HOUR_MS * HOUR_MS
    return [last - step * HOUR_MS for step in range(hours - 1, -1, -1)]


def same_hours(hour: int, *, before: int, weeks: int) -> list[int]:
    """The same hour of the last weeks before an instant, newest first, by Finland's clock: after a change of the clocks
    that is not a multiple of 7 x 24 hours ago."""
    nearest = (hour - before) // WEEK_MS + 1
    return [to_ms(local(hour) - timedelta(weeks=nearest + week)) for week in range(weeks)]

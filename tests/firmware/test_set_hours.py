"""Hours of planned sets on the kiosk: local time, edges, dates, and what is refused. Runs on MicroPython too."""

from kiosk import hours

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
MONDAY_10 = 1_772_438_400_000  # 2026-03-02 10:00 in Finland, 08:00 UTC
SPRING, AUTUMN = 1_774_746_000_000, 1_792_890_000_000  # 01:00 UTC: 2026-03-29, 2026-10-25
OFFSET = [[1_761_440_400_000, 120], [SPRING, 180], [AUTUMN, 120]]


def holds(small, at):
    found, since, until = hours.look(small, OFFSET, at)
    assert since <= at < until
    assert hours.look(small, OFFSET, since) == hours.look(small, OFFSET, until - 1) == (found, since, until)
    return found


def fault(wrong):
    """What `pack` says of it, or None."""
    try:
        hours.pack(wrong)
    except ValueError as error:
        return str(error)
    return None


def test_a_time_begins_and_ends_with_its_minute():
    small = hours.pack({"weekly": {"mon": [["08:00", "16:00"]]}})
    opens = MONDAY_10 - 2 * HOUR
    assert [holds(small, opens + ms) for ms in (-1, 0, 8 * HOUR - 1, 8 * HOUR)] == [False, True, True, False]
    assert not holds(small, opens + DAY)
    assert hours.look(small, OFFSET, MONDAY_10) == (True, opens, opens + 8 * HOUR)


def test_a_day_ends_at_midnight_and_two_days_meet_there():
    small = hours.pack({"weekly": {"mon": [["22:00", "24:00"]], "tue": [["00:00", "06:00"]]}})
    midnight = MONDAY_10 + 14 * HOUR
    assert [holds(small, midnight + ms) for ms in (-2 * HOUR - 1, -2 * HOUR, -1, 0, 6 * HOUR - 1, 6 * HOUR)] == [
        False, True, True, True, True, False,
    ]  # fmt: skip
    sunday = hours.pack({"weekly": {"sun": [["23:00", "24:00"]]}})
    assert holds(sunday, midnight + 6 * DAY - 1)
    assert not holds(sunday, midnight + 6 * DAY)


def test_the_hour_that_spring_leaves_out_and_the_one_that_autumn_has_twice():
    small = hours.pack({"weekly": {"sun": [["03:30", "04:30"]]}})
    # Spring: 02:59 is followed by 04:00.
    assert [holds(small, SPRING + m * MINUTE) for m in (-1, 0, 29, 30)] == [False, True, True, False]
    # Autumn: 03:00 to 04:00 comes twice, so its second half does.
    times = (-31, -30, -1, 0, 29, 30, 59, 60, 89, 90)
    assert [holds(small, AUTUMN + m * MINUTE) for m in times] == [
        False, True, True, False, False, True, True, True, True, False,
    ]  # fmt: skip


def test_dates_are_local_days():
    never = hours.pack({"not": ["2026-03-02", "2026-12-06"]})
    begin, end = MONDAY_10 - 10 * HOUR, MONDAY_10 + 14 * HOUR
    assert [holds(never, at) for at in (begin - 1, begin, end - 1, end)] == [True, False, False, True]
    only = hours.pack({"only": ["2026-03-02"], "weekly": {"mon": [["09:00", "11:00"]]}})
    assert [holds(only, MONDAY_10 + at) for at in (-HOUR - 1, -HOUR, 0, HOUR, 7 * DAY)] == [
        False, True, True, False, False,
    ]  # fmt: skip
    assert not holds(hours.pack({"only": []}), MONDAY_10)
    assert holds(hours.pack({}), MONDAY_10)
    assert holds(hours.pack({"weekly": None, "later": [1]}), MONDAY_10), "unknown keys are no fault"


def test_dates_of_leap_years():
    for date, good in (
        ("2028-02-29", True),
        ("2100-02-28", True),
        ("2100-02-29", False),
        ("2026-04-31", False),
    ):
        assert (fault({"not": [date]}) is None) == good, date


def test_a_clock_outside_of_the_table_of_offsets_still_says_something():
    small = hours.pack({"weekly": {"mon": [["08:00", "16:00"]]}})
    for at in (0, 1, OFFSET[0][0] - 1, AUTUMN + 1000 * DAY):
        found, since, until = hours.look(small, OFFSET, at)
        assert since <= at < until
        assert found in (True, False)


def test_what_is_wrong_is_named():
    for wrong, said in (
        (3, "'hours' is not an object"),
        ({"weekly": []}, "hours: weekly is not an object"),
        ({"weekly": {"day": []}}, "hours: 'day' is no day of the week"),
        ({"weekly": {"mon": "8-16"}}, "hours: mon is not a list of at most 4 times"),
        ({"weekly": {"mon": [["00:00", "01:00"]] * 5}}, "hours: mon is not a list of at most 4 times"),
        ({"weekly": {"mon": [["08:00"]]}}, "hours: mon: ['08:00'] is not [from, to]"),
        ({"weekly": {"mon": [["8:00", "16:00"]]}}, "hours: mon: '8:00' is not a time HH:MM"),
        ({"weekly": {"mon": [["08:60", "16:00"]]}}, "hours: mon: '08:60' is not a time HH:MM"),
        ({"weekly": {"mon": [["08:00", "24:01"]]}}, "hours: mon: '24:01' is not a time HH:MM"),
        ({"weekly": {"mon": [[8, 16]]}}, "hours: mon: 8 is not a time HH:MM"),
        ({"weekly": {"mon": [["16:00", "08:00"]]}}, "hours: mon: 16:00-08:00 ends before it begins"),
        ({"not": "2026-12-06"}, "hours: 'not' is not a list of at most 64 dates"),
        ({"not": ["2026-12-06"] * 65}, "hours: 'not' is not a list of at most 64 dates"),
        ({"only": ["6.12.2026"]}, "hours: 'only': '6.12.2026' is not a date YYYY-MM-DD from 1970 to 2148"),
        ({"only": ["2026-13-01"]}, "hours: 'only': '2026-13-01' is not a date YYYY-MM-DD from 1970 to 2148"),
    ):
        assert fault(wrong) == said, fault(wrong)

"""The touch controller's driver, register for register on its bus."""

from drivers.ft6x36 import Ft6x36
from wires import I2c


def panel(chip=0x64, turned=False):
    bus = I2c(0x38)
    bus.registers[0xA3] = chip
    bus.registers[0xA8] = 0x11
    bus.registers[0xA4] = 0x01
    return bus, Ft6x36(bus, 480, 320, turned)


def touch(bus, x, y, count=1, event=2):
    """A finger at (x, y) of the upright glass, 320 x 480."""
    bus.registers[0x02:0x07] = bytes((count, event << 6 | x >> 8, x & 0xFF, y >> 8, y & 0xFF))


def test_the_chip_is_recognised_once_and_its_line_stays_low_while_touched():
    bus, glass = panel()
    assert glass.read() is None
    assert bus.log == [
        ("read", 0xA8, 1),
        ("read", 0xA3, 1),
        ("write", 0xA4, b"\x00"),
        ("write", 0x86, b"\x00"),
        ("read", 0x02, 5),
    ]
    assert glass.read() is None
    assert bus.log[5:] == [("read", 0x02, 5)]
    assert glass.fault is None


def test_each_chip_of_the_family_is_taken():
    for chip in (0x06, 0x36, 0x64):
        bus, glass = panel(chip)
        touch(bus, 0, 0)
        assert glass.read() == (0, 319)


def test_another_chip_at_the_address_is_named_and_not_taken_for_a_finger():
    bus, glass = panel(chip=0x14)
    touch(bus, 10, 10)
    assert glass.read() is None
    assert glass.fault == "touch: maker 0x11, chip 0x14 at 0x38 is no FT6x36"
    bus.registers[0xA3] = 0x64
    assert glass.read() == (10, 309)
    assert glass.fault is None


def test_the_upright_glass_is_turned_to_the_landscape_screen():
    bus, glass = panel()
    for x, y, expected in (
        (0, 0, (0, 319)),
        (319, 0, (0, 0)),
        (0, 479, (479, 319)),
        (319, 479, (479, 0)),
        (100, 300, (300, 219)),
    ):
        touch(bus, x, y)
        assert glass.read() == expected, (x, y)


def test_a_glass_upside_down_is_the_same_by_half_a_turn():
    _, glass = panel()
    bus, turned = panel(turned=True)
    other, upright = panel()
    for x, y in ((0, 0), (319, 0), (0, 479), (319, 479), (100, 300)):
        touch(bus, x, y)
        touch(other, x, y)
        ours, theirs = turned.read(), upright.read()
        assert ours == (479 - theirs[0], 319 - theirs[1])


def test_what_the_chip_reports_beyond_the_glass_stays_on_the_screen():
    bus, glass = panel()
    touch(bus, 4095, 4095)
    assert glass.read() == (479, 0)


def test_two_fingers_are_counted_and_the_first_is_told():
    bus, glass = panel()
    touch(bus, 20, 30, count=2)
    assert glass.read() == (30, 299)
    assert glass.fingers == 2
    touch(bus, 20, 30, count=1)
    glass.read()
    assert glass.fingers == 1
    touch(bus, 20, 30, count=0)
    assert glass.read() is None
    assert glass.fingers == 0


def test_a_lifted_finger_and_the_noise_of_the_start_are_no_touch():
    bus, glass = panel()
    for count, event in ((1, 1), (1, 3), (15, 2), (3, 0)):
        touch(bus, 20, 30, count, event)
        assert glass.read() is None, (count, event)
        assert glass.fingers == 0
    touch(bus, 20, 30, 1, 0)
    assert glass.read() == (30, 299)


def test_a_failed_reading_is_counted_and_neither_ends_nor_repeats_a_touch():
    bus, glass = panel()
    touch(bus, 20, 30)
    before = glass.read()
    bus.broken = 2
    assert glass.read() == before
    assert glass.read() == before
    assert glass.read() == before
    assert glass.errors == 2
    assert glass.fault is None


def test_a_dead_chip_never_raises_and_is_set_up_again_when_it_is_back():
    bus, glass = panel()
    touch(bus, 20, 30)
    glass.read()
    bus.broken = 1000
    seen = [glass.read() for _ in range(20)]
    assert seen[:2] == [(30, 299)] * 2
    assert seen[2:] == [None] * 18
    assert glass.errors == 20
    assert glass.fault.startswith("touch: no answer at 0x38 (")
    bus.broken = 0
    bus.registers[0xA4] = 0x01  # its power was gone: it has forgotten
    bus.log.clear()
    assert glass.read() == (30, 299)
    assert bus.registers[0xA4] == 0x00
    assert glass.fault is None


def test_a_chip_that_is_not_there_when_the_kiosk_starts_is_found_later():
    bus, glass = panel()
    bus.broken = 7
    for _ in range(7):
        assert glass.read() is None
    touch(bus, 1, 2)
    assert glass.read() == (2, 318)
    assert glass.errors == 7


def test_failures_with_good_readings_between_them_never_end_a_touch():
    bus, glass = panel()
    touch(bus, 20, 30)
    before = glass.read()
    for _ in range(6):
        bus.broken = 2
        assert [glass.read() for _ in range(3)] == [before] * 3
    assert glass.errors == 12

"""The ST7796S driver, byte for byte on its bus."""

from drivers.st7796 import MSP4031, St7796
from wires import Line, Pwm, Spi


def display(turned=False, light=True):
    spi = Spi()
    reset = Line(spi.log, "reset")
    lamp = Pwm(spi.log) if light else None
    return spi, lamp, St7796(spi, spi.cs, spi.dc, reset, lamp, spi.sleep_ms, turned=turned)


def refused(call, *arguments):
    try:
        call(*arguments)
    except ValueError as error:
        return str(error)
    raise AssertionError("not refused")


def test_the_chip_is_set_up_in_the_order_and_with_the_times_of_its_data_sheet():
    spi, lamp, _ = display()
    assert spi.log[:4] == [("duty", 0), ("reset", 0), ("ms", 1), ("reset", 1)]
    assert spi.log[4] == ("ms", 120)
    settings = len(MSP4031)
    assert [tuple(entry) for entry in spi.sent[:settings]] == list(MSP4031)
    assert [tuple(entry) for entry in spi.sent[settings : settings + 4]] == [
        (0x36, b"\x28"),
        (0x3A, b"\x55"),
        (0x13, b""),
        (0x11, b""),
    ]
    assert spi.log[5 + settings + 4] == ("ms", 120)
    assert spi.log[-2:] == [0x29, ("duty", 65535)]
    assert spi.cs.level == 1


def test_a_case_that_holds_the_glass_upside_down_turns_the_picture():
    spi, _, _ = display(turned=True)
    assert [entry[1] for entry in spi.sent if entry[0] == 0x36] == [b"\xe8"]


def test_the_frame_memory_is_black_everywhere_before_it_is_lit():
    spi, _, _ = display()
    on = spi.commands().index(0x29)
    black = 0
    for command, arguments in spi.sent[:on]:
        if command == 0x2C:
            assert not any(arguments)
            black += len(arguments)
    assert black == 480 * 320 * 2


def test_a_band_goes_out_as_it_came_into_its_rectangle():
    spi, _, screen = display()
    spi.forget()
    pixels = bytes([index & 0xFF for index in range(2 * 300 * 3)])
    screen.write(180, 290, 300, 3, pixels)
    assert spi.sent == [[0x2A, b"\x00\xb4\x01\xdf"], [0x2B, b"\x01\x22\x01\x24"], [0x2C, pixels]]
    assert spi.cs.level == 1


def test_the_corners_of_the_screen_have_their_addresses():
    spi, _, screen = display()
    spi.forget()
    screen.write(0, 0, 1, 1, b"\xf8\x00")
    screen.write(479, 319, 1, 1, b"\x07\xe0")
    assert spi.sent[0] == [0x2A, b"\x00\x00\x00\x00"]
    assert spi.sent[3] == [0x2A, b"\x01\xdf\x01\xdf"]
    assert spi.sent[4] == [0x2B, b"\x01\x3f\x01\x3f"]
    assert spi.sent[5] == [0x2C, b"\x07\xe0"]


def test_a_longer_buffer_is_sent_as_far_as_the_rectangle_goes():
    spi, _, screen = display()
    spi.forget()
    screen.write(0, 0, 2, 2, bytearray(b"abcdefghij"))
    assert spi.sent[-1] == [0x2C, b"abcdefgh"]


def test_what_leaves_the_screen_or_has_too_few_bytes_is_refused_and_nothing_is_sent():
    spi, _, screen = display()
    spi.forget()
    assert "480" in refused(screen.write, 480, 0, 1, 1, b"\0\0")
    assert "300, 40 x 40" in refused(screen.write, 0, 300, 40, 40, bytes(3200))
    assert "-1" in refused(screen.write, -1, 0, 1, 1, b"\0\0")
    assert "0 x 1" in refused(screen.write, 0, 0, 0, 1, b"")
    assert "7 bytes" in refused(screen.write, 0, 0, 2, 2, bytes(7))
    assert spi.sent == []


def test_it_sleeps_dark_and_wakes_with_the_picture_it_had():
    spi, lamp, screen = display()
    spi.forget()
    screen.sleep()
    assert spi.log == [("duty", 0), 0x28, 0x10, ("ms", 5)]
    spi.forget()
    screen.wake()
    assert spi.log == [0x11, ("ms", 120), 0x29, ("duty", 65535)]
    screen.light(30)
    assert lamp.duty == 65535 * 30 // 100


def test_a_module_whose_light_is_wired_on_needs_no_dimmer():
    _, lamp, screen = display(light=False)
    screen.light(10)
    assert lamp is None

"""The e-paper driver, byte for byte on its bus, and against a controller with two RAMs and a glass."""

import asyncio
import random

from drivers.ssd1683 import Ssd1683
from twins import WHOLE_MS, Controller


def paper(shadow=True):
    chip = Controller()
    screen = Ssd1683(
        chip,
        chip.cs,
        chip.dc,
        chip.reset,
        chip.busy,
        chip.sleep_ms,
        lambda: chip.now_ms,
        chip.pause,
        bytearray(Ssd1683.SHADOW_BYTES) if shadow else None,
    )
    return chip, screen


def show(screen, picture, full):
    for y in range(0, 300, 50):
        screen.write(0, y, 400, 50, memoryview(picture)[y * 50 : (y + 50) * 50])
    screen.refresh(full)


def picture(seed):
    random.seed(seed)
    return bytearray([random.getrandbits(8) for _ in range(15000)])


def test_nothing_is_sent_before_something_is_written():
    chip, _ = paper()
    assert chip.log == []
    assert chip.cs.level == 1


def test_it_wakes_in_the_order_of_its_data_sheet():
    chip, screen = paper()
    screen.write(8, 257, 16, 1, b"\xab\xcd")
    assert chip.log[:4] == [("reset", 0), ("ms", 10), ("reset", 1), ("ms", 10)]
    assert chip.log[4:6] == [0x12, ("ms", 10)]
    assert chip.sent == [
        [0x12, b""],
        [0x01, b"\x2b\x01\x00"],
        [0x18, b"\x80"],
        [0x11, b"\x03"],
        [0x44, b"\x01\x02"],
        [0x45, b"\x01\x01\x01\x01"],
        [0x4E, b"\x01"],
        [0x4F, b"\x01\x01"],
        [0x24, b"\xab\xcd"],
    ]
    assert chip.cs.level == 1


def test_a_whole_update_ignores_the_picture_before_it():
    chip, screen = paper(shadow=False)
    screen.write(0, 0, 8, 1, b"\xff")
    chip.forget()
    screen.refresh(True)
    assert chip.sent == [[0x3C, b"\x01"], [0x21, b"\x40\x00"], [0x22, b"\xf7"], [0x20, b""]]


def test_refresh_returns_at_once_and_ready_waits_without_holding_the_processor():
    chip, screen = paper()
    show(screen, picture(1), True)
    begun = chip.now_ms
    chip.forget()
    asyncio.run(screen.ready())
    assert WHOLE_MS <= chip.now_ms - begun <= WHOLE_MS + 40
    assert ("ms", 20) not in chip.log
    asyncio.run(screen.ready())
    assert chip.now_ms - begun <= WHOLE_MS + 40


def test_after_an_update_the_controller_holds_what_the_glass_shows():
    chip, screen = paper()
    show(screen, picture(1), True)
    asyncio.run(screen.ready())
    assert bytes(chip.old) == bytes(chip.glass) == bytes(picture(1))


def test_a_part_is_compared_with_what_is_shown_and_the_border_is_held():
    chip, screen = paper()
    show(screen, picture(1), True)
    asyncio.run(screen.ready())
    screen.write(80, 100, 40, 2, bytes(10))
    chip.forget()
    screen.refresh(False)
    assert chip.sent == [[0x3C, b"\x80"], [0x21, b"\x00\x00"], [0x22, b"\xff"], [0x20, b""]]
    asyncio.run(screen.ready())
    expected = picture(1)
    for row in (100, 101):
        expected[row * 50 + 10 : row * 50 + 15] = bytes(5)
    assert bytes(chip.glass) == bytes(expected)


def test_the_first_update_and_every_sixth_are_whole_whatever_was_asked():
    chip, screen = paper()
    for number in range(13):
        show(screen, picture(number), False)
        asyncio.run(screen.ready())
        assert bytes(chip.glass) == bytes(picture(number))
    assert chip.updates == (["whole"] + ["part"] * 5) * 2 + ["whole"]


def test_without_a_shadow_every_update_is_whole():
    chip, screen = paper(shadow=False)
    for number in range(3):
        show(screen, picture(number), False)
        asyncio.run(screen.ready())
        assert bytes(chip.glass) == bytes(picture(number))
    assert chip.updates == ["whole"] * 3


def test_a_writer_who_does_not_wait_is_held_until_the_update_is_over():
    chip, screen = paper()
    show(screen, picture(1), True)
    show(screen, picture(2), False)
    show(screen, picture(3), False)
    asyncio.run(screen.ready())
    assert bytes(chip.glass) == bytes(picture(3))
    assert chip.updates == ["whole", "part", "part"]


def test_it_sleeps_with_its_ram_and_goes_on_where_it_was():
    chip, screen = paper()
    show(screen, picture(1), True)
    asyncio.run(screen.ready())
    chip.forget()
    screen.sleep()
    assert chip.sent == [[0x10, b"\x01"]]
    screen.sleep()
    assert chip.sent == [[0x10, b"\x01"]]
    screen.write(0, 0, 400, 1, bytes(50))
    screen.refresh(False)
    asyncio.run(screen.ready())
    assert chip.updates == ["whole", "part"]
    assert bytes(chip.glass) == bytes(50) + bytes(picture(1)[50:])


def test_a_drawing_that_is_stopped_in_an_update_does_not_wait_for_its_end():
    chip, screen = paper()
    show(screen, picture(1), True)
    begun = chip.now_ms
    chip.forget()
    screen.sleep()
    assert (chip.now_ms, chip.sent) == (begun, [])
    asyncio.run(screen.ready())
    screen.sleep()
    assert chip.sent[-1] == [0x10, b"\x01"]


def test_a_dead_display_is_counted_named_and_asked_once_a_page():
    chip, screen = paper()
    chip.dead = True
    show(screen, picture(1), True)
    assert not_shown(screen) == "display: busy for 200 ms after a reset"
    screen.sleep()
    assert chip.sent == []
    assert screen.errors == 1
    assert screen.fault == "display: busy for 200 ms after a reset"
    assert chip.now_ms < 300
    chip.dead = False
    show(screen, picture(2), False)
    asyncio.run(screen.ready())
    assert bytes(chip.glass) == bytes(picture(2))
    assert screen.fault is None


def test_an_update_that_does_not_end_is_given_up_and_what_was_written_is_shown_by_the_next():
    chip, screen = paper()
    show(screen, picture(1), True)
    asyncio.run(screen.ready())
    show(screen, picture(2), False)
    chip.dead = True
    begun = chip.now_ms
    assert not_shown(screen) == "display: busy for 15000 ms in an update"
    assert 15000 <= chip.now_ms - begun <= 15040
    assert (screen.errors, screen.fault) == (1, "display: busy for 15000 ms in an update")
    chip.dead = False
    chip.new[:] = chip.old[:] = bytearray(15000)  # its power was gone
    screen.write(0, 0, 8, 1, b"\x00")
    screen.refresh(False)
    asyncio.run(screen.ready())
    assert chip.updates[-1] == "whole"
    assert bytes(chip.glass) == b"\x00" + bytes(picture(2)[1:])
    assert screen.fault is None


def test_a_display_that_is_not_there_is_noticed_when_it_does_not_begin():
    chip, screen = paper()
    hears = chip.write
    chip.write = lambda data: None  # a loose ribbon: its busy line rests at 0
    show(screen, picture(1), True)
    assert not_shown(screen) == "display: not busy after an update was begun"
    assert screen.errors == 1
    chip.write = hears
    show(screen, picture(2), False)
    asyncio.run(screen.ready())
    assert chip.updates == ["whole"]
    assert bytes(chip.glass) == bytes(picture(2))


def not_shown(screen):
    """What `ready` says of a page that is not on the glass."""
    try:
        asyncio.run(screen.ready())
    except OSError as error:
        return str(error)
    raise AssertionError("it says that the page is shown")


def refused(call, *arguments):
    try:
        call(*arguments)
    except ValueError as error:
        return str(error)
    raise AssertionError("not refused")


def test_what_leaves_the_screen_or_is_not_cut_at_bytes_is_refused_and_nothing_is_sent():
    chip, screen = paper()
    assert "400" in refused(screen.write, 400, 0, 8, 1, b"\0")
    assert "0, 299" in refused(screen.write, 0, 299, 8, 2, b"\0\0")
    assert "whole bytes" in refused(screen.write, 4, 0, 8, 1, b"\0")
    assert "w 12" in refused(screen.write, 0, 0, 12, 1, b"\0\0")
    assert "1 bytes given" in refused(screen.write, 0, 0, 16, 1, b"\0")
    assert chip.log == []


def test_random_lives_end_with_the_right_picture_on_the_glass():
    """Rectangles, whole and part updates, sleep, in any order: with every `ready` the glass is what was written."""
    random.seed(1683)
    for _ in range(3):
        chip, screen = paper(shadow=random.getrandbits(1) == 1)
        wanted = picture(random.getrandbits(16))
        show(screen, wanted, False)
        for _ in range(30):
            choice = random.getrandbits(3)
            if choice < 5:
                column, y = random.getrandbits(5), random.getrandbits(8)
                bytes_a_row, h = 1 + random.getrandbits(4), 1 + random.getrandbits(5)
                h = min(h, 300 - y)
                data = bytes([random.getrandbits(8) for _ in range(bytes_a_row * h)])
                screen.write(8 * column, y, 8 * bytes_a_row, h, data)
                for row in range(h):
                    at = (y + row) * 50 + column
                    wanted[at : at + bytes_a_row] = data[row * bytes_a_row : (row + 1) * bytes_a_row]
            elif choice == 5:
                screen.sleep()
            else:
                screen.refresh(choice == 6)
                asyncio.run(screen.ready())
                assert bytes(chip.glass) == bytes(wanted)
        screen.refresh(False)
        asyncio.run(screen.ready())
        assert bytes(chip.glass) == bytes(wanted)

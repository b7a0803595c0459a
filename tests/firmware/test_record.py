"""The record's and the batch's bytes, the same on every interpreter. Runs on CPython and MicroPython."""

import struct

from kiosk import record
from kiosk.compat import crc32, ticks_add, ticks_diff
from whole import encode, encode_batch


def a_press(**changes):
    fields = {
        "epoch": 0xC0FFEE01, "kind": record.KIND_ANSWER, "flags": 0, "seq": 7, "boot": 3, "uptime": 1234,
        "set_number": 14, "session": 0, "question": 2, "language": 1, "value": 5, "pressed": 8, "body": b"",
    }  # fmt: skip
    fields.update(changes)
    return encode(**fields)


def test_a_press_takes_28_bytes():
    data = a_press()
    assert len(data) == 28
    assert struct.unpack("<HBBIIIHBBBBH", data[:24]) == (24, 1, 0, 7, 3, 1234, 14, 0, 2, 1, 5, 8)
    assert struct.unpack("<I", data[24:])[0] == crc32(data[:24], 0xC0FFEE01)


def test_what_was_encoded_is_decoded():
    for body in (b"", b"x", b"xyz", b"four", bytes(range(256)), b"k" * 1000):
        data = a_press(body=body, flags=6, seq=0xFFFFFFFE, uptime=0xFFFFFFFF)
        assert len(data) % 4 == 0
        assert record.size(data, 0) == len(data) == record.padded_bytes(len(body))
        assert record.decode(data, 0, 0xC0FFEE01) == (
            1, 6, 0xFFFFFFFE, 3, 0xFFFFFFFF, 14, 0, 2, 1, 5, 8, body,
        )  # fmt: skip
        at = b"\xff" * 12 + data + b"\xff" * 8
        assert record.decode(at, 12, 0xC0FFEE01)[11] == body
        assert record.seq_at(at, 12) == 0xFFFFFFFE


def test_a_record_never_passes_for_one_of_another_epoch():
    assert record.decode(a_press(), 0, 0xC0FFEE02) is None


def test_a_turned_bit_anywhere_before_the_padding_is_seen():
    data = a_press(body=b"hyvin meni")
    for offset in range(24 + 10 + 4):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[offset] ^= 1 << bit
            assert record.decode(damaged, 0, 0xC0FFEE01) is None, (offset, bit)


def test_a_cut_off_record_is_none():
    data = a_press(body=b"hyvin meni")
    for length in range(len(data) - 2):  # the last two are padding
        assert record.decode(data[:length], 0, 0xC0FFEE01) is None


def test_a_length_that_no_record_has_is_none():
    for length in (0, 23, 24 + 1001, 0xFFFF):
        data = struct.pack("<H", length) + a_press()[2:] + bytes(2000)
        assert record.size(data, 0) == 0
        assert record.decode(data, 0, 0xC0FFEE01) is None


def test_only_the_low_half_of_the_counter_is_stored():
    assert record.decode(a_press(pressed=0x54321), 0, 0xC0FFEE01)[10] == 0x4321


def test_bodies_of_the_other_kinds():
    assert record.boot_body(3, 12) == struct.pack("<BI", 3, 12)
    assert record.clock_body(1_772_438_400_000, 250) == struct.pack("<QI", 1_772_438_400_000, 250)
    assert record.refused_body(70000, 99) == struct.pack("<HI", 65535, 99)


def test_a_batch_is_header_records_and_crc():
    records = [a_press(seq=7), a_press(seq=9, body=b"abc")]
    batch = encode_batch(0xC0FFEE01, 0xDEADBEEF, 6, 10, 12, 8, 6, 3, 4321, records)
    assert struct.unpack("<BBHIIII", batch[:20]) == (1, 40, 2, 0xC0FFEE01, 0xDEADBEEF, 6, 10)
    assert struct.unpack("<IIIII", batch[20:40]) == (12, 8, 6, 3, 4321)
    assert batch[40:-4] == records[0] + records[1]
    assert struct.unpack("<I", batch[-4:])[0] == crc32(batch[:-4], 0)


def test_a_question_is_a_batch_without_records():
    batch = encode_batch(1, 2, 5, 5, 5, 5, 0, 1, 0, [])
    assert len(batch) == record.BATCH_OVERHEAD_BYTES == 44


def test_the_crc_is_zlibs():
    assert crc32(b"123456789", 0) == 0xCBF43926
    assert crc32(b"6789", crc32(b"12345", 0)) == 0xCBF43926


def test_a_tick_counter_that_wraps_still_measures():
    near_end = ticks_add(0, -5)
    assert ticks_diff(ticks_add(near_end, 12), near_end) == 12
    assert ticks_diff(near_end, ticks_add(near_end, 12)) == -12

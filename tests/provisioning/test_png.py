"""A kiosk's frame becomes the picture that is seen on it."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.png import png


def decoded(picture: bytes) -> tuple[int, int, int, int, list[bytes]]:
    """(width, height, bits, kind, rows) of a PNG without filters; its checksums are looked at."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    at, data, header = 8, b"", b""
    while at < len(picture):
        (length,) = struct.unpack_from(">I", picture, at)
        name, body = picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]
        (check,) = struct.unpack_from(">I", picture, at + 8 + length)
        assert check == zlib.crc32(name + body)
        header = body if name == b"IHDR" else header
        data += body if name == b"IDAT" else b""
        at += 12 + length
    width, height, bits, kind = struct.unpack(">IIBB", header[:10])
    raw = zlib.decompress(data)
    row = len(raw) // height
    assert {raw[number * row] for number in range(height)} == {0}
    return width, height, bits, kind, [raw[number * row + 1 : (number + 1) * row] for number in range(height)]


@given(st.integers(1, 20), st.integers(1, 20), st.data())
def test_each_pixel_of_a_colour_frame_has_its_colour_with_full_white(
    width: int, height: int, data: st.DataObject
) -> None:
    frame = data.draw(st.binary(min_size=2 * width * height, max_size=2 * width * height))
    assert decoded(png(frame, width, height))[:4] == (width, height, 8, 2)
    rows = decoded(png(frame, width, height))[4]
    for at, (color,) in enumerate(struct.iter_unpack(">H", frame)):
        seen = rows[at // width][at % width * 3 : at % width * 3 + 3]
        assert tuple(seen) == (
            (color >> 11) * 255 // 31,
            (color >> 5 & 63) * 255 // 63,
            (color & 31) * 255 // 31,
        )


@given(st.integers(1, 40), st.integers(3, 20), st.data())
def test_a_one_bit_frame_is_black_and_white_as_it_is(width: int, height: int, data: st.DataObject) -> None:
    row = (width + 7) // 8
    frame = data.draw(st.binary(min_size=row * height, max_size=row * height))
    if len(frame) != 2 * width * height:
        assert decoded(png(frame, width, height)) == (
            width, height, 1, 0, [frame[at : at + row] for at in range(0, len(frame), row)],
        )  # fmt: skip


def test_a_frame_of_another_size_is_refused_with_both_sizes() -> None:
    with pytest.raises(ValueError, match="17 bytes is no 4 x 2 picture"):
        png(bytes(17), 4, 2)

"""The bytes of MQTT 3.1.1 as the kiosk writes and reads them, and the opening of connections."""

import asyncio
import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from kiosk import mqtt
from kiosk.certificate import validity


def test_connect_is_clean_with_user_password_and_a_will_that_is_not_retained() -> None:
    packet = mqtt.connect("kiosk1", "kiosk1", "pw", 30, "up/state", b"gone")
    assert packet == (
        b"\x10\x2e"
        b"\x00\x04MQTT\x04"  # protocol 3.1.1
        b"\xc6"  # user name, password, will QoS 0, clean session
        b"\x00\x1e"  # keepalive
        b"\x00\x06kiosk1"
        b"\x00\x08up/state\x00\x04gone"
        b"\x00\x06kiosk1\x00\x02pw"
    )


def test_subscribe_names_each_topic_at_qos_0() -> None:
    assert mqtt.subscribe(["a", "b/c"]) == b"\x82\x0c\x00\x01\x00\x01a\x00\x00\x03b/c\x00"


def test_publish_is_qos_0_and_not_retained() -> None:
    assert mqtt.publish_head("a/b", 5) == b"\x30\x0a\x00\x03a/b"


def test_ping_and_disconnect() -> None:
    assert (mqtt.PINGREQ, mqtt.DISCONNECT) == (b"\xc0\x00", b"\xe0\x00")


@pytest.mark.parametrize(
    ("size", "length"),
    [(0, b"\x03"), (124, b"\x7f"), (125, b"\x80\x01"), (16_380, b"\xff\x7f"), (16_381, b"\x80\x80\x01")],
)
def test_the_remaining_length_has_as_many_bytes_as_it_needs(size: int, length: bytes) -> None:
    assert mqtt.publish_head("a", size) == b"\x30" + length + b"\x00\x01a"


def test_what_a_broker_says_no_with_is_named() -> None:
    assert mqtt.refusal(5) == "broker refused: not authorised (5)"
    assert mqtt.refusal(200) == "broker refused: unknown reason (200)"


class Wire:
    """A stream of given bytes, a few at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data = data
        self._step = step

    async def readinto(self, view: memoryview) -> int:
        piece = self._data[: min(self._step, len(view))]
        if not piece:
            raise EOFError
        self._data = self._data[len(piece) :]
        view[: len(piece)] = piece
        return len(piece)


@given(st.text(max_size=40), st.binary(max_size=3000), st.integers(1, 700), st.booleans())
def test_a_publish_is_read_as_it_was_written_in_pieces_of_any_size(
    topic: str, payload: bytes, step: int, acknowledged: bool
) -> None:
    packet = mqtt.publish_head(topic, len(payload)) + payload
    if acknowledged:  # QoS 1 was not asked for; a broker that sends it all the same is understood
        packet = b"\x32" + mqtt.publish_head(topic, len(payload) + 2)[1:] + b"id" + payload

    async def story() -> None:
        packets = mqtt.Packets(Wire(packet + b"\xd0\x00", step), bytearray(128))
        first = await packets.first()
        assert first >> 4 == 3
        name, left = await packets.topic(first, await packets.length())
        if len(topic.encode()) <= 64:
            assert name == topic
        else:
            assert name is None
        body = bytearray(left)
        await packets.fill(memoryview(body))
        assert body == payload
        assert await packets.first() == 0xD0, "what follows is in step"

    asyncio.run(story())


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_and_never_anything_else(data: bytes) -> None:
    async def story() -> None:
        packets = mqtt.Packets(Wire(data, 64), bytearray(64))
        while True:
            first = await packets.first()
            size = await packets.length()
            if first >> 4 == 3:
                _, size = await packets.topic(first, size)
            await packets.skip(size)

    with pytest.raises((EOFError, ValueError)):
        asyncio.run(story())


def test_a_length_of_five_bytes_is_refused() -> None:
    packets = mqtt.Packets(Wire(b"\xff\xff\xff\xff\x01", 1), bytearray(8))
    with pytest.raises(ValueError, match="four bytes"):
        asyncio.run(packets.length())


def certificate(begins: datetime.datetime, ends: datetime.datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test CA")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.DER)


def utc_ms(moment: datetime.datetime) -> int:
    return int(moment.replace(tzinfo=datetime.UTC, microsecond=0).timestamp() * 1000)


@given(
    st.datetimes(datetime.datetime(1970, 1, 2), datetime.datetime(2049, 12, 31)),
    st.timedeltas(datetime.timedelta(seconds=1), datetime.timedelta(days=100 * 365)),
)
def test_a_device_without_a_clock_learns_from_its_ca_when_it_is_at_least(
    begins: datetime.datetime, lasts: datetime.timedelta
) -> None:
    ends = begins + lasts  # from 2050 on it is written with four digits of the year
    assert validity(certificate(begins, ends)) == (utc_ms(begins), utc_ms(ends))


def test_a_certificate_without_an_end_has_the_end_of_the_calendar() -> None:
    begins, ends = datetime.datetime(2026, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59)
    assert validity(certificate(begins, ends)) == (utc_ms(begins), utc_ms(ends))


@pytest.mark.parametrize(
    "der",
    [
        b"\x30\x03\x17\x0dnot a date",
        b"\x17\x0d260101000000Z",  # cut off before the second date
        b"\x17\x0d260101000000Z\x17\x0d27010100000",
        b"\x17\x0d260101000000Z\x18\x0d270101000000Z",
    ],
)
def test_a_certificate_without_dates_is_named_as_such(der: bytes) -> None:
    with pytest.raises(ValueError, match="without dates of validity"):
        validity(der)

"""A receipt that is none: garbage, and numbers that are not there or odd. The task that reads it goes on."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.firmware.net.support import UTC_MS, Kiosk, Server, run, settle


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_no_garbage_on_the_receipt_topic_does_anything(garbage: bytes) -> None:
    async def story() -> None:
        kiosk = Kiosk()
        kiosk.connect()
        await kiosk.batch()
        assert not kiosk.sync.receipt(garbage)

    run(story)


_numbers = st.one_of(
    st.integers(-(2**70), 2**70), st.none(), st.booleans(), st.floats(), st.text(), st.lists(st.none())
)


DEEP = b"[" * 400 + b"]" * 400  # a quotation of it is more than the stack of the kiosk holds


@pytest.mark.parametrize("field", ["server", "through", "seen", "time"])
@pytest.mark.parametrize("value", [b"true", DEEP])
def test_a_receipt_without_a_number_where_one_belongs_is_no_receipt(field: str, value: bytes) -> None:
    async def story() -> None:
        kiosk, server = Kiosk(), Server()
        kiosk.connect()
        receipt = {**json.loads(server.book(await kiosk.batch(), UTC_MS)), field: "@"}
        assert not kiosk.sync.receipt(json.dumps(receipt).encode().replace(b'"@"', value))
        assert kiosk.clock.now() is None
        assert all(len(line) < 200 for line in kiosk.board.lines)

    run(story)


@given(st.sampled_from(["server", "epoch", "nonce", "through", "seen", "fork", "time", "rejected"]), _numbers)
def test_a_receipt_with_one_odd_field_never_ends_the_task(field: str, value: object) -> None:
    async def story() -> None:
        kiosk, server = Kiosk(), Server()
        kiosk.press(2)
        await settle(kiosk, server)
        kiosk.press()
        batch = await kiosk.batch()
        receipt = json.loads(server.book(batch, UTC_MS))
        kiosk.sync.receipt(json.dumps({**receipt, field: value}).encode())
        assert kiosk._task is not None
        assert not kiosk._task.done()

    run(story)

"""What the kiosk does with a receipt, rule by rule, over a real journal in RAM and in virtual time."""

import asyncio
import json
import random

import pytest
from kiosk.clock import Clock, Uptime
from kiosk.sync import Sync

from tests.firmware.net.support import UTC_MS, Kiosk, RamFlash, Server, answer, run, settle


def test_a_connection_begins_with_a_question_for_each_epoch_oldest_first() -> None:
    async def story() -> None:
        kiosk, server = Kiosk(), Server()
        kiosk.press(3)
        first = kiosk.journal.epoch
        kiosk.journal.new_epoch("test")
        kiosk.press(2)
        await settle(kiosk, server)
        seen = [(batch.epoch, batch.start, batch.end, batch.seqs) for _, batch in kiosk.sent]
        second = kiosk.journal.epoch
        assert seen == [
            (first, 0, 0, []),
            (second, 0, 0, []),
            (first, 0, 3, [0, 1, 2]),
            (second, 0, 2, [0, 1]),
        ]
        assert kiosk.sync.settled.is_set()
        assert kiosk.journal.waiting == 0

    run(story)


def test_the_batch_header_carries_the_figures_of_its_own_epoch() -> None:
    async def story() -> None:
        kiosk, server = Kiosk(), Server()
        kiosk.press(3)
        kiosk.journal.append(2, body=b"\1\0\0\0\0")
        kiosk.journal.new_epoch("test")
        kiosk.press(1)
        await settle(kiosk, server)
        old, new = kiosk.sent[2][1], kiosk.sent[3][1]
        assert (old.next, old.pressed, old.waiting) == (4, 3, 5)
        assert (new.next, new.pressed, new.waiting) == (1, 1, 1)
        assert old.boot == kiosk.journal.boot

    run(story)


def test_one_batch_is_in_flight_and_what_is_pressed_meanwhile_goes_with_the_next() -> None:
    async def story() -> None:
        kiosk, server = Kiosk(), Server()
        await settle(kiosk, server)
        kiosk.press()
        flying = await kiosk.batch()
        kiosk.press(4)
        await asyncio.sleep(5)
        assert kiosk.sent[-1][1] is flying
        assert answer(kiosk, server, flying)
        assert (await kiosk.batch()).seqs == [1, 2, 3, 4]

    run(story)


def test_only_the_nonce_in_flight_counts_and_a_stray_receipt_teaches_no_time() -> None:
    async def story() -> None:
        kiosk, server = Kiosk(), Server()
        kiosk.press()
        kiosk.connect()
        question = await kiosk.batch()
        assert not answer(kiosk, server, question, nonce=question.nonce ^ 1)
        assert not answer(kiosk, server, question, epoch=question.epoch ^ 1)
        assert kiosk.clock.now() is None
        assert kiosk.sync.server is None
        assert answer(kiosk, server, question)
        assert not answer(kiosk, server, question), "the second copy of a receipt"
        assert kiosk.clock.now() is not None

    run(story)


def test_a_receipt_of_a_batch_that_timed_out_is_ignored() -> None:
    async def story() -> None:
        kiosk, server = Kiosk(), Server()
        kiosk.connect()
        late = await kiosk.batch()
        again = await kiosk.batch()
        assert again.nonce != late.nonce
        assert not answer(kiosk, server, late)
        assert answer(kiosk, server, again)

    run(story)


def test_no_more_is_released_than_the_batch_carried() -> None:
    async def story() -> None:
        kiosk, server = Kiosk(), Server()
        await settle(kiosk, server)
        kiosk.press()
        flying = await kiosk.batch()
        kiosk.press(2)
        # A server that is wrong in a way that looks right: through = next of now, seen as the batch said.
        assert answer(kiosk, server, flying, through=flying.next)
        assert kiosk.journal.cursor(flying.epoch) == 1
        assert (await kiosk.batch()).seqs == [1, 2]

    run(story)


def test_a_server_that_forgot_is_sent_again_what_flash_still_holds() -> None:
    async def story() -> None:
        kiosk, server = Kiosk(), Server()
        kiosk.press(6)
        await settle(kiosk, server)
        await kiosk.disconnect()
        old = Server(generation=8)  # restored from a backup that knew two of six
        old.books = {kiosk.journal.epoch: {0, 1}}
        await settle(kiosk, old)
        assert old.books[kiosk.journal.epoch] == set(range(6))
        assert kiosk.journal.waiting == 0

    run(story)


def test_a_new_generation_heard_in_passing_makes_the_kiosk_ask_about_every_epoch() -> None:
    async def story() -> None:
        kiosk, server = Kiosk(), Server()
        kiosk.press(3)
        kiosk.journal.new_epoch("test")
        kiosk.press(2)
        await settle(kiosk, server)
        restored = Server(generation=9)
        kiosk.press()
        flying = await kiosk.batch()
        kiosk.sent.clear()
        answer(kiosk, restored, flying)
        while kiosk.journal.waiting or kiosk.sync._questions:
            answer(kiosk, restored, await kiosk.batch())
        assert [batch.question for _, batch in kiosk.sent[:2]] == [True, True]
        assert sorted(len(books) for books in restored.books.values()) == [3, 3]

    run(story)


@pytest.mark.parametrize("changes", [{"fork": True}, {"seen": 4}, {"through": 4}])
def test_a_twin_or_a_flash_that_went_back_begins_a_new_epoch(changes: dict[str, object]) -> None:
    async def story() -> None:
        kiosk, server = Kiosk(), Server()
        await settle(kiosk, server)
        kiosk.press()
        first = await kiosk.batch()
        kiosk.press(2)
        assert answer(kiosk, server, first)
        flying = await kiosk.batch()  # the two pressed while the first flew
        assert (flying.start, flying.next) == (1, 3)
        # Pressed meanwhile: `seen` is compared with `next` as sent, not as it is now.
        kiosk.press(2)
        assert answer(kiosk, server, flying, **changes)
        assert kiosk.journal.epoch != first.epoch
        assert kiosk.journal.reason == ("fork" if "fork" in changes else "behind")
        assert kiosk.journal.cursor(first.epoch) == 3, "the receipt was acted upon first"
        again = await kiosk.batch()
        assert (again.epoch, again.seqs) == (first.epoch, [3, 4])

    run(story)


def test_a_fork_of_an_older_epoch_does_not_begin_epoch_after_epoch() -> None:
    async def story() -> None:
        kiosk, server = Kiosk(), Server()
        kiosk.press(2)
        kiosk.journal.new_epoch("test")
        current = kiosk.journal.epoch
        kiosk.connect()
        for _ in range(3):
            assert answer(kiosk, server, await kiosk.batch(), fork=kiosk.sent[-1][1].epoch != current)
        assert kiosk.journal.epoch == current

    run(story)


def test_the_time_out_doubles_from_ten_seconds_to_five_minutes_and_falls_back_with_a_receipt() -> None:
    async def story() -> None:
        kiosk, server = Kiosk(), Server()
        kiosk.press()
        kiosk.connect()
        await asyncio.sleep(1500)
        at = [round(seconds) for seconds, _ in kiosk.sent]
        assert [b - a for a, b in zip(at, at[1:], strict=False)] == [10, 20, 40, 80, 160, 300, 300, 300]
        kiosk.new.clear()
        assert answer(kiosk, server, await kiosk.batch())
        asked = await kiosk.batch()
        began = asyncio.get_running_loop().time()
        assert not asked.question
        await kiosk.batch()
        assert asyncio.get_running_loop().time() - began == pytest.approx(10)

    run(story)


def test_two_time_outs_in_a_row_halve_the_batch_down_to_one_record_and_receipts_double_it_again() -> None:
    async def story() -> None:
        kiosk, server = Kiosk(), Server()
        await settle(kiosk, server)
        for _ in range(300):
            kiosk.journal.append(1, value=1)
        kiosk.press()
        counts = []
        for _ in range(22):
            counts.append((await kiosk.batch()).count)
        assert counts[:8] == [144, 144, 72, 72, 36, 36, 18, 18]
        assert counts[-1] == 1
        counts = [counts[-1]]
        flying = kiosk.sent[-1][1]
        while kiosk.journal.waiting:
            assert answer(kiosk, server, flying)
            if not kiosk.journal.waiting:
                break
            flying = await kiosk.batch()
            counts.append(flying.count)
        assert counts[:5] == [1, 2, 4, 8, 16]
        assert len(server.books[flying.epoch]) == 301

    run(story)


def test_a_connection_that_ends_instead_of_a_receipt_counts_as_a_time_out() -> None:
    async def story() -> None:
        kiosk, server = Kiosk(), Server()
        for _ in range(200):
            kiosk.journal.append(1, value=1)
        sizes = []
        for _ in range(7):  # a broker that throws out whoever sends much
            kiosk.connect()
            assert answer(kiosk, server, await kiosk.batch())
            sizes.append((await kiosk.batch()).count)
            await kiosk.disconnect()
        assert sizes == [144, 144, 72, 72, 36, 36, 18]

    run(story)


def test_the_county_can_keep_batches_small() -> None:
    async def story() -> None:
        kiosk, server = Kiosk(), Server()
        for _ in range(200):
            kiosk.journal.append(1, value=1)
        kiosk.connect(most_bytes=512)
        while kiosk.journal.waiting:
            batch = await kiosk.batch()
            assert batch.size <= 512
            answer(kiosk, server, batch)

    run(story)


@pytest.mark.parametrize(("out_ms", "back_ms"), [(10, 10), (3000, 20), (20, 3000), (0, 0)])
def test_the_true_time_lies_within_the_uncertainty_however_lopsided_the_way(
    out_ms: int, back_ms: int
) -> None:
    async def story() -> None:
        kiosk, server = Kiosk(), Server()
        heard = []
        kiosk.sync.on_clock = lambda: heard.append(True)
        kiosk.connect()
        batch = await kiosk.batch()
        await asyncio.sleep(out_ms / 1000)
        receipt = server.book(batch, UTC_MS + kiosk.uptime.ms())
        await asyncio.sleep(back_ms / 1000)
        assert kiosk.sync.receipt(receipt)
        utc_ms, uncertainty_ms = kiosk.clock.now()
        assert abs(utc_ms - UTC_MS - kiosk.uptime.ms()) <= uncertainty_ms
        assert uncertainty_ms <= (out_ms + back_ms) // 2 + 2
        assert heard == [True]

    run(story)


@pytest.mark.parametrize("drift", [-100e-6, 100e-6])
def test_the_true_time_lies_within_the_uncertainty_after_the_longest_way_at_the_worst_crystal(
    drift: float,
) -> None:
    """Five minutes on the way are 30 ms more or less on the kiosk's own counter."""

    async def story() -> None:
        loop = asyncio.get_running_loop()
        kiosk, server = Kiosk(), Server()
        kiosk.uptime = Uptime(lambda: int(loop.time() * 1000 * (1 + drift)) % (1 << 30))
        kiosk.clock = Clock(kiosk.uptime)
        kiosk.sync = Sync(kiosk.journal, kiosk.clock, kiosk.uptime, kiosk.board, kiosk.board.random)
        kiosk.connect()
        await asyncio.sleep(620)  # the last question: 10 + 20 + 40 + 80 + 160 + 300 s after the first
        sent_s, question = kiosk.sent[-1]
        receipt = server.book(question, UTC_MS + int(sent_s * 1000))
        await asyncio.sleep(sent_s + 299 - loop.time())
        assert kiosk.sync.receipt(receipt)
        utc_ms, uncertainty_ms = kiosk.clock.now()
        assert abs(utc_ms - UTC_MS - loop.time() * 1000) <= uncertainty_ms

    run(story)


def test_an_idle_kiosk_asks_now_and_then_so_that_a_restored_server_gets_its_answers_back() -> None:
    async def story() -> None:
        kiosk, server = Kiosk(), Server()
        kiosk.press(4)
        await settle(kiosk, server)
        kiosk.sent.clear()
        restored = Server(generation=2)
        await asyncio.sleep(890)
        assert kiosk.sent == []
        while len(restored.books.get(kiosk.journal.epoch, ())) < 4:
            answer(kiosk, restored, await kiosk.batch())
        assert kiosk.sent[0][1].question

    run(story)


@pytest.mark.parametrize("seed", range(12))
def test_every_answer_is_booked_once_through_loss_doubling_reordering_cuts_and_restores(seed: int) -> None:
    dice = random.Random(seed)

    async def story() -> None:
        flash, server = RamFlash(12), Server()
        thanked: set[tuple[int, int]] = set()
        kiosk = Kiosk(flash, seed)
        kiosk.connect()
        backup = None
        for _ in range(400):
            step = dice.random()
            if step < 0.5:
                epoch = kiosk.journal.epoch
                thanked.add((epoch, kiosk.journal.append(1, value=3)))
                kiosk.sync.kick()
            elif step < 0.55:
                await kiosk.disconnect()
                if dice.random() < 0.5:  # the power failed: RAM is gone
                    kiosk = Kiosk(flash, dice.randrange(10**6))
                kiosk.connect()
            elif step < 0.57:
                backup = json.dumps([[epoch, sorted(seqs)] for epoch, seqs in server.books.items()])
            elif step < 0.58 and backup:
                server = Server(generation=dice.randrange(10**6))
                server.books = {epoch: set(seqs) for epoch, seqs in json.loads(backup)}
            for _ in range(3):
                if kiosk.sent and dice.random() < 0.6:
                    _, batch = dice.choice(kiosk.sent[-3:])
                    receipt = server.book(batch, UTC_MS + kiosk.uptime.ms())
                    for _ in range(dice.choice((0, 1, 1, 2))):
                        kiosk.sync.receipt(receipt)
                await asyncio.sleep(dice.choice((0, 0.1, 30)))
            if dice.random() < 0.1:
                kiosk.journal.tidy()
        await kiosk.disconnect()
        kiosk.new.clear()
        await settle(kiosk, server)
        booked = {(epoch, seq) for epoch, seqs in server.books.items() for seq in seqs}
        assert thanked <= booked
        assert kiosk.journal.waiting == 0

    run(story)

"""Boards are flashed by the real esptool against mock bootloaders, with the cable pulled at each step."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer

from provisioning.board_reader import Found
from provisioning.chips import ESP32_S3
from provisioning.dumps import Dumps
from provisioning.esp_tool import LADDER, Facts
from provisioning.flash_layout import partition
from provisioning.flashing import KioskImage, pieces
from provisioning.kiosk_journal import answers_waiting
from tests.provisioning.flash_rig import Make, board, flashed, holds, quick, write
from tests.provisioning.kiosk_flash import image, journal, kiosk_id, small_table, with_journal
from tests.provisioning.mock_boards import JEDEC_4_MIB

__all__ = ["board", "quick", "write"]  # fixtures


def test_two_boards_are_written_at_once_each_with_its_own_identity_and_a_second_run_finds_them_done(
    board: Make, write: Callable[..., KioskImage], tmp_path: Path
) -> None:
    old = (b"\x5a" * 0x8000).ljust(0x9000, b"\xff") + b"\x5a" * 0x600000
    boards, kiosks = [board(content=old), board(content=old)], [write(1), write(2)]
    outcomes = flashed(kiosks, boards, tmp_path)
    assert [(one.state, one.reason, one.mac[-2:], one.tried) for one in outcomes] == [
        ("written", "", "01", []),
        ("written", "", "02", []),
    ]
    assert [holds(*pair) for pair in zip(boards, kiosks, strict=True)] == [True, True]
    assert [one.connections for one in boards] == [
        5,
        5,
    ]  # two looks, the same board still, one write, one check
    # By hand the sockets may have been changed: each kiosk gets its own image again, and nothing is written twice.
    again = flashed(kiosks, boards[::-1], tmp_path, named=False)
    assert [(one.id, one.mac[-2:], one.state) for one in again] == [
        (kiosk_id(1), "01", "already"),
        (kiosk_id(2), "02", "already"),
    ]
    assert [one.log.count("erase") for one in boards] == [1, 1]


def test_a_cable_pulled_at_each_step_is_said_and_the_next_run_goes_on(
    board: Make, write: Callable[..., KioskImage], tmp_path: Path
) -> None:
    """One board, pulled at a later step in each run. `left`: what is in its flash then."""
    kiosk, old = write(1), with_journal(image(9), journal(20))
    Dumps(tmp_path).confirm(kiosk_id(9), journal(20))
    one = board(content=old)
    for at, left, is_writing in (
        (("connect", 1), "old", False),  # before anything
        (("read", 1), "old", False),  # while the table is read
        (("read", 2), "old", False),  # while the journal is read
        (("erase", 1), "erased in part", True),
        (("write", 4), "written in part", True),
        (("md5", 5), "all", True),  # the check of the whole
    ):
        one.plug()
        one.unplug_at = at
        one.connections = 0
        one.flash._counts.clear()
        (outcome,) = flashed([kiosk], [one], tmp_path, ladder=LADDER[:1])
        assert (outcome.state, one.plugged) == ("failed", False), at
        assert outcome.reason.endswith("run it again"), outcome.reason
        by_hand = (
            f"esptool --chip esp32 --port {one.port} --baud 921600 --before no-reset --after hard-reset "
            f"write-flash --erase-all 0x0 {kiosk.path}"
        )
        # Not while answers may be in the journal: whoever types it is not asked.
        assert outcome.by_hand == (by_hand if is_writing else "")
        assert len(outcome.tried) == 1
        now = "old" if one.flash.data == old else "all" if holds(one, kiosk) else "in part"
        assert left.endswith(now), (at, now)
    one.plug()
    (outcome,) = flashed([kiosk], [one], tmp_path)
    assert (outcome.state, holds(one, kiosk)) == ("already", True)


def test_a_bad_line_is_met_by_slower_and_at_last_uncompressed_writing(
    board: Make, write: Callable[..., KioskImage], tmp_path: Path
) -> None:
    assert [str(rung) for rung in LADDER] == [
        "921600 baud",
        "460800 baud",
        "115200 baud",
        "115200 baud, uncompressed",
    ]
    noisy, clone = board(fails=2), board(refuse_compressed=True)
    kiosks = [write(1), write(2)]
    (first,) = flashed(kiosks[:1], [noisy], tmp_path)
    (second,) = flashed(kiosks[1:], [clone], tmp_path, ladder=LADDER[2:])
    assert (first.state, second.state) == ("written", "written")
    assert [tried.split(":")[0] for tried in first.tried] == ["921600 baud"]
    assert "--baud 460800" in first.by_hand
    assert [tried.split(":")[0] for tried in second.tried] == ["115200 baud"]
    assert "--no-compress" in second.by_hand
    assert [holds(noisy, kiosks[0]), holds(clone, kiosks[1])] == [True, True]


def test_a_board_of_another_chip_or_with_too_little_flash_is_not_touched(
    board: Make, write: Callable[..., KioskImage], tmp_path: Path
) -> None:
    other, small = board(chip="esp32s3"), board(flash_id=JEDEC_4_MIB)
    wrong, little = flashed([write(1), write(2)], [other, small], tmp_path)
    assert wrong.reason.startswith("the board is an ESP32-S3, 1.img is for an ESP32; nothing was written")
    assert little.reason.startswith("the board has 4 MiB of flash, a kiosk needs 8; nothing was written")
    assert other.log == small.log == ["read"]
    # Found by themselves they are left alone, and the right ones are still told apart.
    s3 = write(3, ESP32_S3)
    outcomes = flashed([s3], [other, small], tmp_path, named=False)
    assert [(one.id, one.state, one.mac[-2:]) for one in outcomes] == [(kiosk_id(3), "written", "01")]
    assert holds(other, s3)
    assert small.log == ["read"]


def test_answers_that_reached_no_server_are_never_overwritten_unless_somebody_says_so(
    board: Make, write: Callable[..., KioskImage], tmp_path: Path
) -> None:
    held = with_journal(image(9), journal(37))
    one, kiosk = board(content=held), write(1)
    (outcome,) = flashed([kiosk], [one], tmp_path)
    assert outcome.state == "failed"
    assert outcome.was == kiosk_id(9)
    assert (
        f"37 answers of kiosk {kiosk_id(9)} have not reached a server; nothing was written" in outcome.reason
    )
    (dump,) = tmp_path.glob("*.journal")
    assert f"station harvest --dump {dump}" in outcome.reason
    assert dump.stat().st_mode & 0o777 == 0o600
    assert answers_waiting(dump.read_bytes()) == 37
    assert bytes(one.flash.data) == held
    assert outcome.by_hand == ""
    # Once the server has confirmed these very bytes nothing is lost any more.
    Dumps(tmp_path).confirm(kiosk_id(9), journal(37))
    (outcome,) = flashed([kiosk], [one], tmp_path)
    assert (outcome.state, outcome.was) == ("written", kiosk_id(9))
    one.flash.data[:] = with_journal(image(9), journal(38))
    assert not Dumps(tmp_path).is_confirmed(journal(38))
    (outcome,) = flashed([kiosk], [one], tmp_path, even_if_answers_wait=True)
    assert outcome.state == "written"
    assert holds(one, kiosk)


def test_a_damaged_table_is_no_reason_to_take_the_answers_for_gone() -> None:
    facts = Facts("ESP32", "24:0a:c4:00:00:01", 8 << 20)
    ours = partition("journal")
    assert Found(facts, small_table(4 * 4096), False, b"", "").journal == ours._replace(size=4 * 4096)
    assert Found(facts, (), False, b"", "").journal == ours
    assert Found(facts, (), True, b"", "").journal is None, "nothing was ever written to it"
    assert Found(facts, (partition("nvs"),), False, b"", "").journal is None, "other firmware"
    assert Found(replace(facts, flash_bytes=4 << 20), (), False, b"", "").journal is None


def test_nothing_is_written_without_a_yes_nor_to_a_board_that_came_in_its_place_meanwhile(
    board: Make, write: Callable[..., KioskImage], tmp_path: Path
) -> None:
    one = board()

    def no(pairs: Any) -> None:
        raise typer.Abort

    with pytest.raises(typer.Abort):
        flashed([write(1)], [one], tmp_path, named=False, agree=no)

    def swap(pairs: Any) -> None:
        one.mac = one.mac[:5] + b"\x77"

    (outcome,) = flashed([write(1)], [one], tmp_path, named=False, agree=swap)
    assert outcome.reason == (
        "another board (24:0a:c4:00:00:77) is plugged in there than was looked at; run it again"
    )
    assert one.log == ["read"]


def test_flash_that_does_not_hold_what_is_written_is_noticed(
    board: Make, write: Callable[..., KioskImage], tmp_path: Path
) -> None:
    one, kiosk = board(), write(1)

    def stuck(operation: str, number: int) -> None:
        if operation == "md5":
            one.flash.data[0x500000] = 0  # in the journal, where nothing was written

    one.flash._hook = stuck
    (outcome,) = flashed([kiosk], [one], tmp_path, ladder=LADDER[:2])
    assert outcome.state == "failed"
    assert outcome.reason == "the flash does not hold what was written to it; take another board"
    assert len(outcome.tried) == 2


def test_what_is_written_and_what_the_erase_leaves_are_the_whole_image() -> None:
    content = image(1)
    whole = bytearray(b"\xff" * len(content))
    for offset, data in pieces(content):
        whole[offset : offset + len(data)] = data
    assert bytes(whole) == content
    assert sum(len(data) for _, data in pieces(content)) < 300_000

"""A small sweep of power cuts on both interpreters, as the device has it; test_power_cut_sweep.py has the large one."""

import sys

from cuts import CutFailed, Sweep, replay
from kiosk import record
from lives import CONTENTS

ON_DEVICE = sys.implementation.name == "micropython"


def test_a_thanked_answer_survives_a_cut_at_flash_operations_and_another_in_the_recovery():
    for seed, content in enumerate(CONTENTS[:2] if ON_DEVICE else CONTENTS):
        sweep = Sweep(most=300 if ON_DEVICE else 1000)
        sweep.over(content, seed, steps=60)
        assert sweep.cuts == sweep.most


def test_a_cut_that_broke_a_promise_is_named_by_the_command_that_does_it_again():
    whole = record.whole
    record.whole = lambda buf, offset, epoch: record.size(buf, offset)
    try:
        Sweep().over("zeros", 0, steps=60)
        raise ValueError("a journal that checks no CRC came through")
    except CutFailed as failed:
        said = str(failed)
        words = said.split("replay_cut ")[1].split()
        name = [words[0]] + [int(word) for word in words[1:]]
        error = None
        try:
            replay(*name, steps=60)
        except AssertionError as again:
            error = again
        assert error is not None, said
        assert str(error) in said, (said, error)
    finally:
        record.whole = whole
    assert "cut while" in replay(*name, steps=60)

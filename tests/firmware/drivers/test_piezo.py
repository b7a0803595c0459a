"""The piezo's player, with a scripted PWM."""

import asyncio

from drivers.piezo import Piezo
from wires import Flag, Pwm, Watch


def played(names, stop_after=None):
    """What the PWM was set to by tunes that were asked for before the player ran."""
    watch, log = Watch(), []
    flag = Flag()
    piezo = Piezo(Pwm(log), flag, watch.pause)
    watch.stop_after = stop_after
    beats = []

    async def one_by_one():
        for name in names:
            piezo.play(name)
        await piezo.run(lambda: beats.append(True))

    try:  # noqa: SIM105 - MicroPython has no contextlib
        asyncio.run(one_by_one())
    except (Flag.Over, Watch.Stopped):
        pass
    return log, watch, beats


def test_thanks_are_two_rising_tones_and_then_silence():
    log, watch, beats = played(["thanks"])
    assert log == [
        ("duty", 0),
        ("freq", 2093),
        ("duty", 32768),
        ("freq", 2637),
        ("duty", 32768),
        ("duty", 0),
    ]
    assert 0.149 < watch.now_s < 0.151
    assert beats == [True]


def test_a_pause_in_a_tune_is_silent():
    log, _, _ = played(["fault"])
    assert log == [
        ("duty", 0),
        ("freq", 440),
        ("duty", 32768),
        ("duty", 0),
        ("freq", 440),
        ("duty", 32768),
        ("duty", 0),
    ]


def test_a_player_that_is_stopped_in_a_tone_is_silent():
    log, _, _ = played(["refused"], stop_after=1)
    assert log[-1] == ("duty", 0)

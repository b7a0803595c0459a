"""The expander's driver, byte for byte on its bus."""

from drivers.pcf8575 import Pcf8575
from wires import I2c


def expander():
    bus = I2c(0x20)
    return bus, Pcf8575(bus, 0x20)


def test_all_outputs_are_high_until_one_is_set_low():
    bus, chip = expander()
    chip.pin(3)(0)
    chip.pin(8)(0)
    chip.pin(3)(1)
    assert bus.log == [("write", b"\xf7\xff"), ("write", b"\xf7\xfe"), ("write", b"\xff\xfe")]


def test_several_outputs_change_in_one_write():
    bus, chip = expander()
    chip.pin(15)(0)
    chip.set(0x1F, ~0b00101)
    assert bus.log[-1] == ("write", b"\xfa\x7f")


def test_a_dead_expander_is_counted_never_raises_and_catches_up():
    bus, chip = expander()
    bus.broken = 2
    chip.pin(0)(0)
    chip.pin(9)(0)
    assert chip.errors == 2
    assert chip.fault.startswith("expander at 0x20 does not answer (")
    chip.pin(1)(0)
    assert bus.log[-1] == ("write", b"\xfc\xfd")
    assert chip.fault is None

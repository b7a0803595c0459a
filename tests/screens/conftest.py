"""The firmware, compiled, for the tests that lay screens out on MicroPython."""

from tests.firmware.conftest import compiled_firmware

__all__ = ("compiled_firmware",)

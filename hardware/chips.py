"""What each chip's pins can do, with the source of every set. Numbers only; which rule follows is in `rules.py`."""

from dataclasses import dataclass

_NEVER: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Chip:
    """pins: GPIO numbers that exist. memory: flash and PSRAM. strapping: pin -> the level at reset that does harm, and
    what then happens. rtc: may wake from deep sleep and keep their level in it. source: where the table comes from.
    """

    name: str
    pins: frozenset[int]
    input_only: frozenset[int]
    memory: frozenset[int]
    strapping: dict[int, str]
    rtc: frozenset[int]
    adc2: frozenset[int]
    console: frozenset[int]
    usb: frozenset[int]
    ghost_edges: frozenset[int]
    source: str


_ESP32 = Chip(
    name="ESP32 (WROOM, no PSRAM)",
    pins=frozenset({*range(20), 21, 22, 23, 25, 26, 27, *range(32, 40)}),
    input_only=frozenset(range(34, 40)),
    memory=frozenset(range(6, 12)),
    strapping={
        0: "low: waits for flashing instead of starting",
        2: "high: cannot be flashed",
        5: "low or high: timing of an SDIO slave, which nobody uses here",
        12: "high: the flash gets 1.8 V and the chip does not start",
        15: "low: no messages of the boot ROM, nothing else",
    },
    rtc=frozenset({0, 2, 4, 12, 13, 14, 15, 25, 26, 27, *range(32, 40)}),
    adc2=frozenset({0, 2, 4, 12, 13, 14, 15, 25, 26, 27}),
    console=frozenset({1, 3}),
    usb=_NEVER,
    ghost_edges=frozenset({36, 39}),
    source=(
        "Espressif, ESP32 Series Datasheet, 2.2 (pins), 2.4 (strapping); ESP-IDF 5.5, GPIO & RTC GPIO (table: RTC, "
        "ADC2, SPI0/1, GPI), ADC oneshot, hardware limitations (ADC2 and Wi-Fi); ESP32 errata, GPIO-3.11 (36, 39)"
    ),
)

_S3_STRAPPING = {
    0: "low: waits for flashing instead of starting",
    3: "where JTAG is taken from",
    45: "high: the flash gets 1.8 V and the chip does not start",
    46: "high together with 0 low: no flashing",
}
_S3_SOURCE = (
    "Espressif, ESP32-S3 Series Datasheet, 2.2 (pins), 3 (boot configurations); ESP-IDF 5.5, ESP32-S3, GPIO & RTC GPIO "
    "(table: RTC 0-21, ADC2 11-20, USB-JTAG 19-20, SPI0/1 26-32, with octal memory 33-37 as well), ADC oneshot"
)


def _s3(name: str, memory: frozenset[int]) -> Chip:
    return Chip(
        name=name,
        pins=frozenset({*range(22), *range(26, 49)}),
        input_only=_NEVER,
        memory=memory,
        strapping=_S3_STRAPPING,
        rtc=frozenset(range(22)),
        adc2=frozenset(range(11, 21)),
        console=frozenset({43, 44}),
        usb=frozenset({19, 20}),
        ghost_edges=_NEVER,
        source=_S3_SOURCE,
    )


CHIPS = {
    "esp32": _ESP32,
    "esp32s3-octal": _s3("ESP32-S3 with octal PSRAM", frozenset(range(26, 38))),
    "esp32s3-quad": _s3("ESP32-S3 with quad PSRAM", frozenset(range(26, 33))),
}

# Strapping pins that may be used, and how: these levels do no harm that matters to a kiosk.
HARMLESS = {
    ("esp32", 2): {"out"},  # the other end is an input: open at reset
    ("esp32", 5): {"in", "out"},
    ("esp32", 15): {"out"},
}

"""The whole firmware with a broker that it knows by name; kiosks that know an address have nothing to do with it."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provisioning.firmware_files import firmware_files
from provisioning.identity import Identity
from provisioning.image import build_image
from tests.evidence import note
from tests.firmware.front.kiosk_rig import DEVICE, Kiosk, Server, largest_set, until
from tests.firmware.net.names import NameServer, address, answer

NAME = "mqtt.palaute.example"
FEEDBACK_S = 0.1
# The board as it is, but for whom it asks.
MAIN = """
import board
from kiosk.app import run

board._Link.name_servers = lambda link: [("127.0.0.1", %d)]
run(board)
"""
# What it would ask.
TELL = """
import board

board.show({"servers": board.link.name_servers()})
"""


@pytest.fixture
def kiosk_of(broker: int, tmp_path: Path) -> Iterator[Callable[[str], Kiosk]]:
    """`kiosk_of(main)` -> a kiosk, switched off, whose program starts like this, and that knows its broker by name."""
    started = []

    def make(main: str) -> Kiosk:
        firmware = firmware_files("unix")
        changed = dataclasses.replace(firmware, files={**firmware.files, "/main.py": main.encode()})
        identity = Identity(id=DEVICE, secret="a5" * 32, host=NAME, port=broker)
        flash = tmp_path / "flash.img"
        flash.write_bytes(build_image(changed, identity, "button5").content)
        started.append(Kiosk(flash))
        return started[-1]

    yield make
    for kiosk in started:
        kiosk.cut()


def here(query: bytes) -> list[bytes | float]:
    return [answer(query, [address("127.0.0.1")])]


@pytest.mark.slow
def test_presses_are_thanked_at_once_while_the_name_server_says_nothing_and_arrive_when_it_does(
    kiosk_of: Callable[[str], Kiosk], server: Server
) -> None:
    """`getaddrinfo` kept visitors waiting for their thanks until it gave the name server up."""
    asked = NameServer(here)
    kiosk = kiosk_of(MAIN % asked.address[1])
    kiosk.on()
    kiosk.ready()  # it has questions from now on
    kiosk.cut()
    asked.script = lambda query: []
    asked.asked.clear()
    kiosk.on()
    until(lambda: asked.asked, "a look-up", log=kiosk.lines)
    until(lambda: kiosk.screens[-1:] == ["ready"], "screen 'ready'", log=kiosk.lines)
    delays = []
    for face in [0, 1, 2, 3, 4] * 6:
        before = kiosk.thanks
        pressed = time.monotonic()
        kiosk.say(press=face, ms=30)
        until(lambda before=before: kiosk.thanks > before, "thanks", log=kiosk.lines)
        delays.append(kiosk.sounds[-1][0] - pressed)
        until(lambda: not any(kiosk.lights), "lights out")
    assert sorted(delays)[28] < FEEDBACK_S
    assert server.answers() == []
    asked.script = here
    until(lambda: len(server.answers()) == 30, "30 answers", log=kiosk.lines)
    asked.close()
    kiosk.say(net=False)
    until(lambda: kiosk.shown.get("status") == "no-network", "no network", log=kiosk.lines)
    kiosk.say(net=True)
    kiosk.press(1)
    until(lambda: len(server.answers()) == 31, "an answer, by the address known", log=kiosk.lines)
    note(
        "name server that says nothing, the whole kiosk",
        len(delays),
        "presses",
        "tests/firmware/front/test_by_name.py"
        "::test_presses_are_thanked_at_once_while_the_name_server_says_nothing_and_arrive_when_it_does",
        f"thanked after {sorted(delays)[len(delays) // 2] * 1000:.0f} ms (median), all booked when it came back",
    )


def test_the_largest_set_fits_the_heap_aimed_for_beside_a_look_up(
    kiosk_of: Callable[[str], Kiosk], server: Server
) -> None:
    asked = NameServer(here)
    kiosk = kiosk_of(MAIN % asked.address[1])
    kiosk.on()
    kiosk.ready()
    server.publish_set(largest_set())
    until(lambda: kiosk.shown["number"] == 15, "the new set", log=kiosk.lines)
    kiosk.press(1)
    until(lambda: [answer.set_number for answer in server.answers()] == [15], "an answer", log=kiosk.lines)
    asked.close()


def test_a_virtual_kiosk_knows_its_hosts_name_servers(kiosk_of: Callable[[str], Kiosk]) -> None:
    file = Path("/etc/resolv.conf")
    if not file.exists():
        pytest.skip("this host has no /etc/resolv.conf")
    words = [line.split() for line in file.read_text().splitlines()]
    kiosk = kiosk_of(TELL)
    kiosk.on()
    until(lambda: "servers" in kiosk.shown, "the name servers", log=kiosk.lines)
    assert kiosk.shown["servers"] == [[word[1], 53] for word in words if word[:1] == ["nameserver"]]


def test_a_kiosk_that_knows_an_address_loads_no_code_for_names(
    image_of: Callable[[dict[str, bytes]], bytes], kiosk: Kiosk, server: Server
) -> None:
    kiosk.flash.write_bytes(image_of({"/kiosk/resolver.mpy": b"would not load"}))
    kiosk.on()
    kiosk.ready()
    kiosk.press(0)
    until(lambda: len(server.answers()) == 1, "an answer", log=kiosk.lines)

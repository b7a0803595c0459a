"""The network interfaces, with a scripted one in the place of the chip's."""

import asyncio

from drivers.links import Wired, Wireless
from wires import Nic, Watch


def failed(coroutine):
    try:
        asyncio.run(coroutine)
    except OSError as error:
        return str(error)
    raise AssertionError("it did not fail")


def test_a_cable_is_up_when_dhcp_has_given_an_address():
    watch, nic = Watch(), Nic(after=4)
    link = Wired(lambda: nic, watch.pause)
    assert not link.up()
    assert link.name_servers() == []
    asyncio.run(link.connect())
    assert link.up()
    assert nic.log == [("active", True)]
    assert link.name_servers() == [("192.0.2.53", 53)]
    assert link.signal() is None
    asyncio.run(link.connect())
    assert nic.log == [("active", True)]


def test_without_an_address_in_20_s_connecting_is_an_error_and_may_be_tried_again():
    watch, nic = Watch(), Nic(after=None)
    link = Wired(lambda: nic, watch.pause)
    assert failed(link.connect()) == "no address from the network (eth)"
    assert 20 <= watch.now_s < 20.5
    assert failed(link.connect()) == "no address from the network (eth)"
    assert nic.log == [("active", True)]
    assert link.name_servers() == []


def test_an_ethernet_chip_that_does_not_answer_is_made_again_later():
    watch, nic, made = Watch(), Nic(after=1), []

    def make():
        made.append(True)
        if len(made) == 1:
            raise OSError(5)
        return nic

    link = Wired(make, watch.pause)
    assert made == []
    failed(link.connect())
    assert not link.up()
    asyncio.run(link.connect())
    assert link.up()
    assert len(made) == 2


def test_a_radio_joins_with_its_name_and_key_or_with_none():
    watch = Watch()
    for settings, key in (
        ({"ssid": "Lobby", "key": "secret"}, "secret"),
        ({"ssid": "Lobby", "key": ""}, None),
    ):
        nic = Nic(after=2)
        link = Wireless(nic, watch.pause, settings)
        assert link.signal() is None
        asyncio.run(link.connect())
        assert nic.log == [("active", True), ("disconnect",), ("connect", "Lobby", key)]
        assert link.signal() == -61
        assert link.kind == "wifi"

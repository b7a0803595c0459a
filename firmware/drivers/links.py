"""The network interface of a board, wired or wireless. Knows no pins and no chip: an interface object is an argument.

Invariant: `connect` returns with an address or raises OSError; an interface that cannot be made is an OSError too.
"""

from kiosk.compat import const

_CONNECT_S = const(20)
_POLL_S = 0.2
_DNS_PORT = const(53)


class Link:
    """What both have; `_start` of the two asks the interface to connect. pause(seconds): coroutine."""

    kind = ""

    def __init__(self, nic, pause):
        self._nic = nic
        self._pause = pause

    def up(self):
        return self._nic is not None and self._nic.isconnected()

    def signal(self):
        """dBm, or None where there is no radio."""
        return

    def name_servers(self):
        """[(address, port)]: the first one that DHCP gave; the port tells of no other. [] when it gave none."""
        if self._nic is None:
            return []
        address = self._nic.ifconfig()[3]
        return [] if address == "0.0.0.0" else [(address, _DNS_PORT)]

    async def connect(self):
        """Returns when there is an address; OSError when it takes too long."""
        if self.up():
            return
        self._start()
        waited_s = 0.0
        while not self.up():
            if waited_s >= _CONNECT_S:
                raise OSError("no address from the network (%s)" % self.kind)
            await self._pause(_POLL_S)
            waited_s += _POLL_S

    def _start(self):
        raise NotImplementedError


class Wired(Link):
    """make() gives the interface. It is made when it is needed: a PHY that does not answer (OSError) must not keep the
    kiosk from starting.
    """

    kind = "eth"

    def __init__(self, make, pause):
        super().__init__(None, pause)
        self._make = make

    def _start(self):
        if self._nic is None:
            self._nic = self._make()
        if not self._nic.active():
            self._nic.active(True)


class Wireless(Link):
    """nic: a station; settings: `ssid` and, where the network has one, `key`."""

    kind = "wifi"

    def __init__(self, nic, pause, settings):
        super().__init__(nic, pause)
        self._settings = settings

    def signal(self):
        return int(self._nic.status("rssi")) if self.up() else None

    def _start(self):
        self._nic.active(True)
        self._nic.disconnect()
        self._nic.connect(self._settings["ssid"], self._settings.get("key") or None)

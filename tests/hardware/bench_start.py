"""Before the prompt of a board on the test bench: a real board file's chips, scripted, and somebody with fingers.

`station test` sends the board file itself over the REPL. Lights and tunes are told in the file `events`.
"""

import json
import sys

BOARD, TESTS = "@BOARD@", "@TESTS@"
sys.path.append(TESTS)

import chips  # noqa: E402
import esp32  # noqa: E402 - the bench's own
import machine  # noqa: E402
import network  # noqa: E402

own = {"NVS": esp32.NVS, "Partition": esp32.Partition, "unique_id": machine.unique_id, "WLAN": network.WLAN}
chips.install(BOARD, "{}")
del sys.modules["kiosk.version"]  # the tool sends one
esp32, machine, network = (sys.modules[name] for name in ("esp32", "machine", "network"))
esp32.NVS, esp32.Partition, network.WLAN = own["NVS"], own["Partition"], own["WLAN"]
machine.unique_id = own["unique_id"]
own["Partition"].__init__ = lambda self, row: None if row == "running" else init(self, row)


def init(self, row):
    self.row, self.stuck = row, {}
    self.file = open("flash.img", "r+b")  # noqa: SIM115 - as long as the board


esp32.Partition.RUNNING = "running"
esp32.Partition.info = lambda self: (self.row if hasattr(self, "row") else (0, 16, 0, 0, "ota_0")) + (False,)


def tell(**event):
    with open("events", "a") as file:
        file.write(json.dumps(event) + "\n")


def lights(bus, address, data):
    tell(light=[1 - (data[0] >> face & 1) for face in range(5)])


chips.I2C.writeto = lights
chips.PWM.duty_u16 = lambda pwm, duty: tell(piezo=[pwm.hertz, duty]) if duty else None
orders = open("orders")  # noqa: SIM115


def level(pin, *value):
    """Buttons go down and up by orders from outside: {"pin": number, "level": 0 or 1}."""
    while True:
        line = orders.readline()
        if not line:
            break
        order = json.loads(line)
        chips.Pin.levels[order["pin"]] = order["level"]
        if not order["level"] and order["pin"] in chips.Pin.handlers:
            chips.Pin.handlers[order["pin"]](None)
    if value:
        chips.Pin.levels[pin.number] = value[0]
    return chips.Pin.levels.get(pin.number, 1)


chips.Pin.value = chips.Pin.__call__ = level
# On the touch panel a finger comes and goes in each corner, clockwise; the chip counts from the upright glass.
corners = [(300, 10), (300, 470), (20, 470), (20, 10)]
readings = [0]


def read(bus, address, register, buf):
    if register != 0x02:
        buf[:] = {0xA8: b"\x11", 0xA3: b"\x64"}[register]
        return
    turn, step = divmod(readings[0], 10)
    readings[0] += 1
    across, down = corners[turn % 4]
    down_now = 3 <= step < 6
    finger = bytes((1, 0x80 | across >> 8, across & 0xFF, down >> 8, down & 0xFF))
    buf[:] = finger if down_now else bytes(5)


chips.I2C.readfrom_mem_into = read

"""The words for the steps of an acceptance report that the station tool names; any other is shown as it was sent."""

from fleet_server.refusals import N_
from fleet_server.web.i18n import _

# What `station` sends as a step's or a measure's name.
NAMES = {
    "identity": N_("Identity written"),
    "seen": N_("Seen by the server"),
    "firmware": N_("Firmware"),
    "place": N_("Put at its place"),
    "hardware": N_("Test of the hardware"),
    "buttons": N_("Buttons"),
    "lights": N_("Lights"),
    "sound": N_("Sound"),
    "touch": N_("Corners of the touchscreen"),
    "screen": N_("Colours of the screen"),
    "paper": N_("E-paper"),
    "radio": N_("Radio"),
    "ethernet": N_("Wired network"),
    "flash": N_("Flash, outside the journal"),
    "supply": N_("Supply voltage"),
    "seconds": N_("Time taken"),
    "signal": N_("Signal of the radio"),
    "voltage": N_("Voltage"),
    "speed": N_("Speed"),
    "micropython": N_("MicroPython"),
    "station": N_("Station tool"),
    "build": N_("Build"),
}


def step_name(name: str) -> str:
    """The name in the language of the request."""
    return _(NAMES[name]) if name in NAMES else name

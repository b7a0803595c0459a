"""The kiosks' screens on the server: the firmware's own drawing and layout, run here.

This is the one place that puts the firmware's folder on the path; whoever imports from `screens` imports this first.
"""

import sys

from provisioning.firmware_files import firmware_root

FIRMWARE = firmware_root()
ASSETS = FIRMWARE / "assets"

if str(FIRMWARE) not in sys.path:
    sys.path.append(str(FIRMWARE))  # last: nothing of the firmware hides a module of the server

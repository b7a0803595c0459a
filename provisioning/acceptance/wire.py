"""The line to a board's REPL: puts modules into its memory and calls their functions. Knows no step.

Invariant: nothing is written to the board's files, and no soft reset is made: that could start what is in them.
"""

import json
from binascii import b2a_base64
from collections.abc import Mapping
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport
from serial import SerialException

from provisioning import ports
from provisioning.errors import Lost, ProvisioningError

_PATIENCE_S = 10.0
_CHUNK_BYTES = 1200
_MARK = "\x1d"
# A read-only file system in memory: modules come from it as from flash.
_SHELF = """
import io, os, sys
try:
    import vfs
except ImportError:
    vfs = os
if '/station' not in sys.path:
    class Shelf:
        files = {}
        def mount(self, readonly, mkfs): pass
        def umount(self): pass
        def chdir(self, path): raise OSError(1)
        def stat(self, path):
            path = path.strip('/')
            if path in self.files: return (0x8000, 0, 0, 0, 0, 0, len(self.files[path]), 0, 0, 0)
            if path in {name.rpartition('/')[0] for name in self.files}: return (0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
            raise OSError(2)
        def open(self, path, mode): return io.BytesIO(self.files[path.strip('/')])
    vfs.mount(Shelf(), '/station')
    sys.path.append('/station')
"""
_HAS_FIRMWARE = """
import os
def there(name):
    try:
        return bool(os.stat(name))
    except OSError:
        return False
print(there('board.mpy') or there('board.py'))
"""


class Wire:
    """The board at a serial port. Opening it interrupts what runs there.

    Raises ProvisioningError when no REPL answers.
    """

    def __init__(self, port: str, patience_s: float = _PATIENCE_S) -> None:
        self.port = port
        try:
            self._repl = SerialTransport(port, baudrate=115200, timeout=5)
        except (TransportError, SerialException, OSError) as error:
            raise ProvisioningError(ports.not_opened(port, error)) from error
        try:
            with redirect_stdout(StringIO()):  # mpremote prints what it heard instead, before it raises
                self._repl.enter_raw_repl(soft_reset=False, timeout_overall=patience_s)
        except (TransportError, SerialException, OSError) as error:
            self._repl.close()
            raise ProvisioningError(
                f"{port}: no MicroPython answers ({_first_line(error)}). Something else runs on the board, or its "
                "console is shut: press RESET and try again; a new board needs stock MicroPython first (the guide "
                "says how)"
            ) from error

    def put(self, files: Mapping[str, bytes]) -> bool:
        """Make modules importable: path -> content. Those that a board's own firmware has are left out.

        Returns whether the board has a firmware of its own.
        """
        own = self.run(_HAS_FIRMWARE).strip() == "True"
        self.run(_SHELF)
        for path, content in files.items():
            name = path.strip("/")
            if own and name != "acceptance.mpy":
                continue
            self.run(f"part = Shelf.files[{name!r}] = bytearray()\nfrom binascii import a2b_base64")
            for at in range(0, len(content), _CHUNK_BYTES):
                chunk = b2a_base64(content[at : at + _CHUNK_BYTES], newline=False).decode()
                self.run(f"part.extend(a2b_base64('{chunk}'))")
        self.run("part = None\nsys.modules.pop('acceptance', None)\nimport acceptance")
        return own

    def call(self, name: str, *arguments: Any, wait_s: float = 0) -> Any:
        """What a function of the acceptance module gives. wait_s: how long it may be silent.

        Raises Lost when the line breaks, ProvisioningError with the board's words when the function failed.
        """
        words = ", ".join(repr(one) for one in arguments)
        said = self.run(f"acceptance.tell({name!r}{', ' if words else ''}{words})", wait_s)
        marked = [line for line in said.split("\n") if line.startswith(_MARK)]
        if not marked:
            raise ProvisioningError(f"{self.port}: {name} gave no answer, but {said[-80:]!r}")
        return json.loads(marked[-1][1:])

    def run(self, code: str, wait_s: float = 0) -> str:
        """What a piece of code prints."""
        try:
            out, failed = self._repl.exec_raw(code, timeout=wait_s + _PATIENCE_S)
        except (TransportError, SerialException, OSError) as error:
            raise Lost(
                f"{self.port}: the connection broke ({_first_line(error)}); see to the cable, then run the same line "
                "again: it goes on"
            ) from error
        if failed:
            last = failed.decode("utf-8", "replace").strip().splitlines()[-1]
            raise ProvisioningError(last.removeprefix("OSError: "))  # drivers say in words what is wrong
        return str(out.decode("utf-8", "replace"))

    def close(self) -> None:
        """Leave the board at its prompt, whatever it was doing; never raises."""
        try:
            self._repl.serial.write(b"\r\x03\r\x02")
        except (SerialException, OSError):
            pass  # it is gone: there is nobody to be polite to
        finally:
            self._repl.close()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]

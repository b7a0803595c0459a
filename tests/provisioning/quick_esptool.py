"""The real esptool, a process for each call as ever, without its imports each time: two thirds of a call to a mock.

`python quick_esptool.py SOCKET` has imported esptool and makes a copy of itself for each call. What `esp_tool` starts
is `python quick_esptool.py SOCKET ARGUMENT…`: it hands over its arguments and its output, and ends as the copy did.
"""

import gc
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

AT_ONCE = 2  # a mock board on a busy machine answers late, and esptool waits for a second


@contextmanager
def ready() -> Iterator[None]:
    """`provisioning.esp_tool` uses it in the block."""
    from provisioning import esp_tool

    before = esp_tool.PROGRAM
    with tempfile.TemporaryDirectory(prefix="hymio-esptool-") as folder:
        address = str(Path(folder, "socket"))
        server = subprocess.Popen([sys.executable, __file__, address], stdout=subprocess.PIPE)
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        # No site, no packages: a start of a few milliseconds.
        esp_tool.PROGRAM = (sys.executable, "-I", "-S", __file__, address)
        try:
            yield
        finally:
            esp_tool.PROGRAM = before
            server.kill()
            server.wait()
            server.stdout.close()


def call(address: str, arguments: list[str]) -> int:
    """Hand over, and wait for the status."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wire:
        wire.connect(address)
        asked = json.dumps({"arguments": arguments, "environment": dict(os.environ)}).encode()
        socket.send_fds(wire, [len(asked).to_bytes(4, "big")], [1])
        wire.sendall(asked)
        return int.from_bytes(wire.recv(1) or b"\1", "big")


def serve(address: str) -> None:
    """A copy for each call, until it is killed."""
    import esptool
    import esptool.targets  # noqa: F401

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        gc.freeze()  # a copy that collects would copy all of it
        listener.bind(address)
        listener.listen(64)
        print("ready", flush=True)
        running = 0
        while True:
            if running == AT_ONCE:
                os.wait()
                running -= 1
            wire, _ = listener.accept()
            if os.fork():
                wire.close()
                running += 1
                continue
            head, (out,), _, _ = socket.recv_fds(wire, 4, 1)
            raw = b""
            while len(raw) < int.from_bytes(head, "big"):
                raw += wire.recv(65536)
            asked = json.loads(raw)
            os.environ.update(asked["environment"])
            os.dup2(out, 1)
            os.dup2(out, 2)
            status = 2
            sys.argv = ["esptool", *asked["arguments"]]
            try:
                esptool._main()
                status = 0
            except SystemExit as error:
                status = error.code if isinstance(error.code, int) else 1
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                wire.sendall(bytes([status & 0xFF]))
                os._exit(status & 0xFF)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(call(sys.argv[1], sys.argv[2:]))
    serve(sys.argv[1])

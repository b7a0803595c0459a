"""A real Mosquitto as docs/operations.md sets it up: password file, and an ACL by user name."""

import shutil
import socket
import subprocess
from pathlib import Path

from tests.fleet_server.link.wire import free_port, until

SERVER_NAME = "fleet-server"
ACL = f"""\
user {SERVER_NAME}
topic read hymio/1/up/#
topic write hymio/1/down/#

pattern write hymio/1/up/%u/#
pattern read hymio/1/down/%u/#
"""


def program(name: str) -> str | None:
    """Where Debian puts it, which is not on everybody's path."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin")


class Mosquitto:
    """One broker process; `members`: user names and passwords; `tls`: files of its certificate and key."""

    def __init__(self, folder: Path, members: dict[str, str], tls: tuple[Path, Path] | None = None) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        passwords, acl = folder / "passwords", folder / "acl"
        passwords.write_text("".join(f"{name}:{secret}\n" for name, secret in members.items()))
        subprocess.run([program("mosquitto_passwd") or "", "-U", str(passwords)], check=True)
        acl.write_text(ACL)
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\nuser root\npersistence false\n"
            f"password_file {passwords}\nacl_file {acl}\nmax_packet_size 65536\n"
            + (f"certfile {tls[0]}\nkeyfile {tls[1]}\n" if tls else "")
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start; returns when it listens."""
        self._process = subprocess.Popen(
            [program("mosquitto") or "", "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._listens, "Mosquitto listens")

    def stop(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.2).close()
        except OSError:
            return False
        return True

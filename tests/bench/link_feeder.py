"""Publishes ready-made packets to a broker, never more ahead of the receiver than a window; in a process of its own.

Run by bench_link: `python link_feeder.py PORT FILE WINDOW`. Lines on stdin: how many messages were taken so far.
"""

import socket
import sys
from pathlib import Path

CONNECT = b"\x10\x12\x00\x04MQTT\x04\x02\x00\x3c\x00\x06feeder"
AT_ONCE = 100


def main(port: int, file: Path, window: int) -> None:
    """Send all packets of the file (each after its length, u16)."""
    packets = read(file)
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(CONNECT)
    connection.recv(4)
    print("ready", flush=True)
    sent = 0
    for line in sys.stdin:
        allowed = min(int(line) + window, len(packets))
        while sent < allowed:
            upto = min(sent + AT_ONCE, allowed)
            connection.sendall(b"".join(packets[sent:upto]))
            sent = upto


def read(file: Path) -> list[bytes]:
    """The packets of a file that `write` wrote."""
    raw, at, packets = file.read_bytes(), 0, []
    while at < len(raw):
        size = int.from_bytes(raw[at : at + 2], "little")
        packets.append(raw[at + 2 : at + 2 + size])
        at += 2 + size
    return packets


def write(file: Path, packets: list[bytes]) -> None:
    """Write packets for `read`."""
    file.write_bytes(b"".join(len(packet).to_bytes(2, "little") + packet for packet in packets))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))

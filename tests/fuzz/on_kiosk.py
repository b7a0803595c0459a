"""Runs cases on MicroPython: `micropython -X heapsize=… on_kiosk.py FIRMWARE CHECKS FOLDER FILE`.

FILE: check, seed and size in a line of text, then so many bytes; again and again. Prints a line for each that failed.
"""

import gc
import sys


def main(firmware, checks, folder, file):
    sys.path[:0] = [firmware, checks]
    from tests.fuzz.kiosk_ends import Ends

    ends = Ends(folder)
    count = 0
    with open(file, "rb") as cases:
        while True:
            line = cases.readline()
            if not line:
                break
            check, seed, size = line.decode().split()
            data = cases.read(int(size))
            gc.collect()
            try:
                getattr(ends, check)(data)
            except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to this case's line
                print(f"failed {check} {seed} {error!r}")
                sys.print_exception(error)
            count += 1
    print(f"done {count}")


main(*sys.argv[1:])

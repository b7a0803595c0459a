"""Runs the test functions of the modules named on the command line on MicroPython; prints one line for each.

    micropython -X heapsize=192K run_upy.py FIRMWARE TESTS module...

FIRMWARE and TESTS are folders for sys.path; FIRMWARE may hold .mpy files.
"""

import gc
import sys


def main(firmware, tests, modules):
    sys.path[:0] = [firmware, tests]
    for name in modules:
        module = __import__(name)
        for test in sorted([key for key in dir(module) if key.startswith("test_")]):
            gc.collect()
            try:
                getattr(module, test)()
                print(f"{name} {test} passed")
            except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to this test's line
                print(f"{name} {test} failed")
                sys.print_exception(error)
    print("done")


main(sys.argv[1], sys.argv[2], sys.argv[3:])

"""What the tests that inject faults did, for the table in docs/reliability.md; tools/write_reliability.py writes it.

Each `note` is one line of JSON in the file that HYMIO_EVIDENCE names; without it nothing is kept. A test notes only
what it has seen to end well: a row's count is that of faults survived.
"""

import json
import os

from tests import effort


def note(fault: str, count: int, unit: str, test: str, result: str = "") -> None:
    """`fault`: what was injected, the table's row; `count` of `unit` are added up over notes of the same row.

    `test`: the test's name as `tests/…/test_x.py::test_name`. `result`: a word on what was seen, when it is more than
    that nothing was lost, doubled or invented.
    """
    path = os.environ.get("HYMIO_EVIDENCE")
    if not path:
        return
    entry = {"fault": fault, "count": count, "unit": unit, "test": test, "result": result}
    entry |= {"effort": effort.LEVEL, "seed": effort.SEED}
    line = json.dumps(entry, ensure_ascii=False) + "\n"
    # One write to a file that is only appended to: several processes note at once.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)

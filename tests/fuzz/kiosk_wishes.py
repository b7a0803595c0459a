"""What a kiosk does with any bytes as a desired document, judged by its rules alone and on the whole way into flash.

Runs on CPython and on MicroPython.
"""

import json

from kiosk import wish as wish_rules
from kiosk.clock import Clock, Uptime
from kiosk.compat import ticks_ms
from kiosk.desired import Desired
from kiosk.report import Report
from kiosk.sets import Sets
from kiosk.settings import DEFAULTS, Settings

from tests.fuzz.kiosk_parts import FACES, LARGEST_NUMBER, MOST_JSON_BYTES, MOST_REPORT_BYTES, Board


class WishEnds:
    """The checks of desired documents. Of who inherits: `_journal`, `_fresh_root()`."""

    def wish(self, payload):
        """As the rules alone judge it. Returns the fault."""
        try:
            document = json.loads(payload)
            reason = wish_rules.fault(document)
        except (ValueError, RuntimeError, MemoryError):  # as `Desired` does
            return "no JSON"
        if reason is None:
            self._followable(document)
        else:
            assert isinstance(reason, str)
            assert reason.strip(), "refused without a reason"
        return reason

    def desired(self, payload):
        """The whole way: taken and kept over a start, or refused with everything as it was and a reason to report."""
        if len(payload) > MOST_JSON_BYTES:
            return False
        root = self._fresh_root()
        board = Board()
        uptime = Uptime(ticks_ms)
        clock = Clock(uptime)
        sets, settings = Sets(root, clock, FACES), Settings()
        desired = Desired(root, sets, settings)
        assert desired.apply(self._old_wish(1000)) is None
        reason = desired.apply(bytearray(payload))
        taken = desired.version != 1000
        if taken:
            assert reason is None
            assert desired.refusal is None
            document = json.loads(payload)
            self._followable(document)
            assert desired.version == document["version"]
            assert desired.version > 1000, "the version fell"
            assert sorted(settings._values) == sorted(DEFAULTS), "unknown settings take up memory"
            for entry in sets.planned:
                kept = ["from", "hash", "hours", "number"] + (["seen"] if entry["hours"] else []) + ["to"]
                assert sorted(entry) == kept, "unknown keys take up memory"
            del document
        else:
            assert settings.get("lockout_ms") == 1234, "a refused document changed a setting"
            assert [entry["hash"] for entry in sets.planned] == ["a" * 64], (
                "a refused document changed the plan"
            )
            assert (reason is None) == (desired.refusal is None)
        report = Report(board, self._journal, clock, uptime, sets, desired)
        board.root = root
        said = json.dumps(report.build()).encode()
        assert len(said) <= MOST_REPORT_BYTES, f"a report of {len(said)} bytes: the broker hangs up"
        if reason is not None:
            assert report.build()["update"]["reason"].strip(), "refused without a reason"
        version = desired.version
        del desired, report, said, sets, settings  # the power fails: nothing of it is in memory any more
        again = Desired(root, Sets(root, clock, FACES), Settings())
        assert again.version == version, "a start goes back to another document"
        later = version + 1
        if later < LARGEST_NUMBER:
            assert again.apply(self._old_wish(later)) is None, "no later document is taken any more"
            assert again.version == later
        return taken

    def _old_wish(self, version):
        entry = {"number": 1, "hash": "a" * 64, "from": None, "to": None, "hours": None}
        wish = {"version": version, "sets": [entry], "offset": [], "settings": {"lockout_ms": 1234}}
        return json.dumps(wish).encode()

    def _followable(self, document):
        """What the parts of a kiosk rely on, said once more and otherwise."""
        assert type(document["version"]) is int
        assert 0 < document["version"] < LARGEST_NUMBER
        assert len(document["sets"]) <= 8
        for entry in document["sets"]:
            assert type(entry["number"]) is int
            assert len(entry["hash"]) == 64
            assert all(letter in "0123456789abcdef" for letter in entry["hash"])
            for at in (entry.get("from"), entry.get("to")):
                assert at is None or (type(at) is int and 0 <= at < LARGEST_NUMBER)
        for pair in document["offset"]:
            assert len(pair) == 2
            assert type(pair[0]) is int
        for name, least, most in (
            ("lockout_ms", 0, 30000), ("repeat_ms", 0, 5000), ("stuck_s", 5, 600), ("thanks_ms", 100, 5000),
            ("language", 0, 15), ("report_s", 30, 86400), ("keepalive_s", 5, 300), ("batch_bytes", 128, 4096),
        ):  # fmt: skip
            value = document["settings"].get(name, least)
            assert type(value) is int, "a setting that is no number is taken"
            assert least <= value <= most, "a setting out of its bounds is taken"
        assert type(document["settings"].get("sound", True)) is bool

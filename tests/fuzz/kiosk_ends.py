"""What a kiosk does with any bytes: each check takes some, hands them to the firmware's own modules, and asserts.

Runs on CPython, for the bulk, and on MicroPython with a kiosk's heap (`on_kiosk.py`). It knows nothing of how the
bytes came to be. A kiosk that is stopped by an exception which nobody expects is a dead kiosk: none may escape.
"""

import asyncio
import hashlib
import json
import os
from struct import pack_into, unpack_from

from kiosk import record as codec
from kiosk import resolver, sector
from kiosk import view as view_rules
from kiosk import wish as wish_rules
from kiosk.buttons import Buttons
from kiosk.clock import Clock, Uptime
from kiosk.compat import ticks_ms
from kiosk.desired import Desired
from kiosk.journal import Journal
from kiosk.link import LINK_ERRORS, Session, _connack
from kiosk.mqtt import Packets
from kiosk.recorder import Recorder
from kiosk.report import Report
from kiosk.sets import Sets
from kiosk.settings import DEFAULTS, Settings
from kiosk.survey import Survey
from kiosk.sync import Sync

EPOCH = 0xC0FFEE01
NONCE = 464367618
FROM, TO, NEXT = 104, 120, 150
SERVER_MS = 1772438400000
DEVICE = "kiosk0000001"
FACES = 5
NAME_QUERY = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x04mqtt\x07palaute\x07example\x00\x00\x01\x00\x01"
LARGEST_NUMBER = 1 << 53
MOST_JSON_BYTES = 4096  # what the link hands on
MOST_REPORT_BYTES = 8 * 1024  # what the embedded broker takes from a kiosk; beyond it, it hangs up
MOST_PIECE_BYTES = 512
GOOD_RECEIPT = (
    b'{"server":777,"epoch":%d,"nonce":%d,"through":120,"seen":150,"fork":false,"time":%d,"rejected":[]}'
    % (EPOCH, NONCE, SERVER_MS)
)


class Board:
    """Enough of a board for a front; keeps the last lines of the log, as a crash report would."""

    name, model, firmware, build, slot, faces = "fuzz", "button5", "0", 1, "a", FACES
    root = "."

    def __init__(self):
        self.link = self
        self.lines = []
        self.thanked = 0
        self._count = 0

    def log(self, line):
        assert isinstance(line, str)
        self.lines = [line[:120]]

    def random(self, size):
        self._count += 1
        return bytes([(self._count * 167 + i * 59) & 0xFF for i in range(size)])

    def show(self, what):
        json.dumps(what)  # whatever is shown goes to a display or a host

    def sound(self, tune):
        self.thanked += tune == "thanks"

    def light(self, face, on):
        assert 0 <= face < self.faces

    def light_all(self, on):
        pass

    def simulated(self):
        return False

    def reset_cause(self):
        return 1

    def signal(self):
        return None

    def health(self):
        return {"supply": None, "temperature": None}

    def identity(self):
        return {"id": DEVICE, "tls": False, "host": "", "port": 0, "secret": ""}


class Flash:
    """A journal's partition in RAM."""

    def __init__(self, blocks):
        self._blocks = [bytearray(b"\xff" * 4096) for _ in range(blocks)]

    def readblocks(self, n, buf, off=0):
        buf[:] = memoryview(self._blocks[n])[off : off + len(buf)]

    def writeblocks(self, n, buf, off=0):
        self._blocks[n][off : off + len(buf)] = buf

    def ioctl(self, op, arg):
        if op == 4:
            return len(self._blocks)
        if op == 5:
            return 4096
        if op == 6:
            for i in range(4096):
                self._blocks[arg][i] = 0xFF
        return 0


class Told:
    """A journal that only remembers what it is told: what it does then is held by the journal's own tests."""

    boot = 1
    waiting = 20
    epoch = EPOCH

    def __init__(self):
        self.told = []

    def epochs(self):
        return [(EPOCH, 0, NEXT, 0)]

    def release(self, epoch, through):
        self.told.append(("release", epoch, through))

    def rewind(self, epoch, through):
        self.told.append(("rewind", epoch, through))

    def new_epoch(self, reason):
        self.told.append(("new_epoch", reason))


class Heard:
    """Stands behind the link for sync, desired and sets; keeps what it is handed."""

    def __init__(self):
        self.heard = []
        self._set = None

    def receipt(self, payload):
        assert len(payload) <= MOST_JSON_BYTES
        self.heard.append(("receipt", bytes(payload)))

    def apply(self, payload):
        assert len(payload) <= MOST_JSON_BYTES
        self.heard.append(("desired", bytes(payload)))

    def begin(self, size):
        self._set = bytearray()

    def write(self, piece):
        assert len(piece) <= MOST_PIECE_BYTES
        self._set += piece

    def finish(self):
        self.heard.append(("set", bytes(self._set)))


class Wire:
    """A stream of given bytes, a few at a time; its end is a closed connection."""

    received = 0

    def __init__(self, data):
        self._data = memoryview(data)

    async def readinto(self, view):
        assert len(view) <= MOST_JSON_BYTES
        count = min(len(view), len(self._data), 300)
        if not count:
            raise EOFError
        view[:count] = self._data[:count]
        self._data = self._data[count:]
        return count


class Ends:
    """The checks. `root`: a folder to write in, made for this alone."""

    def __init__(self, root):
        self._root = root
        self._loop = asyncio.new_event_loop()
        self._journal = Journal(Flash(4), Board().random)

    # Records

    def record(self, data):
        """As the journal looks for records, in a sector of whole words; returns the bytes of those that it took."""
        buf = bytearray(data) + b"\xff" * (-len(data) % 4)
        taken = []
        spots = []
        at = 0
        while at + codec.MIN_RECORD_BYTES <= len(buf):
            fields = codec.decode(buf, at, EPOCH)
            size = codec.whole(buf, at, EPOCH)
            assert (fields is None) == (size == 0), "decode and whole disagree"
            if size:
                length = unpack_from("<H", buf, at)[0]
                raw = bytes(buf[at : at + length + 4])
                assert 24 <= length <= 24 + codec.MAX_BODY_BYTES, "a length that no record has"
                assert size == (length + 4 + 3) & ~3, "a padded size of its own"
                assert at + size <= len(buf), "beyond the end"
                assert crc_by_hand(raw[:-4], EPOCH) == unpack_from("<I", raw, length)[0], (
                    "a wrong CRC is taken"
                )
                out = bytearray(size)
                assert codec.encode_into(out, EPOCH, *fields) == size, "encoded anew it has another size"
                assert out[: length + 4] == raw, "encoded anew it is another record"
                assert codec.decode(buf, at, EPOCH ^ 1) is None, "taken for one of another epoch"
                taken.append(raw)
                spots.append((at, size, fields[2]))
            at += size or 4
        assert list(sector.walk(buf, EPOCH, 0)) == spots, "the walk over a sector finds others"
        return taken

    # Receipts

    def receipt(self, payload):
        """With a batch in flight: acted on as docs/protocol.md says, or not at all. Says whether it counted."""
        board, journal = Board(), Told()
        uptime = Uptime(ticks_ms)
        clock = Clock(uptime)
        sync = Sync(journal, clock, uptime, board, board.random)
        flight = sync._flight = (EPOCH, NONCE, FROM, TO, NEXT, uptime.ms(), 16)
        counted = sync.receipt(bytearray(payload))
        if counted:
            self._acted_rightly(json.loads(payload), journal.told, clock.now()[0])
            return True
        assert counted is False
        assert journal.told == [], "a receipt that does not count was acted on"
        assert clock.now() is None, "its time was believed"
        assert sync._flight == flight, "the batch is no longer in flight"
        assert sync.receipt(GOOD_RECEIPT) is True, "the true receipt no longer counts"
        assert journal.told == [("release", EPOCH, TO)]
        return False

    def _acted_rightly(self, said, told, now_ms):
        assert said["epoch"] == EPOCH, "a receipt for another epoch counts"
        assert said["nonce"] == NONCE, "a receipt for another batch counts"
        for key in ("server", "through", "seen", "time"):
            number = said[key]
            assert isinstance(number, int), "no number counts as one"
            assert not isinstance(number, bool), "true counts as a number"
            assert 0 <= number < LARGEST_NUMBER, "a number that JSON readers disagree on counts"
        through = said["through"]
        first = ("rewind", EPOCH, through) if through < FROM else ("release", EPOCH, min(through, TO))
        expected = [first]
        if said["fork"] or through > NEXT or said["seen"] > NEXT:
            expected.append(("new_epoch", "fork" if said["fork"] else "behind"))
        assert told == expected, "the journal is told something else"
        assert 0 <= now_ms - said["time"] < 60000, "the time is another"

    # Packets

    def packets(self, data):
        """As the stream of a connection: handed on is what is for this kiosk, whole; then the connection ends."""
        heard = Heard()
        board = Board()
        session = Session(board, None, None, heard, None, heard, heard, None, 1, dialer=heard)
        for read in (
            session._read(Packets(Wire(data), bytearray(MOST_PIECE_BYTES))),
            _connack(Packets(Wire(data), bytearray(MOST_PIECE_BYTES))),
        ):
            try:
                code = self._loop.run_until_complete(read)
                assert data[0] >> 4 == 2, "greeted by something that is no CONNACK"
                last = 1  # of the length, which may be said in more bytes than it needs
                while data[last] & 0x80:
                    last += 1
                assert data[1] & 0x7F == 2, "greeted by something that is no CONNACK"
                assert not any(byte & 0x7F for byte in data[2 : last + 1]), "greeted by no CONNACK"
                assert code == data[last + 2]
            except LINK_ERRORS:
                pass
        assert heard.heard == messages_for(DEVICE, bytes(data)), "other messages than were sent to this kiosk"

    # Names

    def name(self, data):
        """As the answer of a name server: it counts when it is one to the question, and says what the standard says."""
        said = resolver.read(data, NAME_QUERY)
        assert said == answered(data, NAME_QUERY), "another answer than was given"
        return said

    # Question sets

    def view(self, payload):
        """As the rules alone judge it: without fault is only what can be asked. Returns the fault."""
        try:
            parsed = json.loads(payload)
            reason = view_rules.fault(parsed, FACES)
        except (ValueError, RuntimeError, MemoryError):  # as `Sets` does
            return "no JSON"
        if reason is None:
            self._askable(parsed)
        else:
            assert isinstance(reason, str)
            assert reason.strip(), "refused without a reason"
        return reason

    def question_set(self, payload):
        """The whole way: wished, received in pieces, checked, asked. Returns whether it is asked now."""
        if len(payload) > MOST_JSON_BYTES:
            return False
        root = self._fresh_root()
        board = Board()
        uptime = Uptime(ticks_ms)
        clock = Clock(uptime)
        sets = Sets(root, clock, FACES)
        old = self._old_view()
        self._give(sets, [old], old)
        assert sets.switch(), "the old set must be good"
        hash = digest(payload)
        self._give(sets, [old, payload], payload)
        survey = self._front(board, sets, clock, uptime)
        survey.tick(ticks_ms())  # as the program calls `switch`; what escapes it kills the press path
        if sets.running == 65534 and sets._shown != hash:
            reason = sets.refused.get(hash)
            if hash != digest(old):
                assert isinstance(reason, str), "neither asked nor refused"
                assert reason.strip(), "refused without a reason"
            assert sets.want() is None, "asked for again for ever"
            assert self._pressed(survey, board) == (65534, 3), "the old set must still be asked"
            again = Sets(root, clock, FACES)
            again.switch()
            assert again.held() == [[65534, digest(old)]], "a refused set must not come back with the power"
            return False
        assert sets._shown == hash
        parsed = json.loads(payload)
        self._askable(parsed)
        expected = (parsed["number"], parsed["button"]["question"])
        assert self._pressed(survey, board) == expected
        return True

    def _give(self, sets, views, view):
        plan = []
        for start, each in enumerate(views):
            began = None if start == 0 else start
            entry = {"number": 1, "hash": digest(each), "from": began, "to": None, "hours": None}
            plan.append(entry)
        sets._clock.learn(SERVER_MS, 10)
        sets.plan(plan)
        if sets.want() is None:
            return
        assert sets.begin(len(view)) is None
        for at in range(0, len(view), MOST_PIECE_BYTES):
            sets.write(memoryview(view)[at : at + MOST_PIECE_BYTES])
        assert sets.finish() is None

    def _front(self, board, sets, clock, uptime):
        settings = Settings()
        buttons = Buttons(FACES, ticks_ms(), 0, settings.get)
        return Survey(board, Recorder(board, self._journal, clock, uptime), sets, buttons, settings)

    def _pressed(self, survey, board):
        """(set, question) of the record that a press makes."""
        journal = self._journal
        journal.release(journal.epoch, journal.next_seq)
        journal.tidy()
        assert survey.press(1, ticks_ms()) is True, "not thanked for: " + str(board.lines)
        buf = bytearray(512)
        _, _, _, count, end = journal.read_into(buf, 0, 512)
        at = 0
        for _ in range(count):
            fields = codec.decode(buf, at, journal.epoch)
            at += codec.size(buf, at)
        assert at == end
        assert fields[0] == codec.KIND_ANSWER
        assert fields[9] == FACES - 1
        return fields[5], fields[7]

    def _askable(self, view):
        """What a front needs, said once more and otherwise."""
        for number, most in ((view["number"], 65535), (view["button"]["question"], 255)):
            assert type(number) is int, "a set or question without a whole number is good"
            assert 0 <= number <= most
        asked = [q for q in view["questions"] if q["position"] == view["button"]["question"]]
        assert len(asked) == 1
        for question in view["questions"]:
            assert type(question["position"]) is int
            assert 0 <= question["position"] <= 255
            for language in view["languages"]:
                texts = [question["text"][language], view["thanks"][language], question["code"], language]
                texts += question["labels"][language]
                for text in texts:
                    assert isinstance(text, str)
                    assert text.strip()
        for language in view["languages"]:
            assert len(asked[0]["labels"][language]) == FACES

    def _old_view(self):
        labels = ["5", "4", "3", "2", "1"]
        question = {
            "position": 3,
            "code": "OLD",
            "type": "smiley5",
            "text": {"fi": "?"},
            "labels": {"fi": labels},
        }
        view = {
            "number": 65534,
            "name": "old",
            "languages": ["fi"],
            "questions": [question],
            "thanks": {"fi": "!"},
            "button": {"question": 3},
        }
        return json.dumps(view).encode()

    # Desired

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

    def _fresh_root(self):
        """An empty folder."""
        empty(self._root)
        return self._root


def crc_by_hand(data, start):
    """zlib's CRC-32, four bits at a time: not the one that the firmware uses."""
    crc = start ^ 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        crc = (crc >> 4) ^ _NIBBLES[crc & 15]
        crc = (crc >> 4) ^ _NIBBLES[crc & 15]
    return crc ^ 0xFFFFFFFF


def _nibble(value):
    for _ in range(4):
        value = (value >> 1) ^ (0xEDB88320 if value & 1 else 0)
    return value


_NIBBLES = [_nibble(value) for value in range(16)]


def messages_for(device, data):
    """What a stream of MQTT packets says to a device, by the standard alone: [(receipt, desired or set, payload)]."""
    found = []
    at = 0
    while at + 2 <= len(data):
        first = data[at]
        size = shift = 0
        while True:
            at += 1
            if at == len(data) or shift == 28:
                return found
            size |= (data[at] & 0x7F) << shift
            shift += 7
            if not data[at] & 0x80:
                break
        at += 1
        body = data[at : at + size]
        whole = len(body) == size
        at += size
        if first >> 4 == 9 and size == 5 and whole and max(body[2:]) > 2:
            return found  # refused
        if first >> 4 == 3:
            if len(body) < 2:
                return found
            length = body[0] << 8 | body[1]
            behind = 2 + length + (2 if first & 6 else 0)
            if behind > size:
                return found
            for name in ("receipt", "desired", "set"):
                topic = f"hymio/1/down/{device}/{name}".encode()
                if (
                    whole
                    and body[2 : 2 + length] == topic
                    and (name == "set" or size - behind <= MOST_JSON_BYTES)
                ):
                    found.append((name, body[behind:]))
        if not whole:
            return found
    return found


def answered(data, query):
    """What a message says as the answer to `query`, by RFC 1035 alone: (code, IPv4 addresses), or None."""
    if len(data) < len(query):
        return None
    number, flags, questions, count = unpack_from(">HHHH", data)
    if number != unpack_from(">H", query)[0] or questions != 1 or flags & 0xFA00 != 0x8000:
        return None
    if data[12 : len(query)].lower() != query[12:].lower():
        return None
    rest = data[len(query) :]
    found = []
    while count:
        while rest and 0 < rest[0] < 64:
            rest = rest[1 + rest[0] :]
        if not rest or 64 <= rest[0] < 192:
            return None
        rest = rest[2 if rest[0] else 1 :]
        if len(rest) < 10:
            return None
        kind, group, _, size = unpack_from(">HHIH", rest)
        body, rest = rest[10 : 10 + size], rest[10 + size :]
        if len(body) < size:
            return None
        if (kind, group, size) == (1, 1, 4):
            found.append(".".join([str(byte) for byte in body]))
        count -= 1
    return flags & 15, found


def empty(folder):
    """Remove all that is in it."""
    for name in os.listdir(folder):
        path = f"{folder}/{name}"
        try:
            os.remove(path)
        except OSError:  # a folder
            empty(path)
            os.rmdir(path)


def digest(data):
    return "".join([f"{byte:02x}" for byte in hashlib.sha256(data).digest()])


def with_crc(data, epoch):
    """The same with the CRC at its end made right."""
    out = bytearray(data)
    if len(out) >= 4:
        pack_into("<I", out, len(out) - 4, crc_by_hand(out[:-4], epoch))
    return bytes(out)

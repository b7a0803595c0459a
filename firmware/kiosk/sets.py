"""The question sets a kiosk holds: received in pieces, hashed on the way, checked when idle, chosen by the
clock.

Knows no topic. Invariant: the set that is asked now stays until another has arrived whole, with its hash
right, and was found fit for this kiosk. Files below `<root>/state/sets`: `part` (arriving), `<hash>.new`
(whole, not yet checked), `<number>-<hash>` (good), `last` (the hash asked last, for a start without clock).
"""

import binascii
import gc
import hashlib
import json
import os

from kiosk.check import LONGEST_REASON, lend
from kiosk.compat import const
from kiosk.store import make_folder

_MOST_BYTES = const(4096)  # a button kiosk's view; parsed it takes 2.7 times that of the heap
_MOST_TOUCH_BYTES = const(16384)  # a touch kiosk's, which has 8 MB of it
_PIECE_BYTES = const(256)
_DAMAGED_TRIES = const(3)  # a set that arrives damaged this often is not asked for again under this plan


class Sets:
    """`root`: path prefix of writable files; `faces`: buttons of this kiosk, 0 for a touchscreen.

    `.active`: the parsed view to ask now, or None; after `forget_texts` (buttons) it has `number` and `button` only.
    `.running`: its number, or None. `.planned`: what `plan` was given, or None. `.unchecked`: hashes that arrived.
    `.refused`: {hash: reason} under the present plan.
    """

    def __init__(self, root, clock, faces):
        make_folder(root + "/state")
        self._folder = root + "/state/sets"
        make_folder(self._folder)
        self._clock = clock
        self._faces = faces
        self.planned = None  # the server has not said yet
        self._offset = None  # of local time, while an entry has hours
        self._good = {}  # hash: number
        self.unchecked = []  # hashes not yet checked
        self._file = self._hash = None
        self._room = 0
        self._damaged = 0
        self._shown = None  # hash of `active`
        self.active = None
        self.card = None  # of a card kiosk: says which set its printed card is for
        self.on_let_go = None  # called before another set is parsed: whoever holds `active` lets go of it
        self.refused = {}
        for name in os.listdir(self._folder):
            if name.endswith(".new"):
                self.unchecked.append(name[:-4])
            elif "-" in name:
                number, hash = name.split("-")
                self._good[hash] = int(number)
        try:
            with open(self._folder + "/last") as file:
                self._last = file.read()
        except OSError:
            self._last = None

    @property
    def running(self):
        return None if self.active is None else self.active["number"]

    def asked_path(self):
        """File of the set that is asked now, or None: `active` has forgotten the texts."""
        hash = self._shown
        return None if hash is None else self._path(self._good[hash], hash)

    def waiting(self):
        """Hash of the set that would be asked now if its printed card were in the kiosk, or None."""
        if self.card is None:
            return None
        due = self._due()
        if due is None or due["hash"] not in self._good or due["hash"] == self.card.hash:
            return None
        return due["hash"]

    def held(self):
        """`[[number, hash], ...]` of the good sets, by number."""
        return sorted([number, hash] for hash, number in self._good.items())

    def plan(self, entries, offset=None):
        """Follow the sets of a `desired` document (checked): dicts of number, hash, from, to, and hours (None, or as
        `hours.pack` gives them; then `offset` is the document's)."""
        self.planned = entries
        self._offset = offset
        self.refused = {}
        self._damaged = 0

    def want(self):
        """Hash of the first planned set that is neither here nor refused, or None. What is due comes
        first."""
        due = self._due()
        for entry in ([due] if due else []) + (self.planned or []):
            hash = entry["hash"]
            if hash not in self._good and hash not in self.unchecked and hash not in self.refused:
                return hash
        return None

    def begin(self, size):
        """Open for a set of `size` bytes. None, or the reason why its bytes are not wanted.

        This, `write` and `finish` raise OSError when the flash is full; `begin` may be called again.
        """
        file, self._file = self._file, None
        if file is not None:  # a transfer that broke off
            file.close()
        wanted = self.want()
        if wanted is None:
            return "question set: none was asked for"
        most = _MOST_BYTES if self._faces else _MOST_TOUCH_BYTES
        if size > most:
            self.refused[wanted] = "question set: %d bytes, this kiosk takes %d" % (size, most)
            return self.refused[wanted]
        self._file = open(self._folder + "/part", "wb")
        self._hash = hashlib.sha256()
        self._room = size
        return None

    def write(self, piece):
        """Take the next piece (bytes or memoryview)."""
        self._file.write(piece)
        self._hash.update(piece)
        self._room -= len(piece)

    def finish(self):
        """The last piece was written: None when the set is one that was asked for, else the reason. What it
        holds is checked by `switch`, when the old one can be let go."""
        file, self._file = self._file, None
        file.close()  # writes what is left
        hash = _hex(self._hash)
        wanted = self.want()
        if self._room != 0 or not any(entry["hash"] == hash for entry in self.planned):
            self._damaged += 1
            reason = "question set: arrived damaged (hash %s..., not %s...)" % (hash[:8], wanted[:8])
            if self._damaged >= _DAMAGED_TRIES:
                self.refused[wanted] = reason
            return reason
        if hash not in self._good and hash not in self.unchecked:
            os.rename(self._folder + "/part", self._folder + "/%s.new" % hash)
            self.unchecked.append(hash)
        self._damaged = 0
        return None

    def switch(self):
        """Idle work, between visits: check what arrived, then let the set that is due take over. Says whether
        another set (or none) is asked now."""
        before = self._shown
        if self.card is not None:
            self.card.look()
        if self._offset is not None:
            self._look_at_hours()
        while self.unchecked:
            self._let_go()
            self._check(self.unchecked.pop())
        while True:
            hash = self._target()
            if hash == self._shown:
                break
            self._let_go()
            if hash is None or self._load(hash):
                break
        if self._shown != before:
            if self._shown is not None and self._shown != self._last:
                with open(self._folder + "/last", "w") as file:
                    file.write(self._shown)
                self._last = self._shown
            self._prune()
        return self._shown != before

    def forget_texts(self):
        """They have been shown: what a press needs stays. The largest set takes 11 kB of heap."""
        self.active = {"number": self.active["number"], "button": self.active["button"]}

    def _look_at_hours(self):
        """Look anew at hours that may have changed; what was seen of them holds until then."""
        now = self._clock.now()
        if now is None:
            return
        look = None
        for entry in self.planned:
            if entry["hours"] is not None and not entry["seen"][1] <= now[0] < entry["seen"][2]:
                try:
                    look = look or lend("hours").look
                except MemoryError:
                    return  # what was asked goes on; the next idle moment tries again
                entry["seen"] = look(entry["hours"], self._offset, now[0])

    def _due(self, here=False):
        """The planned entry whose time it is; where two overlap the one that began last, and of two that began at once
        the later in the plan. `here`: of those that have arrived."""
        now = self._clock.now()
        found = None
        for entry in self.planned or []:
            if here and entry["hash"] not in self._good:
                continue
            start, end = entry["from"], entry["to"]
            if now is None:
                if entry["hash"] == self._last:
                    return entry  # nothing says that its time has passed
                begun = start is None and entry["hours"] is None
            else:
                begun = (start is None or start <= now[0]) and (end is None or now[0] < end)
                if entry["hours"] is not None and not entry["seen"][0]:
                    begun = False
            if begun and (found is None or (start or 0) >= (found["from"] or 0)):
                found = entry
        return found

    def _target(self):
        """Hash of what should be asked: what the card says, what is due and here, or the last good one until something
        that is due is here."""
        if self._due() is None and (self.planned == [] or (self.planned and self._clock.now() is not None)):
            return None  # the server wants nothing asked now
        if self.card is not None:
            wished = self.card.hash
        else:
            due = self._due(True)
            wished = self._last if due is None else due["hash"]
        return wished if wished in self._good else None

    def _let_go(self):
        self.active = self._shown = None
        if self.on_let_go is not None:
            self.on_let_go()
        gc.collect()

    def _check(self, hash):
        """Make an arrived set good, or refuse it."""
        path = self._folder + "/%s.new" % hash
        try:
            fault = lend("view" if self._faces else "touch_rules").fault
            gc.collect()
            with open(path) as file:
                parsed = json.load(file)
            reason = fault(parsed, self._faces) if self._faces else fault(parsed)
        except (ValueError, OSError, RuntimeError) as error:  # the last: nested too deeply
            reason = "question set: no JSON (%s)" % error
        except MemoryError:
            reason = "question set: too large for the memory of this kiosk"
        if reason is None:
            os.rename(path, self._path(parsed["number"], hash))
            self._good[hash] = parsed["number"]
        else:
            self.refused[hash] = reason[:LONGEST_REASON]
            os.remove(path)

    def _load(self, hash):
        """Parse a good set; False when flash damaged it meanwhile: it is forgotten and asked for again."""
        path = self._path(self._good[hash], hash)
        try:
            if _file_hash(path) == hash:
                with open(path) as file:
                    self.active = json.load(file)
                self._shown = hash
                return True
        except (ValueError, OSError):
            pass
        del self._good[hash]
        _remove(path)
        return False

    def _prune(self):
        """Delete what is neither planned nor asked now nor the last one asked."""
        planned = [entry["hash"] for entry in self.planned or []]
        for hash in list(self._good):
            if hash not in planned and hash != self._shown and hash != self._last:
                _remove(self._path(self._good.pop(hash), hash))

    def _path(self, number, hash):
        return "%s/%d-%s" % (self._folder, number, hash)


def _file_hash(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while True:
            piece = file.read(_PIECE_BYTES)
            if not piece:
                return _hex(digest)
            digest.update(piece)


def _hex(digest):
    return str(binascii.hexlify(digest.digest()), "ascii")


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass  # gone already

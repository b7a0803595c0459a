"""What a journal has promised, by the hand of somebody who remembers everything.

Runs on CPython and MicroPython. Knows nothing of flash. A copy takes microseconds: there is one for each cut.
"""

from kiosk import record


class Promises:
    """`thanked`: {(epoch, seq): record}; `maybe`: the same for appends that did not come to an end; `booked`:
    {epoch: through}; `gone`: booked records that the ring erased before a server forgot them. Of the thanked
    ones, `next`: {epoch: highest seq + 1} and `pressed`: {epoch: how many are answers}.
    """

    def __init__(self):
        self.thanked = {}
        self.maybe = {}
        self.booked = {}
        self.gone = set()
        self.next = {}
        self.pressed = {}

    def copy(self):
        other = Promises()
        other.thanked = self.thanked.copy()
        other.maybe = self.maybe.copy()
        other.booked = self.booked.copy()
        other.gone = self.gone.copy()
        other.next = self.next.copy()
        other.pressed = self.pressed.copy()
        return other

    def thank(self, key, data):
        """The record is there for good."""
        epoch, seq = key
        self.maybe.pop(key, None)
        self.thanked[key] = data
        self.next[epoch] = max(seq + 1, self.next.get(epoch, 0))
        self.pressed[epoch] = self.pressed.get(epoch, 0) + (data[2] == record.KIND_ANSWER)

    def due(self):
        """Keys of all that must still be found."""
        found = set()
        for epoch, next_ in self.next.items():
            found.update(self.due_in(epoch, 0, next_))
        return found

    def due_in(self, epoch, start, to):
        """Keys of what must be found of [start, to)."""
        start = max(start, self.booked.get(epoch, 0))
        keys = [(epoch, seq) for seq in range(start, min(to, self.next.get(epoch, 0)))]
        return [key for key in keys if key in self.thanked and key not in self.gone]

    def may_have_pressed(self, epoch, below):
        """Answers among the appends that did not come to an end and whose seq is used up."""
        count = 0
        for (other, seq), data in self.maybe.items():
            count += other == epoch and seq < below and data[2] == record.KIND_ANSWER
        return count

"""Which question comes next: a flow's order, its follow-ups, and rotations that fill up evenly.

Knows no page, no time and no journal. Invariant: within a visit a question keeps its place, so that going back and
forth meets the same ones; between visits no rotated question is asked twice more often than another.
"""

from kiosk import answers


class Rotation:
    """How often each question was asked since the start. In RAM: a restart begins anew from a random one.

    `random(n)`: n random bytes.
    """

    def __init__(self, random):
        self._random = random
        self._counts = {}

    def count(self, index):
        self._counts[index] = self._counts.get(index, 0) + 1

    def take(self, indexes, count):
        """`count` of `indexes`: the least asked, by lot among equals."""
        left = list(indexes)
        taken = []
        while left and len(taken) < count:
            least = min([self._counts.get(index, 0) for index in left])
            equals = [index for index in left if self._counts.get(index, 0) == least]
            index = equals[self._below(len(equals))]
            left.remove(index)
            taken.append(index)
        return taken

    def _below(self, count):
        # Of 65 536 numbers none of at most ten is favoured by more than 1 in 6 000.
        drawn = self._random(2)
        return (drawn[0] | drawn[1] << 8) % count


class Steps:
    """One visitor's way through a flow: `ask` of a view's flow, `questions` of the view.

    `.answers`: {index: value} as recorded, kept by the visit; it decides about follow-ups.
    """

    def __init__(self, ask, questions, rotation):
        self._plan = list(ask)  # a rotation is replaced by what it takes when it is reached
        self._questions = questions
        self._rotation = rotation
        self._at = 0
        self._counted = []
        self.answers = {}

    @property
    def question(self):
        """Index of the question that is asked now."""
        return self._plan[self._at]

    @property
    def first(self):
        return self._before() is None

    def count(self):
        """The question of now was really asked, of somebody who takes part."""
        index = self.question
        if index not in self._counted:
            self._counted.append(index)
            self._rotation.count(index)

    def forward(self):
        """Go to the next question; False, and nothing moves, when this was the last."""
        at = self._at + 1
        while at < len(self._plan):
            entry = self._plan[at]
            if isinstance(entry, dict):
                able = [index for index in entry["rotate"] if self._asked(index)]
                self._plan[at : at + 1] = self._rotation.take(able, entry["take"])
            elif self._asked(entry):
                self._at = at
                return True
            else:
                at += 1
        return False

    def back(self):
        """Go to the question before; False, and nothing moves, when this is the first."""
        at = self._before()
        if at is None:
            return False
        self._at = at
        return True

    def progress(self):
        """(number of this question from 1, how many there will be as far as is known now)."""
        step = steps = 0
        for at, entry in enumerate(self._plan):
            if isinstance(entry, dict):
                steps += min(entry["take"], len(entry["rotate"]))
            elif self._asked(entry):
                steps += 1
                if at <= self._at:
                    step = steps
        return step, steps

    def _before(self):
        for at in range(self._at - 1, -1, -1):
            if self._asked(self._plan[at]):
                return at
        return None

    def _asked(self, index):
        return answers.asked(self._questions[index], self.answers)

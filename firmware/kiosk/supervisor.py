"""Keeps the tasks alive and feeds the watchdog; knows nothing of what the tasks do.

Invariant: the watchdog is fed only in a moment at which every running task has met its deadline. A crash is
recorded and the task started again; one that keeps crashing takes everything with it except the vital tasks
(the press path), so that visitors can answer whatever else is broken.
"""

import asyncio
import io
import sys

from kiosk.compat import const, ticks_add, ticks_diff, ticks_ms

# Above what may hold up the loop: flash (an erase, a sweep over the journal) and, on a chip, a TLS handshake.
_WATCHDOG_MS = const(60000)
_CHECK_S = const(1)
_BACKOFF_FIRST_S = const(1)
_BACKOFF_LONGEST_S = const(60)
_CRASHES_TO_SAFE_MODE = const(3)
# A task that ran this long was healthy: its next crash is a first one.
_HEALTHY_MS = const(300000)
# Safe mode ends by a restart: what was broken may have passed, and nobody has to visit the kiosk.
_SAFE_MODE_MS = const(3600000)
_TRACE_BYTES = const(1500)


class Task:
    """One supervised task; `beat` is what it calls to show that it is alive."""

    def __init__(self, name, function, deadline_ms, vital):
        self.name = name
        self.function = function
        self.deadline_ms = deadline_ms
        self.vital = vital
        self.crashes = 0  # in a row
        self.running = False
        self.given_up = False  # by safe mode
        self.handle = None
        self.started = self.beaten = ticks_ms()

    def beat(self):
        self.beaten = ticks_ms()

    def late(self, now_ms):
        return self.running and self.deadline_ms > 0 and ticks_diff(now_ms, self.beaten) > self.deadline_ms


class Supervisor:
    """watchdog(timeout_ms) -> object with feed(); crashed(task name, trace): told of each crash; log(line);
    reset(): restarts the board (end of safe mode)."""

    def __init__(self, watchdog, crashed, log, reset):
        self.safe_mode = False
        self._watchdog = watchdog
        self._crashed = crashed
        self._log = log
        self._reset = reset
        self._tasks = []
        self._safe_until = ticks_ms()

    def task(self, name, function, deadline_ms, vital=False):
        """Register `async function(beat)`, which calls beat() at least every deadline_ms (0: no deadline)."""
        self._tasks.append(Task(name, function, deadline_ms, vital))

    async def run(self):
        """Start every task and watch over them; returns only by an exception that ends the program."""
        dog = self._watchdog(_WATCHDOG_MS)
        for task in self._tasks:
            task.handle = asyncio.create_task(self._keep(task))
        while True:
            now = ticks_ms()
            late = []
            for task in self._tasks:
                if task.late(now):
                    late.append(task.name)
                if task.handle.done() and not task.given_up:
                    raise RuntimeError("task %s cannot be started again" % task.name)
                # Looked at while it runs: after a week the ticks would not tell any more.
                if task.crashes and task.running and ticks_diff(now, task.started) >= _HEALTHY_MS:
                    task.crashes = 0
            if late:
                self._log("deadline missed: " + ", ".join(late))
            else:
                dog.feed()
            if self.safe_mode and ticks_diff(now, self._safe_until) >= 0:
                self._reset()
            await asyncio.sleep(_CHECK_S)

    async def _keep(self, task):
        while True:
            task.started = ticks_ms()
            task.beat()
            task.running = True
            failure = None
            try:
                await task.function(task.beat)
            except Exception as error:  # whatever a task did wrong, its neighbours go on
                failure = error
            task.running = False
            task.crashes += 1
            self._record(task, failure)
            if task.crashes >= _CRASHES_TO_SAFE_MODE and not task.vital:
                self._enter_safe_mode(task)
                return
            await asyncio.sleep(min(_BACKOFF_FIRST_S << min(task.crashes - 1, 8), _BACKOFF_LONGEST_S))

    def _record(self, task, failure):
        """Tell of a crash, as far as there is memory: the want of it is likely what the task crashed of."""
        try:
            trace = "the task came to its end" if failure is None else trace_of(failure)
            self._log("task %s crashed: %s" % (task.name, trace))
            self._crashed(task.name, trace)
        except MemoryError:
            pass  # to be started again it needs no trace

    def _enter_safe_mode(self, task):
        task.given_up = True
        if self.safe_mode:
            return
        self.safe_mode = True
        self._safe_until = ticks_add(ticks_ms(), _SAFE_MODE_MS)
        self._log("safe mode: %s crashed %d times" % (task.name, task.crashes))
        for other in self._tasks:
            if not other.vital and other is not task:
                other.running = False
                other.given_up = True
                other.handle.cancel()


def trace_of(error):
    """The error's traceback as text, its end at most: the innermost frame says most."""
    if not hasattr(sys, "print_exception"):
        return repr(error)  # CPython
    try:
        text = io.StringIO()
        sys.print_exception(error, text)
        return text.getvalue()[-_TRACE_BYTES:]
    except MemoryError:  # most likely what the task crashed of; it is to be started again all the same
        return repr(error)

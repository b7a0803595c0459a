"""An event loop whose clock stands still while a task is ready and jumps when all of them wait.

Runs on CPython and MicroPython, where it takes the place of asyncio's own poller. `ms()` is what the clock shows;
`ticks_ms()` the same as a kiosk's counter shows it, which wraps after 12.4 days. To be imported before anything of the
kiosk: on the unix port the counter would not wrap.
"""

import asyncio
import sys

PERIOD = 1 << 30
MICROPYTHON = sys.implementation.name == "micropython"


class _Clock:
    now_ms = 0
    ticks_at_0 = 0  # what a kiosk's counter showed then
    step_ms = 0  # the clock never moves by less: nights go by in fewer steps


clock = _Clock()


def ms():
    return int(clock.now_ms)


def ticks_ms():
    return (int(clock.now_ms) + clock.ticks_at_0) % PERIOD


def start(ticks_at_0=0):
    """Set the clock to 0 and a kiosk's counter to `ticks_at_0`."""
    clock.now_ms = clock.step_ms = 0
    clock.ticks_at_0 = ticks_at_0


def _advance(wait_ms):
    clock.now_ms += max(wait_ms, clock.step_ms)


if MICROPYTHON:
    from kiosk import compat

    def _ticks_add(ticks, delta):
        return (ticks + delta) % PERIOD

    def _ticks_diff(later, earlier):
        return (later - earlier + PERIOD // 2) % PERIOD - PERIOD // 2

    compat.ticks_add, compat.ticks_diff = _ticks_add, _ticks_diff

    _AHEAD = (
        1 << 40
    )  # of the real ticks, which asyncio's C code gives to tasks that are ready: these come first

    class _Poller:
        map = {1: None}  # asyncio ends when nobody waits and nothing is polled

        def wait_io_event(self, wait_ms):
            assert wait_ms >= 0, "every task waits for something that cannot come"
            if wait_ms:
                _advance(wait_ms)

    def run(story):
        """Run the coroutine to its end; tasks that are left over are never heard of again, as after a power cut."""
        asyncio.new_event_loop()
        asyncio.core.ticks = lambda: _AHEAD + clock.now_ms
        asyncio.core._io_queue = _Poller()
        return asyncio.run(story)

else:
    import selectors

    class _Selector(selectors.SelectSelector):
        def select(self, timeout=None):
            ready = super().select(0)
            if not ready:
                assert timeout is not None, "every task waits for something that cannot come"
                if timeout > 0:
                    _advance(max(timeout * 1000, 0.1))  # no rounding may stop the clock
            return ready

    class _Loop(asyncio.SelectorEventLoop):
        def time(self):
            return clock.now_ms / 1000

    def run(story):
        """Run the coroutine to its end; tasks that are left over are never heard of again, as after a power cut."""
        loop = _Loop(_Selector())
        loop.set_exception_handler(lambda loop, context: None)
        try:
            return loop.run_until_complete(story)
        finally:
            left = asyncio.all_tasks(loop)
            while left:
                for task in left:
                    task.cancel()
                loop.run_until_complete(asyncio.wait(left, timeout=0))
                left = asyncio.all_tasks(loop)
            loop.close()

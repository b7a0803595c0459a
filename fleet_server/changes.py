"""Tells open pages that something changed, within this process; it knows neither what nor why.

Topics are short strings: `device:<id>`, `place:<id>`, `set:<number>`, `rollout:<number>`. A page that misses
one is merely less fresh: it asks again by itself.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager


class Changes:
    """Thread-safe fan-out from whoever commits (collector thread, request, job) to the event streams of pages."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: set[Listener] = set()
        self._ended = False

    def notify(self, *topics: str) -> None:
        """Wake each listener of one of these topics. Callable from every thread; never blocks, never raises."""
        with self._lock:
            listeners = [listener for listener in self._listeners if not listener.topics.isdisjoint(topics)]
        for listener in listeners:
            listener.wake(topics)

    def end(self) -> None:
        """End what every listener yields, of those to come as well: the server stops. Callable from every thread."""
        with self._lock:
            self._ended = True
            listeners = list(self._listeners)
        for listener in listeners:
            listener.end()

    @contextmanager
    def listen(self, topics: Iterable[str]) -> Iterator["Listener"]:
        """A listener of these topics, to be used in the running event loop."""
        listener = Listener(frozenset(topics), asyncio.get_running_loop())
        with self._lock:
            self._listeners.add(listener)
            ended = self._ended
        if ended:
            listener.end()
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners.discard(listener)


class Listener:
    """What one event stream waits on. Changes between two looks are folded into one."""

    def __init__(self, topics: frozenset[str], loop: asyncio.AbstractEventLoop) -> None:
        self.topics = topics
        self._loop = loop
        self._changed: set[str] = set()
        self._event = asyncio.Event()
        self._ended = False

    def wake(self, topics: Iterable[str]) -> None:
        """Called by `Changes.notify` from any thread."""
        self._call(self._set, self.topics.intersection(topics))

    def end(self) -> None:
        """Called by `Changes.end` from any thread."""
        self._call(self._end)

    def _call(self, do: Callable[..., None], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(do, *arguments)
        except RuntimeError:  # the loop was closed while the server stops: nobody is listening any more
            return

    def _set(self, topics: frozenset[str]) -> None:
        self._changed |= topics
        self._event.set()

    def _end(self) -> None:
        self._ended = True
        self._event.set()

    async def changes(self, idle_s: float) -> AsyncIterator[set[str]]:
        """Yields the changed topics; an empty set after `idle_s` seconds of quiet (time for a keep-alive comment).

        It ends when the server stops.
        """
        while True:
            try:
                await asyncio.wait_for(self._event.wait(), idle_s)
            except TimeoutError:
                yield set()
                continue
            if self._ended:
                return
            self._event.clear()
            changed, self._changed = self._changed, set()
            yield changed

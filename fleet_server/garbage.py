"""How often Python looks for garbage that refers to itself. It knows nothing of what the server does.

Booking makes ten thousands of short-lived tuples a second, none of which refers to itself, and by default every 700
new ones start a search, which now and then walks through all that the program ever loaded: 80 ms each time, a third of
the collector's time.
"""

import gc

# Of each generation: new objects before a search of the youngest, and searches of one before one of the next older.
_SEARCHES = (50_000, 20, 20)


def search_seldom() -> None:
    """Call it once all is loaded: what is there by then stays until the process ends, and is not searched any more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_SEARCHES)

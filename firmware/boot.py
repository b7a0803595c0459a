"""Nothing but the memory's housekeeping: a kiosk must reach main.py whatever state its files are in."""

import gc

# Collect before the heap is full: a press then rarely meets a collection put off until the last byte.
gc.threshold(16384)

"""Start the kiosk: the board module (one per board in the image) and the program that runs on every board."""

import board

if getattr(board, "sleeps", False):
    from kiosk.doze import wake

    wake(board)

from kiosk.app import run

run(board)

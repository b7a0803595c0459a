"""Start the kiosk: the board module (one per board in the image) and the program that runs on every board."""

import board
from kiosk.app import run

run(board)

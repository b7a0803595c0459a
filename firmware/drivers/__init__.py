"""Chips: a bus and pins come in as arguments. Knows no board, no kiosk and no page."""

"""What a kiosk is built from: reads each model's `board.toml`, makes its documents. Knows no firmware, no server."""

"""`station test`: whether a board's parts work, before it becomes a kiosk. Makes no device and writes no identity."""

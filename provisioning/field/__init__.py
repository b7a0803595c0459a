"""The technician's work against the fleet server: new devices, swaps, whole plans. Knows no database and no page."""

"""Virtual kiosks: the real firmware on MicroPython's unix port, each in its own process with its own flash
image.
"""

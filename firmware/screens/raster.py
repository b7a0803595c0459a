"""The frame buffer under one name: MicroPython's own, or under CPython its twin. Knows nothing of kiosks."""

try:
    from framebuf import GS4_HMSB, MONO_HLSB, RGB565, FrameBuffer
except ImportError:
    from screens.cpython import GS4_HMSB, MONO_HLSB, RGB565, FrameBuffer

__all__ = ("GS4_HMSB", "MONO_HLSB", "RGB565", "FrameBuffer")

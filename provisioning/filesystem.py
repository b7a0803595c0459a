"""The littlefs that stock MicroPython mounts as `/`: made from files, read back as files. Knows no firmware.

The geometry is the one of `vfs.VfsLfs2(partition)` in MicroPython: 4096-byte blocks, progsize, readsize and
lookahead 32. MicroPython's cache is 4 x progsize; a file stored inline must not be larger than that. We write
disk version 2.0, which every build mounts; a newer MicroPython lifts it to 2.1 with its first write, so we
read both.
"""

from littlefs import LittleFS, LittleFSError, UserContext

from provisioning.errors import ProvisioningError
from provisioning.flash_layout import SECTOR_BYTES

_WRITTEN_VERSION = 0x00020000
_NEWEST_VERSION = 0
_CACHE_BYTES = 128


def build(files: dict[str, bytes], size: int) -> bytes:
    """A file system of `size` bytes with those files (absolute path -> content), folders made as needed.

    Raises ProvisioningError when they do not fit.
    """
    filesystem = _littlefs(UserContext(size), size, _WRITTEN_VERSION)
    filesystem.format()
    filesystem.mount()
    try:
        for path in sorted(files):
            folder = path.rpartition("/")[0]
            if folder:
                filesystem.makedirs(folder, exist_ok=True)
            with filesystem.open(path, "wb") as file:
                file.write(files[path])
    except LittleFSError as error:
        total = sum(map(len, files.values()))
        raise ProvisioningError(
            f"littlefs: {len(files)} files, {total} bytes, do not fit in {size} bytes"
        ) from error
    filesystem.unmount()
    return bytes(filesystem.context.buffer)


def read(partition: bytes) -> dict[str, bytes]:
    """All files of a file system image. Raises ProvisioningError when it cannot be mounted or read."""
    filesystem = _littlefs(UserContext(buffer=bytearray(partition)), len(partition), _NEWEST_VERSION)
    files = {}
    try:
        filesystem.mount()
        for folder, _, names in filesystem.walk("/"):
            for name in names:
                path = f"{folder.rstrip('/')}/{name}"
                with filesystem.open(path, "rb") as file:
                    files[path] = file.read()
    except LittleFSError as error:
        raise ProvisioningError(
            f"littlefs: the partition vfs cannot be read ({error}); write the image anew"
        ) from error
    return files


def _littlefs(context: UserContext, size: int, version: int) -> LittleFS:
    return LittleFS(
        context=context,
        mount=False,
        block_size=SECTOR_BYTES,
        block_count=size // SECTOR_BYTES,
        prog_size=32,
        read_size=32,
        cache_size=_CACHE_BYTES,
        lookahead_size=32,
        disk_version=version,
    )

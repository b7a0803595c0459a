"""The NVS partition with the kiosk's identity, written as ESP-IDF's own generator does and read back.

MicroPython's `esp32.NVS` reads i32 and blobs only, so every entry is a blob. Knows no field of the identity.
"""

import io

from provisioning.errors import ProvisioningError
from provisioning.firmware_files import nvs_image
from provisioning.flash_layout import SECTOR_BYTES

NAMESPACE = "hymio"


def build(blobs: dict[str, bytes], size: int) -> bytes:
    """A partition of `size` bytes with those blobs (key of at most 15 letters -> content) in our namespace.

    Raises ProvisioningError when they do not fit.
    """
    # Imported here: it brings a terminal toolkit along (50 ms, 6 MB), and a running kiosk only reads.
    from esp_idf_nvs_partition_gen.nvs_partition_gen import InsufficientSizeError, Page, nvs_open

    out = io.BytesIO()
    try:
        # One page stays free: NVS needs it to move entries about.
        with nvs_open(out, size - SECTOR_BYTES, version=Page.VERSION2) as nvs:
            nvs.write_namespace(NAMESPACE)
            for key, value in blobs.items():
                nvs.write_entry(key, value, "binary")
    except InsufficientSizeError as error:
        total = sum(map(len, blobs.values()))
        raise ProvisioningError(f"nvs: {total} bytes do not fit in {size} bytes") from error
    return out.getvalue()


def read(partition: bytes, key: str) -> bytes | None:
    """A blob of our namespace, None when there is none. Raises ProvisioningError when it is damaged."""
    blob = nvs_image().reader(lambda offset, n: partition[offset : offset + n], len(partition))
    try:
        value: bytes | None = blob(NAMESPACE, key)
    except ValueError as error:
        raise ProvisioningError(f"{error}; write the image anew") from error
    return value

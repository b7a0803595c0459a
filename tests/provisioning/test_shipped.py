"""A kiosk carries what its model needs, and nothing of another's."""

from pathlib import Path

import pytest

from provisioning.errors import ProvisioningError
from provisioning.firmware_files import firmware_files
from provisioning.identity import Identity
from provisioning.image import build_image, with_firmware
from provisioning.models import MODELS
from provisioning.shipped import is_shipped

SOURCES = {
    "screens/__init__.py": "",
    "screens/cpython.py": "",
    "screens/raster.py": "",
    "screens/fonts.py": "from screens import raster\n",
    "screens/paper_front.py": "import screens.fonts\n",
    "screens/paper_page.py": "",
    "screens/pages.py": "from screens.raster import FrameBuffer\n",
    "drivers/__init__.py": "",
    "drivers/expander.py": "from drivers.bus import Bus\n",
    "drivers/bus.py": "",
    "drivers/glass.py": "",
    "boards/button_poe.py": "from drivers.expander import Expander\n",
    "assets/s.font.bin": "small",
    "assets/p20.font.bin": "paper",
    "assets/LICENSE": "SIL OFL",
}


@pytest.fixture
def with_screens(firmware: Path) -> Path:
    """The stand-in firmware with drawing code, chips and fonts."""
    for name, text in SOURCES.items():
        (firmware / name).parent.mkdir(exist_ok=True)
        (firmware / name).write_text(text)
    return firmware


def extra(board: str, model: str, root: Path) -> set[str]:
    """What is shipped beside the program itself."""
    files = firmware_files(board, root, model).files
    assert {"/boot.py", "/main.py", "/board.mpy", "/kiosk/version.mpy"} < set(files)
    assert all(map(is_shipped, files))
    program = ("/boot.py", "/main.py", "/board.mpy", "/nvs_image.mpy")
    return {path for path in files if path not in program and not path.startswith("/kiosk/")}


def test_each_model_gets_the_screens_chips_and_fonts_that_it_needs(with_screens: Path) -> None:
    assert extra("unix", "card5", with_screens) == set()
    paper = {f"/screens/{name}.mpy" for name in ("__init__", "raster", "fonts", "paper_front", "paper_page")}
    assert extra("unix", "button5", with_screens) == {
        *paper,
        "/unix_display.mpy",
        "/unix_sleep.mpy",
        "/assets/p20.font.bin",
    }
    touch = {f"/screens/{name}.mpy" for name in ("__init__", "raster", "fonts", "pages")}
    parts = {"/unix_display.mpy", "/unix_touch.mpy", "/assets/s.font.bin"}
    assert extra("unix", "touch", with_screens) == touch | parts
    chips = {"/drivers/__init__.mpy", "/drivers/expander.mpy", "/drivers/bus.mpy"}
    assert extra("button_poe", "card4", with_screens) == chips


def test_another_font_is_another_build_and_an_update_brings_it(
    with_screens: Path, identity: Identity
) -> None:
    before = firmware_files("unix", with_screens, "touch")
    image = build_image(before, identity, "touch").content
    (with_screens / "assets" / "s.font.bin").write_text("other")
    after = firmware_files("unix", with_screens, "touch")
    assert (after.build, after.digest) != (before.build, before.digest)
    assert (
        firmware_files("unix", with_screens, "card5").build
        == firmware_files("unix", with_screens, "card4").build
    )
    assert with_firmware(image, after) == build_image(after, identity, "touch").content


def test_an_unknown_model_is_named(with_screens: Path) -> None:
    with pytest.raises(ProvisioningError) as refused:
        firmware_files("unix", with_screens, "button9")
    assert str(refused.value) == f"model 'button9' is unknown; there are {', '.join(MODELS)}"

"""Labels are read back by a decoder of QR codes, from PNG and from PDF; they lie where the sheets have them."""

import io
import json
from pathlib import Path

import pytest
import zxingcpp
from click.testing import Result
from PIL import Image
from pypdf import PdfReader
from typer.testing import CliRunner

from provisioning.cli import app
from provisioning.errors import ProvisioningError
from provisioning.label import Label, _fitted, draw
from provisioning.label_sheets import SHEETS, pdf, pngs, sheet_of

SERVER = "https://palaute.hyvinvointialue.fi"
NAMES = (
    "Pääsisäänkäynti",
    "Čáhppes Ávvir",
    "Terveysasema Kalevankangas, laboratorion odotustila, toinen kerros",
)


def label(number: int) -> Label:
    name = NAMES[number % 3]
    return Label(f"kiosk{number:07d}", name, f"{SERVER}/devices/kiosk{number:07d}", "button5")


def read(picture: Image.Image) -> dict[str, tuple[float, float]]:
    """text -> upper left corner in pixels of each QR code."""
    codes = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    return {code.text: (code.position.top_left.x, code.position.top_left.y) for code in codes}


@pytest.mark.parametrize("name", SHEETS)
def test_every_label_of_a_sheet_is_read_and_lies_in_its_own_frame(name: str) -> None:
    sheet = sheet_of(name)
    labels = [label(number) for number in range(sheet.columns * sheet.rows)]
    (page,) = pngs(labels, sheet)
    picture = Image.open(io.BytesIO(page))
    assert [round(side * 25.4 / 300) for side in picture.size] == [round(side) for side in sheet.page]
    found = read(picture)
    assert set(found) == {one.address for one in labels}
    for index, one in enumerate(labels):
        x, y = (pixels * 25.4 / 300 for pixels in found[one.address])
        left, top = sheet.at(index)
        assert left < x < left + sheet.label[1], one.id
        assert top < y < top + sheet.label[1] / 2, one.id
    right, bottom = sheet.at(len(labels) - 1)
    assert right + sheet.label[0] <= sheet.page[0]
    assert bottom + sheet.label[1] <= sheet.page[1]


def test_a_pdf_has_the_sheets_size_and_its_codes_are_read_from_it() -> None:
    sheet = sheet_of("l7160")
    reader = PdfReader(io.BytesIO(pdf([label(number) for number in range(3)], sheet, skip=19)))
    assert len(reader.pages) == 2
    width, height = (float(side) * 25.4 / 72 for side in reader.pages[0].mediabox[2:])
    assert (width, height) == (pytest.approx(210, abs=0.1), pytest.approx(297, abs=0.1))
    found = [set(read(page.images[0].image.convert("L"))) for page in reader.pages]
    assert found == [{label(0).address, label(1).address}, {label(2).address}]


def test_long_names_shrink_then_break_then_are_cut_and_stay_on_the_label() -> None:
    dots = 300 / 25.4
    assert _fitted("Hall 3", 400, dots) == (13.0, ["Hall 3"])
    name = "Terveysasema Kalevankangas, laboratorion odotustila"
    points, lines = _fitted(name, 400, dots)
    assert 8 <= points < 13
    assert " ".join(lines) == name
    points, lines = _fitted("Hyvinvointikeskus " * 9, 400, dots)
    assert (points, len(lines), lines[-1][-1]) == (8.0, 3, "…")
    for name in (*NAMES, "Hyvinvointikeskus " * 9, "Lääkinnällisenkuntoutuksenosasto" * 2, ""):
        picture = draw(Label("kiosk0000001", name, SERVER), 62, 29, dots)
        edge = picture.crop((picture.width - 20, 0, picture.width, picture.height))
        assert edge.getextrema() == (255, 255), name
        rows = [picture.crop((0, y, picture.width, y + 1)).getextrema()[0] for y in (0, picture.height - 1)]
        assert rows == [255, 255], name


@pytest.mark.parametrize("name", SHEETS)
def test_an_id_of_the_widest_letters_is_on_the_label_whole(name: str) -> None:
    dots = 300 / 25.4
    for device_id in ("mmmmmmmmmmmm", "wwwwwwwwwwww", "wnm77rvuqn1h"):
        picture = draw(Label(device_id, "Hall 3", SERVER), *sheet_of(name).label, dots)
        edge = picture.crop((picture.width - round(1.5 * dots), 0, picture.width, picture.height))
        assert edge.getextrema() == (255, 255), device_id


def test_what_cannot_be_drawn_is_named() -> None:
    with pytest.raises(ProvisioningError, match="makes a code of 85 modules, too fine for 20 mm"):
        draw(Label("kiosk0000001", "x", SERVER + "/x" * 170), 62, 20, 12)
    with pytest.raises(ProvisioningError, match="--skip 21: it must be 0 to 20, a sheet has 21 labels"):
        pngs([label(1)], sheet_of("l7160"), 21)
    with pytest.raises(
        ProvisioningError, match="--sheet a5 is unknown; there are single, l7163, l7160, l7159"
    ):
        sheet_of("a5")


def station(*words: object) -> Result:
    return CliRunner().invoke(
        app, ["label", *map(str, words)], env={"HYMIO_SERVER": SERVER, "HYMIO_TOKEN": ""}
    )


def test_the_command_writes_what_it_says(tmp_path: Path) -> None:
    out = tmp_path / "labels.png"
    done = station("kiosk0000001=Pääovi", "kiosk0000002=Takaovi", "--out", out, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["files"] == [str(out), str(tmp_path / "labels-2.png")]
    assert told["labels"][1] == {
        "id": "kiosk0000002", "name": "Takaovi", "address": f"{SERVER}/devices/kiosk0000002",
    }  # fmt: skip
    assert set(read(Image.open(told["files"][1]))) == {f"{SERVER}/devices/kiosk0000002"}
    for words, said in (
        (("kiosk1=x", "--out", out), "'kiosk1=x': ID or ID=NAME is needed, an id has 12 characters a-z, 0-9"),
        (("kiosk0000001=x", "--out", tmp_path / "a.doc"), "its name must end in .pdf or .png"),
        (("kiosk0000001", "--out", out), "there is no token: make one at"),
    ):
        refused = station(*words)
        assert refused.exit_code == 1
        assert said in refused.stderr

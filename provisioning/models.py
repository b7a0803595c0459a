"""The one table of kiosk models: faces, screen and the heap of a virtual one. It knows no board and no question.

Invariant: a name is never reused for something else; kiosks in the field report it for years.
"""

from dataclasses import dataclass

from provisioning.errors import ProvisioningError


@dataclass(frozen=True)
class Model:
    """What a technician chooses when a kiosk is registered.

    faces: how many buttons, 0 for a touchscreen. screen: "none" (a printed card), "paper" (mono e-paper) or
    "touch". heap: MicroPython's heap of a virtual kiosk, what a board of the kind has to spare.
    """

    name: str
    faces: int
    screen: str
    heap: str

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of its screen in pixels."""
        return SCREEN_SIZES.get(self.screen)


SCREEN_SIZES = {"paper": (400, 300), "touch": (480, 320)}
MODELS = {
    model.name: model
    for model in (
        Model("button4", 4, "paper", "192K"),
        Model("button5", 5, "paper", "192K"),
        Model("card4", 4, "none", "156K"),
        Model("card5", 5, "none", "156K"),
        Model("touch", 0, "touch", "384K"),
    )
}
DEFAULT_MODEL = "button5"


def model_of(name: str) -> Model:
    """The model with that name. Raises ProvisioningError naming those there are."""
    if name not in MODELS:
        raise ProvisioningError(f"model '{name}' is unknown; there are {', '.join(MODELS)}")
    return MODELS[name]

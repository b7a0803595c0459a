"""The names of roles and of audited actions, as people read them."""

from fleet_server.accounts.models import Role
from fleet_server.refusals import N_

ROLE_NAMES = {
    Role.SUPERVISOR: N_("Supervisor"),
    Role.COORDINATOR: N_("Coordinator"),
    Role.TECHNICIAN: N_("Technician"),
    Role.OPERATOR: N_("Operator"),
    Role.ADMIN: N_("Administrator"),
}
ROLE_TEXTS = {
    Role.SUPERVISOR: N_("Sees the places and devices of their own units."),
    Role.COORDINATOR: N_("Publishes question sets and looks after places."),
    Role.TECHNICIAN: N_("Installs and moves devices, looks after places."),
    Role.OPERATOR: N_("Sees all devices and all changes. Always for the whole county."),
    Role.ADMIN: N_("May do everything, also invite people. Always for the whole county."),
}
# What audit.record is called with anywhere; a test finds an action that is missing here.
ACTIONS = (
    N_("add question set"),
    N_("change opening hours"),
    N_("change person"),
    N_("change place"),
    N_("change unit"),
    N_("close epoch"),
    N_("create device"),
    N_("create person"),
    N_("create place"),
    N_("create token"),
    N_("create unit"),
    N_("delete place"),
    N_("delete unit"),
    N_("disable person"),
    N_("enable person"),
    N_("finish rerun of rules"),
    N_("install device"),
    N_("invite person"),
    N_("move device"),
    N_("publish question set"),
    N_("revoke device"),
    N_("revoke token"),
    N_("set password"),
    N_("start rerun of rules"),
    N_("take device away"),
)
OBJECT_KINDS = (
    N_("answers"),
    N_("device"),
    N_("person"),
    N_("place"),
    N_("question set"),
    N_("token"),
    N_("unit"),
)
# The parts of an entry; a part that is not here is shown as it is kept.
PARTS = {
    "clock runs": N_("clock runs"),
    "counted now": N_("counted again"),
    "days": N_("days"),
    "demo": N_("demo"),
    "email": N_("e-mail address"),
    "filtered now": N_("filtered now"),
    "from": N_("from"),
    "hours": N_("opening hours"),
    "epoch": N_("epoch"),
    "language": N_("language"),
    "lost": N_("lost"),
    "model": N_("model"),
    "name": N_("name"),
    "name_en": N_("name in English"),
    "name_fi": N_("name in Finnish"),
    "name_sv": N_("name in Swedish"),
    "oid": N_("identifier"),
    "parent": N_("below"),
    "place": N_("place"),
    "role": N_("role"),
    "roles": N_("roles"),
    "rules": N_("version of the rules"),
    "sector": N_("sector"),
    "set": N_("question set"),
    "unit": N_("unit"),
    "virtual": N_("virtual"),
    "waiting": N_("waiting"),
}

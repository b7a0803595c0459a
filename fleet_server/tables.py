"""Every table, imported once, so that the migrations and foreign keys see them all."""

from fleet_server.accounts import models as accounts
from fleet_server.alerts import models as alerts
from fleet_server.answers import models as answers
from fleet_server.devices import models as devices
from fleet_server.devices import network_models as networks
from fleet_server.drafts import models as drafts
from fleet_server.handling import models as handling
from fleet_server.mails import models as mails
from fleet_server.phone import models as phone
from fleet_server.places import models as places
from fleet_server.questions import models as questions
from fleet_server.results import models as results
from fleet_server.rollouts import models as rollouts
from fleet_server.schedules import models as schedules
from fleet_server.technician import models as technician

__all__ = [
    "accounts",
    "alerts",
    "answers",
    "devices",
    "drafts",
    "handling",
    "mails",
    "networks",
    "phone",
    "places",
    "questions",
    "results",
    "rollouts",
    "schedules",
    "technician",
]

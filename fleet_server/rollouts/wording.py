"""How a rollout is spoken of on its pages: states, stages and rules in the reader's language. It knows no database."""

from fleet_server.refusals import N_
from fleet_server.rollouts.plan import Stage
from fleet_server.web.i18n import _

ROLLOUT_STATES = {
    "running": N_("under way"),
    "paused": N_("paused"),
    "halted": N_("halted by its stop rule"),
    "done": N_("done"),
    "undone": N_("rolled back"),
}
EVENTS = {
    "begun": N_("begun"),
    "stage": N_("next stage begun"),
    "paused": N_("paused"),
    "resumed": N_("gone on with"),
    "halted": N_("halted"),
    "done": N_("done"),
    "undone": N_("rolled back"),
}
RULE_NAMES = {
    "refused": N_("kiosks that refuse the set"),
    "silent": N_("kiosks that fall silent"),
    "presses": N_("fewer visits than usual"),
    "completion": N_("fewer visits answered to their end"),
}


def stage_text(stage: Stage) -> str:
    """A stage in a few words."""
    hours = f"{stage.wait_min / 60:g}"
    if stage.kind == "all" and stage.wait_min == 0:
        return _("All that are left")
    if stage.kind == "places":
        return _("%(count)s places, watched for %(hours)s h") % {"count": stage.count, "hours": hours}
    if stage.kind == "share":
        return _("%(count)s %% of the places, watched for %(hours)s h") % {
            "count": stage.count,
            "hours": hours,
        }
    return _("All that are left, watched for %(hours)s h") % {"hours": hours}


def translated(names: dict[str, str]) -> dict[str, str]:
    """The same names in the reader's language."""
    return {name: _(text) for name, text in names.items()}

"""Lets a battery kiosk sleep again: when what it woke for is done, or has failed for long enough. Knows no pin.

Runs beside the program's other tasks in the one short session an hour. Invariant: it never sleeps while somebody is at
the kiosk; the server was told, as far as it can be reached, when it hears from the kiosk next.
"""

import asyncio

from kiosk.compat import const
from kiosk.doze import GIVE_UP_S, SYNC_S, settings_kept

_POLL_S = 0.1
_LINGER_MS = const(1500)  # nothing came for so long: what the server wanted to say has been said
_MOST_ONLINE_S = const(60)
_STARTING_S = const(120)  # after a start somebody may stand there and set it up
_MOST_DOUBLINGS = const(2)  # an attempt every four hours while there is no server
_LOW_MV = const(3450)  # the regulator wants 3.4 V: what is left is for presses
_FAREWELL_S = 0.3  # until the radio has sent what was written
_NEXT_MARGIN_S = const(300)  # the slow clock's drift in an hour, joining and TLS


class Sleeper:
    """`app`: the program's parts; `doze`: what it goes on from."""

    def __init__(self, app, doze):
        self._app = app
        self._doze = doze
        kept = doze.kept
        self._limit_s = GIVE_UP_S if kept else _STARTING_S
        if not kept:
            kept.update(
                {"failures": 0, "ignored": {}, "stuck": 0, "conn": app.session.connection, "paper": None}
            )
            return
        app.session.connection = kept["conn"]
        app.buttons.resume(kept["stuck"], kept["ignored"])
        app.buttons.card_changed = doze.card_changed
        if app.paper is not None and kept["paper"] is not None:
            app.paper.resume(*kept["paper"])

    async def run(self, beat):
        app = self._app
        began = app.uptime.ms()
        settled = online_at = heard_at = heard = None
        while True:
            beat()
            await asyncio.sleep(_POLL_S)
            now = app.uptime.ms()
            came = app.session.received()
            if came != heard:
                heard, heard_at = came, now
            if app.session.status != "online":
                over = now - began >= self._limit_s * 1000
            else:
                online_at = online_at or now
                settled = settled or app.sync.settled.is_set()
                over = now - online_at >= _MOST_ONLINE_S * 1000
                if self._done() and now - heard_at >= _LINGER_MS:
                    over = True
            if over and self._nobody():
                await self._sleep(settled)

    def _done(self):
        app = self._app
        return (
            app.sync.settled.is_set()
            and app.journal.waiting == 0
            and app.sets.want() is None
            and not app.sets.unchecked
            and (app.paper is None or app.paper.settled())
        )

    def _nobody(self):
        app = self._app
        return app.quiet() and app.buttons.at_rest() and not app.board.touched()

    async def _sleep(self, settled):
        """Say farewell, then sleep, unless somebody comes meanwhile."""
        app, doze = self._app, self._doze
        kept = doze.kept
        kept["failures"] = 0 if settled else min(kept["failures"] + 1, _MOST_DOUBLINGS)
        wait_s = SYNC_S << kept["failures"]
        supply = app.board.health()["supply"]
        if supply is not None and supply < _LOW_MV:
            wait_s = SYNC_S << _MOST_DOUBLINGS
        if app.session.status == "online":
            await app.session.leave("sleeping", wait_s + wait_s // 20 + _NEXT_MARGIN_S)
            await asyncio.sleep(_FAREWELL_S)
        if not self._nobody():
            return  # the link comes back by itself, and the next look is as good
        now = app.uptime.ms()
        kept["due"] = now + min(wait_s * 1000, self._until_change())
        kept["left"] = app.journal.waiting
        kept["cursor"] = (app.journal.epoch, app.journal.cursor(app.journal.epoch))
        kept["conn"] = app.session.connection
        kept["ignored"] = app.buttons.ignored
        kept["card"] = app.sets.waiting()
        kept["stuck"] = sum([1 << face for face in app.buttons.stuck_faces()])
        kept["paper"] = None if app.paper is None else app.paper.kept()
        view = app.sets.active
        kept["asked"] = None if view is None else (view["number"], view["button"]["question"])
        kept["settings"] = settings_kept(app.settings)
        if settled:
            doze.end_run()
        doze.lie_down()

    def _until_change(self):
        """Milliseconds until another set may be due: the kiosk is awake then and shows it."""
        app = self._app
        clock = app.clock.now()
        least = SYNC_S * 1000 << _MOST_DOUBLINGS
        if clock is not None:
            for entry in app.sets.planned or ():
                for at in (entry["from"], entry["to"], entry["hours"] and entry["seen"][2]):
                    if at is not None and at > clock[0]:
                        least = min(least, at - clock[0])
        return least

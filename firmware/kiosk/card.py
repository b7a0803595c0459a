"""Remembers which question set the printed card in the kiosk is for. Knows no button and no topic.

Invariant: a card kiosk asks what its card says and nothing else: another set is asked from the moment at which somebody
says that its card is in, at the kiosk (`confirm`) or on the kiosk's page (setting `card`).
"""

from kiosk.store import Store

_NONE = "-"


class Card:
    """`settings` has `card`: the hash of the set whose card somebody has said on the page to be in the kiosk, or None.

    `.hash`: of the set that the card in the kiosk is for, kept over power cuts; None before the first confirmation.
    """

    def __init__(self, root, settings, log):
        self._settings = settings
        self._log = log
        self._store = Store(root + "/state/card")
        body = self._store.load()
        words = str(body, "ascii").split() if body is not None else []
        self.hash, self._told = [None if word == _NONE else word for word in words] or (None, None)

    def look(self):
        """Follow the page: once for each time that it says something else, so that an old word of it does not undo a
        later confirmation at the kiosk."""
        told = self._settings.get("card")
        if told != self._told:
            self._keep(self.hash if told is None else told, told)

    def confirm(self, hash):
        """Somebody at the kiosk says that the card of this set is in. Says whether that could be written down."""
        return self._keep(hash, self._told)

    def _keep(self, hash, told):
        try:
            self._store.save(("%s %s" % (hash or _NONE, told or _NONE)).encode())
        except OSError as error:
            self._log("card: its change cannot be stored: %r" % error)
            return False
        self.hash = hash
        self._told = told
        return True

"""The one exception that the tool shows to a person."""


class ProvisioningError(Exception):
    """Something a technician can act on. Its text is one line: what was wrong, with the value, and what to
    do.
    """


class Lost(ProvisioningError):
    """The line to a board broke: cable, power, or a reset."""

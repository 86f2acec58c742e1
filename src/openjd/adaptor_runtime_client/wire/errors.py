"""What can go wrong on the wire, in terms that are the same on every system."""


class WireError(Exception):
    """The base of every error that the wire raises."""


class RemoteProtocolError(WireError):
    """The other side sent what the protocol does not allow (garbage, too large, too short)."""


class LocalProtocolError(WireError):
    """This side was asked to send what the protocol does not allow."""


class ConnectionLost(WireError):
    """The other side is gone: its process ended, or it closed the connection."""


class NotListening(WireError):
    """Nobody listens at the address: nothing there, or the process that listened is dead."""


class AccessRefused(WireError):
    """The other side belongs to another user, or the system does not let us reach it."""

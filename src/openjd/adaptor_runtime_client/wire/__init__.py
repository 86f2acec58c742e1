"""The wire: how the processes of a session talk to each other.

``errors``, ``messages`` and ``framing`` do no I/O and need no socket to be tested.
``transport`` holds the contract (Connection, Listener, connect) and chooses the
implementation for this system: ``_unix`` or ``_windows``.
"""

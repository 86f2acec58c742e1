"""The obedient adaptor under another name."""

from obedient.adaptor import Obedient


class Bootstrapped(Obedient):
    """Obedient."""

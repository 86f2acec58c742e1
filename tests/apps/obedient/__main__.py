"""``python -m obedient``."""

from openjd.adaptor_runtime import EntryPoint

EntryPoint("obedient.adaptor:Obedient").start()

"""``python -m plain``."""

from openjd.adaptor_runtime import EntryPoint

EntryPoint("plain.adaptor:Plain").start()

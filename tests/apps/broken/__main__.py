"""``python -m broken``."""

from openjd.adaptor_runtime import EntryPoint

EntryPoint("broken.adaptor:Broken").start()

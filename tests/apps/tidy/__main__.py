"""``python -m tidy``."""

from openjd.adaptor_runtime import EntryPoint

EntryPoint("tidy.adaptor:Tidy").start()

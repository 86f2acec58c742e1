"""``python -m odd``."""

from openjd.adaptor_runtime import EntryPoint

EntryPoint("odd.adaptor:Größe東京").start()

"""``python -m counting``."""

from openjd.adaptor_runtime import EntryPoint

EntryPoint("counting.adaptor:Counting").start()

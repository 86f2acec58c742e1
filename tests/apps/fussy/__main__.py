"""``python -m fussy``."""

from openjd.adaptor_runtime import EntryPoint

EntryPoint("fussy.adaptor:Fussy").start()

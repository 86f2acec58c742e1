"""``python -m by_class``."""

import os

from by_class.adaptor import ByClass
from openjd.adaptor_runtime import EntryPoint

# The executable that the daemon is re-entered with, where a test names one.
EntryPoint(ByClass).start(reentry_exe=os.environ.get("BY_CLASS_REENTRY"))

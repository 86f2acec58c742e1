"""``python -m described``."""

import os

from openjd.adaptor_runtime import EntryPoint

EntryPoint.from_toml(os.environ["DESCRIBED"]).start()

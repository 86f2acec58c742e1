"""An Open Job Description adaptor for FFmpeg; all that it does stands in ``adaptor.toml``."""

from __future__ import annotations

import os

from openjd.adaptor_runtime import EntryPoint

#: The console command ``ffmpeg-openjd``.
main = EntryPoint.from_toml(os.path.join(os.path.dirname(__file__), "adaptor.toml")).start

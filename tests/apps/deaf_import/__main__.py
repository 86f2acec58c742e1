"""``python -m deaf_import``: the daemon knocks at the gate DEAF_IMPORT, and stays there."""

import os
import sys

import gates
import signals

from openjd.adaptor_runtime import EntryPoint

if "_serve" in sys.argv:
    signals.ignore_cancel()
    knock = gates.Knock(int(os.environ["DEAF_IMPORT"]))
    while True:
        knock.wait()

EntryPoint("deaf_import.adaptor:NeverLoaded").start()

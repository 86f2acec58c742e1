"""``python -m dies_early``: the frontend works, the daemon that it starts does DIES_EARLY."""

import os
import sys

import gates

from openjd.adaptor_runtime import EntryPoint

how = os.environ.pop("DIES_EARLY", "")
if "DIES_EARLY_AGAIN" not in os.environ:
    os.environ.update(DIES_EARLY=how, DIES_EARLY_AGAIN="1")
elif how == "import":
    import no_such_module  # noqa: F401
elif how == "exit":
    print("the licence has expired")
    sys.exit(3)
elif how == "abort":
    os.abort()
else:
    gates.pass_through(int(how))

EntryPoint("dies_early.adaptor:NeverLoaded").start()

"""Stands where an application would be: runs the client script that an adaptor starts it with.

``python standin.py FAKE ARGUMENT...``. Where FAKE is a folder, the last argument that names a
Python file is run as the main script, with that folder in front on its path: it holds a fake of
the application's module. Where FAKE is a script, it is run instead of the adaptor's client. The
launcher starts this without site-packages, since an application's Python has none of ours: what
a client imports must come from what the adaptor puts on the path.
"""

from __future__ import annotations

import os
import runpy
import sys


def main() -> None:
    """Notes the start, then becomes the client."""
    fake, arguments = sys.argv[1], sys.argv[2:]
    with open(os.environ["PUBLISHED_STARTS"], "a", encoding="utf-8") as file:
        file.write(f"{os.getpid()} {' '.join(arguments)}\n")
    if os.path.isdir(fake):
        sys.path[0] = fake
        script = [argument for argument in arguments if argument.endswith(".py")][-1]
        # Unreal takes commands: "-execcmds=r.HLOD 0,py /folder/unreal_client.py".
        script = script.rpartition(",py ")[2]
    else:
        del sys.path[0]
        script = fake
    sys.argv = [script]
    runpy.run_path(script, run_name="__main__")
    if "unreal" in sys.modules:
        sys.modules["unreal"].run_editor()


if __name__ == "__main__":
    main()

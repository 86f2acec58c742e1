"""Programs that run a file of Python code, and words of command lines as people type them."""

from __future__ import annotations

import errno
import os
import shlex
import sys


def make_program(folder: str, name: str, script: str, *arguments: str) -> str:
    """See ``_platform.make_program``."""
    if sys.platform == "win32":
        return _launcher(folder, name, script, arguments)
    path = os.path.join(folder, name)
    words = " ".join(map(shlex.quote, [sys.executable, script, *arguments]))
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(f'#!/bin/sh\nexec {words} "$@"\n')
    os.chmod(path, 0o700)
    return path


def shell_word(word: str) -> str:
    """See ``_platform.shell_word``."""
    if sys.platform == "win32":
        import subprocess

        return subprocess.list2cmdline([word])
    return shlex.quote(word)


def shell_words(text: str) -> list[str]:
    """See ``_platform.shell_words``."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    if sys.platform == "win32":
        lexer.escape = ""  # It stands in paths.
    return list(lexer)


def _launcher(folder: str, name: str, script: str, arguments: tuple[str, ...]) -> str:
    """What pip makes of a console command: only an .exe is found by a name without its ending."""
    import io
    import struct
    import zipfile

    path = os.path.join(folder, name if name.lower().endswith(".exe") else name + ".exe")
    code = (
        "import runpy, sys\n"
        f"sys.argv[:1] = {[script, *arguments]!r}\n"
        f"runpy.run_path({script!r}, run_name='__main__')\n"
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("__main__.py", code)
    shebang = f'#!"{sys.executable}"\n'.encode()
    bits = 8 * struct.calcsize("P")
    machine = "-arm" if "ARM64" in sys.version else ""
    launcher = _bytes_of(f"t{bits}{machine}.exe")
    with open(path, "wb") as program:
        program.write(launcher + shebang + archive.getvalue())
    return path


def _bytes_of(name: str) -> bytes:
    from importlib.util import find_spec

    for package in ("distlib", "pip._vendor.distlib"):
        try:
            spec = find_spec(package)
        except ImportError:
            continue
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            try:
                with open(os.path.join(folder, name), "rb") as file:
                    return file.read()
            except OSError:
                continue
    raise FileNotFoundError(
        errno.ENOENT, "no launcher for a program was found; pip install distlib brings it", name
    )

"""The published adaptors, as PyPI has them: which versions, and a folder that holds them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

PINS = {
    "deadline-cloud-for-3ds-max": "0.4.2",
    "deadline-cloud-for-blender": "0.6.9",
    "deadline-cloud-for-cinema-4d": "1.0.1",
    "deadline-cloud-for-houdini": "0.7.14",
    "deadline-cloud-for-maya": "0.15.21",
    "deadline-cloud-for-nuke": "0.18.20",
    "deadline-cloud-for-unreal-engine": "1.1.0",
    "deadline-cloud-for-vred": "0.1.8",
}


class NotAvailable(Exception):
    """pip could not bring the wheels."""


def install(parent: Path) -> Path:
    """A folder below `parent` with the eight wheels in it, installed once.

    The wheels come without what they depend on: of that the adaptors import only this runtime,
    which is here, and a telemetry client of `deadline` (boto3 and some forty megabytes), whose
    place stubs/ takes. The name of the folder tells versions and interpreter, because the
    console scripts in its bin/ name the interpreter.

    Raises:
        NotAvailable: there is no pip, or it reaches no index.
    """
    requirements = [f"{name}=={version}" for name, version in sorted(PINS.items())]
    key = "\n".join([sys.executable, sys.version, *requirements])
    folder = parent / hashlib.sha256(key.encode()).hexdigest()[:16]
    if folder.is_dir():
        return folder
    # Another worker of this run may be doing the same: the rename at the end decides.
    building = parent / f"{folder.name}.{os.getpid()}"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-compile", "--only-binary", ":all:", "--ignore-requires-python"]
    command += ["--retries", "1", "--timeout", "20", "--target", str(building), *requirements]
    try:
        pip = subprocess.run(command, capture_output=True, text=True, timeout=90)
        if pip.returncode != 0:
            raise NotAvailable(f"pip could not install the published adaptors:\n{pip.stderr}")
        # The wheel has this script without its executable bit, so that the adaptor cannot start
        # its application on Linux; whoever packages it for a farm sets it.
        package = building / "deadline" / "cinema4d_adaptor" / "Cinema4DAdaptor"
        (package / "adaptor.sh").chmod(0o755)
        try:
            building.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    except subprocess.TimeoutExpired as e:
        raise NotAvailable(f"pip did not install the published adaptors: {e}") from e
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return folder

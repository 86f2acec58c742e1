"""``--version`` of adaptors' commands: the adaptor, its distribution, the runtime."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from apps.drive import Host

from openjd.adaptor_runtime._version import version

PYTHON = ".".join(map(str, sys.version_info[:3]))
MAIN = "from openjd.adaptor_runtime import EntryPoint\nEntryPoint({what}).start()\n"


def install(folder: Path, *, record: str = "", **files: str) -> None:
    """Writes what pip leaves of the distribution ``studio-tools`` 2.5 in `folder`."""
    about = folder / "studio_tools-2.5.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: studio-tools\nVersion: 2.5\n")
    (about / "RECORD").write_text(record)
    for name, text in files.items():
        (about / name.replace("__", ".")).write_text(text)


@pytest.fixture
def place(host: Host) -> Path:
    """A folder that modules are imported from, with the package ``engraver``."""
    place = host.folder / "place"
    package = place / "engraver"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    # Whoever asks for the version does not wait for the adaptor's imports.
    (package / "adaptor.py").write_text("raise ImportError('not to be imported')\n")
    (package / "__main__.py").write_text(MAIN.format(what="'engraver.adaptor:Engraver'"))
    host.env["PYTHONPATH"] += f"{os.pathsep}{place}"
    return place


def says(host: Host, *command: str) -> str:
    """What ``--version`` prints."""
    ended = host.run(*command, "--version")
    assert (ended.status, ended.err) == (0, "")
    (line,) = ended.lines
    assert line.endswith(f", openjd-adaptor-runtime {version}, Python {PYTHON}")
    return line.partition(", openjd-adaptor-runtime ")[0]


def test_an_installed_adaptor(host: Host, place: Path) -> None:
    """The distribution whose record has the adaptor's file; others' do not count."""
    install(place, record="engraver/__init__.py,,\nengraver/adaptor.py,,\n")
    other = place / "other-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (other / "RECORD").write_text("elsewhere/adaptor.py,,\n")
    (place / "broken-1.0.dist-info").mkdir()
    assert says(host, "-m", "engraver") == "Engraver (studio-tools 2.5)"


def test_an_editable_adaptor(host: Host, place: Path) -> None:
    """Its record names no module, but where it is."""
    origin = f'{{"url": "{place.as_uri()}", "dir_info": {{"editable": true}}}}'
    install(host.folder / "site", direct_url__json=origin)
    host.env["PYTHONPATH"] += f"{os.pathsep}{host.folder / 'site'}"
    assert says(host, "-m", "engraver") == "Engraver (studio-tools 2.5)"


def test_an_adaptor_with_a_command(host: Host, place: Path) -> None:
    """Else it is found by its console command."""
    install(place, entry_points__txt="[console_scripts]\nengrave = engraver.__main__:main\n")
    assert says(host, "-m", "engraver") == "Engraver (studio-tools 2.5)"


def test_a_described_adaptor(host: Host, place: Path) -> None:
    """The file says its name; one that cannot be read does not keep the version back."""
    file = place / "engraver" / "adaptor.toml"
    file.write_text('name = "Ffmpeg"\nversion = "1.0"\ncommand = ["ffmpeg"]\n')
    (place / "engraver" / "__main__.py").write_text(
        "from pathlib import Path\n"
        + MAIN.replace("(", ".from_toml(", 1).format(
            what="Path(__file__).with_name('adaptor.toml')"
        )
    )
    install(place, record="engraver/adaptor.toml,,\n")
    if sys.version_info >= (3, 11):
        assert says(host, "-m", "engraver") == "Ffmpeg (studio-tools 2.5)"
    file.write_text("name =")
    assert says(host, "-m", "engraver") == "__main__ (studio-tools 2.5)"


def test_an_adaptor_of_nobody_s(host: Host) -> None:
    """A script, or a folder that is simply there."""
    assert says(host, "-m", "obedient") == "Obedient (of no installed distribution)"
    assert says(host, "-m", "in_main") == "Small (of no installed distribution)"


def test_the_tool(host: Host) -> None:
    """openjd-adaptor has a version, too."""
    code = "import sys; from openjd.adaptor_runtime._cli.tool import main; sys.exit(main())"
    ended = host.run("-c", code, "--version")
    assert ended == (0, f"openjd-adaptor-runtime {version}\n", "")

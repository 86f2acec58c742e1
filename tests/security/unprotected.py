"""The protections, each as the change to the source that takes it away.

The changes are made in a copy. Where a text to be changed does not stand in the source any more
the tests fail: the list is kept in step with what it is about.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Patch(NamedTuple):
    """A piece of the source and what stands in its place without the protection."""

    file: str
    old: str
    new: str

    def apply(self, packages: Path) -> None:
        """Makes the change in the copy of the packages below `packages`.

        Raises:
            LookupError: the text does not stand there exactly once.
        """
        path = packages / self.file
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        count = text.count(self.old)
        if count != 1:
            raise LookupError(
                f"{self.file} has the following text {count} times, and not once; bring "
                f"tests/security/unprotected.py into step with the source:\n{self.old}"
            )
        # Removed first: it may be a link. What is compiled of the old text is out of date.
        path.unlink()
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


_UNIX = "adaptor_runtime_client/wire/_unix.py"
_POSIX = "adaptor_runtime/_platform/posix.py"
_FILE = "adaptor_runtime/_daemon/connection_file.py"
_FRONTEND = "adaptor_runtime/_daemon/frontend.py"
_GUARDIAN = "adaptor_runtime/_daemon/guardian.py"
_FOLDER = "adaptor_runtime/_session_folder.py"

_REFUSED = """\
                if uid != os.geteuid():
                    sock.close()
                    continue
"""

PATCHES = {
    "who connects is not asked for its user": Patch(_UNIX, _REFUSED, ""),
    "who connects is refused after a look at what it sent": Patch(
        _UNIX, _REFUSED, _REFUSED.replace("sock.close()", "sock.recv(65536); sock.close()")
    ),
    "who listens is not asked for its user": Patch(
        _UNIX,
        "    if uid != os.geteuid():\n        sock.close()\n        raise",
        "    if 0:\n        raise",
    ),
    "the socket's mode is left to the umask": Patch(
        _UNIX, "            os.chmod(self.address, 0o600)\n", ""
    ),
    "the private folder's mode is left to the umask": Patch(
        _POSIX, "os.mkdir(path, 0o700)\n        except", "os.mkdir(path)\n        except"
    ),
    "the private folder is made private afterwards": Patch(
        _POSIX,
        "os.mkdir(path, 0o700)\n        except",
        "os.mkdir(path); os.chmod(path, 0o700)\n        except",
    ),
    "a server's folder has the umask's mode": Patch(
        _POSIX, "os.mkdir(path, 0o700)\n        return", "os.mkdir(path)\n        return"
    ),
    "the private folder's name is known": Patch(
        _GUARDIAN, "PREFIX + os.urandom(8).hex()", "PREFIX + 16 * '0'"
    ),
    "the private folder may be there already": Patch(
        _POSIX,
        "os.mkdir(path, 0o700)\n        except",
        "os.makedirs(path, 0o700, exist_ok=True)\n        except",
    ),
    "files are created with the umask's mode": Patch(
        _POSIX, "os.open(path, flags, 0o600)", "os.open(path, flags, 0o666)"
    ),
    "a file that was there keeps its mode": Patch(
        _POSIX, "        os.fchmod(fd, 0o600)\n", "        pass\n"
    ),
    "links are followed": Patch(_POSIX, "os.O_CLOEXEC | os.O_NOFOLLOW if", "os.O_CLOEXEC if"),
    "start does not look whether the file is there": Patch(
        _FRONTEND, "if os.path.lexists(connection_path):", "if False:"
    ),
    "the connection file is written over what is there": Patch(
        _FILE, "os.link(temporary, path)", '__import__("shutil").copyfile(temporary, path)'
    ),
    "another user's connection file is read": Patch(_FILE, "if not belongs_to_us(path):", "if 0:"),
    "another user's link is followed to a connection file": Patch(
        _POSIX, "os.lstat(path).st_uid", "os.stat(path).st_uid"
    ),
    "the connection file's owner is looked at beforehand": Patch(
        _FILE, "opener=own_opener", "opener=private_opener"
    ),
    "a folder is ours by its name alone": Patch(
        _FOLDER, "startswith(PREFIX) and _platform.belongs_to_us(path)", "startswith(PREFIX)"
    ),
    "links in a folder are followed": Patch(_FOLDER, "if _platform.belongs_to_us(place)]", "]"),
    "init data go through the arguments": Patch(
        _FRONTEND,
        '[*command, "daemon", "_serve"]',
        '[command[0], "-X", "data=" + str(request), *command[1:], "daemon", "_serve"]',
    ),
}

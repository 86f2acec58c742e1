"""The connection file: where the daemon of a session listens."""

from __future__ import annotations

import json
import os
from collections import namedtuple

from .._platform import belongs_to_us, own_opener, private_opener


class ConnectionFileError(Exception):
    """A connection file that cannot be used; its message says which, why, and what to do."""


class ConnectionFileMissing(ConnectionFileError):
    """There is no connection file: the daemon was never started, or has ended."""


#: What a connection file holds: the address that the daemon listens at, the daemon's process
#: id, when that process was started (see ``_platform.start_time``), and its private folder.
ConnectionInfo = namedtuple("ConnectionInfo", ["socket", "pid", "started", "folder"])


def write(path: str, info: ConnectionInfo) -> None:
    """Writes the file: private, and whole from the moment that it has its name.

    Raises:
        ConnectionFileError: something has that name already, or the file cannot be written.
    """
    temporary = f"{path}.{os.urandom(6).hex()}"
    try:
        _create(temporary, info)
        try:
            # Unlike a rename, a link fails where something has the name already.
            os.link(temporary, path)
        except FileExistsError:
            raise
        except OSError:
            # A file system without links. Whoever reads half of it finds no connection file.
            _create(path, info)
        finally:
            os.unlink(temporary)
    except FileExistsError as e:
        raise ConnectionFileError(
            f"the connection file {path} exists already; is its daemon running? "
            "Stop it with 'daemon stop', or name another file"
        ) from e
    except OSError as e:
        raise ConnectionFileError(
            f"the connection file {path} cannot be written: {e.strerror or e}"
        ) from e


def _create(path: str, info: ConnectionInfo) -> None:
    file = open(path, "x", encoding="utf-8", opener=private_opener)  # noqa: SIM115
    try:
        with file:
            json.dump(info._asdict(), file)
    except OSError:
        # The disk is full: half of it is of no use.
        os.unlink(path)
        raise


def read(path: str) -> ConnectionInfo:
    """What the file holds.

    Raises:
        ConnectionFileMissing: there is no such file.
        ConnectionFileError: it cannot be read, is another user's, or is no connection file.
    """
    try:
        if not belongs_to_us(path):
            raise ConnectionFileError(
                f"the connection file {path} belongs to another user and is not trusted"
            )
        with open(path, encoding="utf-8", opener=own_opener) as file:
            # A connection file is short: no need to read what somebody put in its place.
            data = json.loads(file.read(65536))
        info = ConnectionInfo(*[data[field] for field in ConnectionInfo._fields])
    except FileNotFoundError as e:
        raise ConnectionFileMissing(
            f"the connection file {path} does not exist: no daemon was started with it"
        ) from e
    except OSError as e:
        raise ConnectionFileError(
            f"the connection file {path} cannot be read: {e.strerror or e}"
        ) from e
    except (ValueError, TypeError, KeyError, RecursionError) as e:
        raise ConnectionFileError(
            f"{path} is no connection file (its content is not what 'daemon start' writes); "
            "remove it, or name the right file"
        ) from e
    texts = (info.socket, info.started, info.folder)
    if not all(isinstance(text, str) and _is_name(text) for text in texts) or (
        type(info.pid) is not int or not 0 < info.pid < 2**32
    ):
        raise ConnectionFileError(
            f"{path} is no connection file (a field has the wrong type); "
            "remove it, or name the right file"
        )
    return info


def _is_name(text: str) -> bool:
    """Whether the system could have something of that name."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def holds(path: str, info: ConnectionInfo) -> bool:
    """Whether the file still says `info`, or nobody can tell at this moment."""
    try:
        return read(path) == info
    except ConnectionFileMissing:
        return False
    except ConnectionFileError as e:
        return isinstance(e.__cause__, OSError)


def remove(path: str, info: ConnectionInfo) -> None:
    """Removes the file if it is still the one that says `info`."""
    try:
        if read(path) == info:
            os.unlink(path)
    except (ConnectionFileError, OSError):
        pass

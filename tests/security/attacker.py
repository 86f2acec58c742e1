"""What the other user runs: ``python attacker.py ACTION JSON``. Standard library only.

It knows every path and name, prints what it has achieved as one line of JSON, last of all, and
makes no mistakes that a protection could be taken for.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

# The protocol's greeting and frames, by hand: what is attacked is not asked how to do it.
PREAMBLE = b"OJDA\x00\x01\x00\x00"


def frame(message: dict[str, Any]) -> bytes:
    """A message as a frame."""
    body = json.dumps(message).encode()
    return b"M" + len(body).to_bytes(4, "big") + body


HELLO = PREAMBLE + frame({"type": "hello", "pid": os.getpid(), "folder": "/no/openjd-0"})
FINAL = frame({"type": "final", "ok": True, "canceled": False, "error": None, "told": True})


def announce(text: str) -> None:
    """Tells the test that it has come so far."""
    print(text, flush=True)


def send(path: str, request: dict[str, Any]) -> dict[str, Any]:
    """Connects to a socket, sends a request and waits for what comes.

    ``answer`` is what came; ``unread`` whether the other side ended the connection without
    having read what was sent.
    """
    answer, unread = b"", False
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall(HELLO + frame(request) + b"\xff" * 1000)
        connection.shutdown(socket.SHUT_WR)
        announce("sent")
        try:
            while chunk := connection.recv(65536):
                answer += chunk
        except ConnectionResetError:
            unread = True
    return {"answer": answer.decode("utf-8", "replace"), "unread": unread}


def touch(paths: list[str]) -> dict[str, list[str]]:
    """What can be done with each path: read, write, list, enter, connect."""
    return {path: _means(path) for path in paths}


def _means(path: str) -> list[str]:
    means = []
    ways: dict[str, Callable[[], Any]] = {
        "read": lambda: os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK)),
        "write": lambda: os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK)),
        "list": lambda: os.listdir(path),
        "put": lambda: _put(path),
        "connect": lambda: _connect(path),
    }
    for name, try_it in ways.items():
        with suppress(OSError):
            try_it()
            means.append(name)
    return means


def _put(folder: str) -> None:
    path = os.path.join(folder, "of the attacker")
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    os.unlink(path)


def _connect(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)


def lay(things: list[list[str]]) -> dict[str, Any]:
    """Puts things there: [kind, path, argument], with rights for everybody."""
    os.umask(0)
    for kind, path, argument in things:
        if kind == "file":
            with open(path, "w", encoding="utf-8") as file:
                file.write(argument)
        elif kind == "folder":
            os.mkdir(path, 0o777)
        elif kind == "link":
            os.symlink(argument, path)
        elif kind == "hard link":
            os.link(argument, path)
        elif kind == "fifo":
            os.mkfifo(path, 0o666)
        elif kind == "moved":
            os.rename(argument, path)
        elif kind == "socket":
            socket.socket(socket.AF_UNIX).bind(path)
        else:
            raise ValueError(kind)
    return {}


def swap(path: str, content: str, place: str) -> dict[str, Any]:
    """Puts a file of its own in the place of `path` as soon as somebody has looked at it."""
    os.umask(0)
    looks = []

    def put(look: str) -> None:
        looks.append(look)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(content)
        os.replace(path + ".new", path)

    _be_told(place, put)
    return {"looks": looks}


def _be_told(place: str, react: Callable[[str], None]) -> None:
    """Listens at `place` until stdin ends; reacts to each line while whoever sends it waits."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(place)
    listener.listen()

    def listen() -> None:
        while True:
            connection, _ = listener.accept()
            with connection, connection.makefile("r") as told:
                line = told.readline().rstrip("\n")
                if not line:
                    return
                react(line)
                connection.sendall(b"go on\n")

    thread = threading.Thread(target=listen)
    thread.start()
    announce("listening")
    sys.stdin.read()
    # Behind all who came before.
    with socket.socket(socket.AF_UNIX) as last:
        last.connect(place)
    thread.join()


def serve(path: str, answer: list[dict[str, Any]], until: str) -> dict[str, Any]:
    """Listens in the place of a daemon, or of an adaptor's server, until stdin ends.

    Whoever connects is sent `answer` when it has sent `until`. ``visitors`` is what each sent.
    """
    os.umask(0)
    visitors: list[str] = []
    reply = HELLO + b"".join(frame(message) for message in answer)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()

    def visit() -> None:
        while True:
            connection, _ = listener.accept()
            data, told = b"", False
            with connection, suppress(OSError):
                while chunk := connection.recv(65536):
                    data += chunk
                    if data == b"the end":
                        return
                    if until.encode() in data and not told:
                        told = True
                        connection.sendall(reply)
            visitors.append(data.decode("utf-8", "replace"))

    thread = threading.Thread(target=visit)
    thread.start()
    announce("listening")
    sys.stdin.read()
    # Who connected before is served before.
    with socket.socket(socket.AF_UNIX) as last:
        last.connect(path)
        last.sendall(b"the end")
        last.shutdown(socket.SHUT_WR)
        thread.join()
    return {"visitors": visitors}


def moments(path: str) -> dict[str, list[str]]:
    """Is told of each thing that is made, at that moment, and tries what can be done with it."""
    os.umask(0)
    found: dict[str, list[str]] = {}
    _be_told(path, lambda made: found.setdefault(made, []).extend(_means(made)))
    return found


def processes(user: int) -> dict[str, str]:
    """What can be seen of the processes of `user`: process id -> arguments and environment."""
    seen = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            if os.stat(f"/proc/{name}").st_uid != user:
                continue
            seen[name] = ""
            for part in ("cmdline", "comm", "environ"):
                with suppress(OSError), open(f"/proc/{name}/{part}", "rb") as file:
                    seen[name] += file.read().replace(b"\0", b" ").decode("utf-8", "replace")
    return seen


def look(path: str) -> dict[str, Any]:
    """Whether something is there, whose it is, and what it says."""
    try:
        status = os.lstat(path)
    except OSError:
        return {"owner": None, "content": None}
    content = None
    with suppress(OSError):
        if stat.S_ISREG(status.st_mode):
            with open(path, encoding="utf-8") as file:
                content = file.read()
    return {"owner": status.st_uid, "content": content}


ACTIONS: dict[str, Callable[..., dict[str, Any]]] = {
    action.__name__: action for action in (send, touch, lay, swap, serve, moments, processes, look)
}

if __name__ == "__main__":
    print(json.dumps(ACTIONS[sys.argv[1]](**json.loads(sys.argv[2]))), flush=True)

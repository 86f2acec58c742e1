"""The attacks: what another user tries, and whether it comes off.

Each is a function of a `Stage` that says what was achieved (None: nothing) and is run twice: on
the runtime as it is, and on copies of it with a protection taken out, where it must come off.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Optional

from .stage import Stage, Started
from .unprotected import PATCHES, Patch

#: What nobody else may learn.
SECRET = "the-secret-of-the-job"
FINAL = {"type": "final", "ok": True, "canceled": False, "error": None, "told": True}
RUN_DATA = json.dumps({"do": f"'{SECRET}'"})

#: The name that the folder of a daemon has had.
_DEAD = "openjd-0123456789abcdef"

_SERVER = """
from openjd.adaptor_runtime.application_ipc import ActionsQueue, AdaptorServer
server = AdaptorServer(ActionsQueue(), adaptor)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("listening at", server.server_path)
"""

Achieved = Optional[str]


class Attack(NamedTuple):
    """One attack.

    Attributes:
        about: what is tried, for the table.
        attempt: tries it.
        removed: the protections without which it comes off, each by itself; names of `PATCHES`,
            several at once with " + " between them.
        anyway: protections that are taken out both times: what is behind them is looked at.
    """

    about: str
    attempt: Callable[[Stage], Achieved]
    removed: Sequence[str]
    anyway: Sequence[str] = ()

    @property
    def name(self) -> str:
        """A name for the test."""
        return self.attempt.__name__ + ("_behind" if self.anyway else "")


def patches(*names: str) -> list[Patch]:
    """The changes of these names, " + " between several."""
    return [PATCHES[name] for group in names for name in group.split(" + ")]


# Sockets.


def _send_before_it_is_accepted(stage: Stage, daemon: Started, path: Path, kind: str) -> Achieved:
    # Frozen: what is sent lies there before the other side can have looked at it.
    os.kill(daemon.pid, signal.SIGSTOP)
    sender = stage.begin_attack("send", path=str(path), request={"type": kind})
    sender.until("sent")
    os.kill(daemon.pid, signal.SIGCONT)
    result = stage.result(sender)
    if result["answer"]:
        return f"was answered with {result['answer'][:12]!r}"
    # Where a socket is closed before everything was read the other end is told so by a reset.
    return None if result["unread"] else "what was sent was read"


def talk_to_the_daemon(stage: Stage) -> Achieved:
    daemon = stage.start()
    stage.open_up(daemon.folder)
    return _send_before_it_is_accepted(stage, daemon, daemon.socket, "status")


def talk_to_the_application_server(stage: Stage) -> Achieved:
    daemon = stage.start(_SERVER)
    stage.open_up(daemon.folder)
    (path,) = daemon.folder.glob("a-*/socket")
    return _send_before_it_is_accepted(stage, daemon, path, "rules")


def connect_to_the_socket(stage: Stage) -> Achieved:
    daemon = stage.start()
    daemon.folder.chmod(0o777)
    means = stage.attack("touch", paths=[str(daemon.socket)])[str(daemon.socket)]
    return "connected" if "connect" in means else None


def _impostor(stage: Stage, path: Path, command: Callable[[], object], until: str) -> Achieved:
    server = stage.begin_attack("serve", path=str(path), answer=[FINAL], until=until)
    server.until("listening")
    command()
    visitors = stage.result(server)["visitors"]
    assert visitors, "nobody came: the attack has not been tried"
    return f"got {len(''.join(visitors))} bytes" if any(visitors) else None


def listen_where_the_variable_says(stage: Stage) -> Achieved:
    path = stage.shared / "socket"
    data = ("--run-data", RUN_DATA)

    def run() -> None:
        command = ("-m", "obedient", "daemon", "run", *data)
        ended = stage.run(*command, OPENJD_ADAPTOR_SOCKET=str(path))
        assert ended.status == 0 or "belongs to another user" in ended.fails(), ended

    return _impostor(stage, path, run, SECRET)


def listen_where_a_daemon_was(stage: Stage) -> Achieved:
    # Its files are gone (somebody has tidied /tmp); its connection file is not, and names are
    # for everybody to see.
    folder = stage.temporary / _DEAD
    stage.own(stage.connection_file, _info(folder / "socket", folder))
    stage.attack("lay", things=[["folder", str(folder), ""]])
    return _impostor(
        stage, folder / "socket", lambda: stage.daemon("run", "--run-data", RUN_DATA), SECRET
    )


_CLIENT = """
import sys
from openjd.adaptor_runtime_client import ClientInterface
class Client(ClientInterface):
    def close(self, args): print("obeys", args["who"])
    def graceful_shutdown(self, signum, frame): pass
try:
    Client(sys.argv[1]).poll()
except Exception as e:
    print(type(e).__name__, e)
"""


def command_the_application(stage: Stage) -> Achieved:
    path = stage.shared / "socket"
    answer = [{"type": "action", "name": "close", "args": {"who": "the attacker"}}]
    server = stage.begin_attack("serve", path=str(path), answer=answer, until="next")
    server.until("listening")
    ended = stage.run("-c", _CLIENT, str(path))
    assert stage.result(server)["visitors"], "nobody came: the attack has not been tried"
    return "its action was performed" if "obeys the attacker" in ended.out else None


# Files.


def _reaches(stage: Stage, paths: Sequence[Path]) -> Achieved:
    found = stage.attack("touch", paths=[str(path) for path in paths])
    can = [f"{' '.join(means)} {os.path.basename(path)}" for path, means in found.items() if means]
    return ", ".join(sorted(can)) or None


def enter_the_private_folder(stage: Stage) -> Achieved:
    daemon = stage.start()
    return _reaches(stage, [daemon.folder, *daemon.folder.iterdir()])


def enter_a_server_s_folder(stage: Stage) -> Achieved:
    daemon = stage.start(_SERVER)
    daemon.folder.chmod(0o777)
    return _reaches(stage, list(daemon.folder.glob("a-*")))


_SPOOL = """
import sys
from openjd.adaptor_runtime._daemon.spool import Spool
Spool(sys.argv[1], memory_limit=1).write(b"output that nobody has read yet\\n")
print("kept", flush=True)
sys.stdin.read()
"""


def open_our_files(stage: Stage) -> Achieved:
    daemon = stage.start(at=stage.shared / "session.json")
    keeper = stage.begin("-c", _SPOOL, str(daemon.folder))
    keeper.until("kept")
    daemon.folder.chmod(0o755)
    files = [path for path in daemon.folder.iterdir() if path.is_file()]
    assert {"crash", "output"} <= {path.name for path in files}, files
    return _reaches(stage, [stage.shared / "session.json", *files])


def be_there_at_the_moment(stage: Stage) -> Achieved:
    place = str(stage.shared / "moments")
    watcher = stage.begin_attack("moments", path=place)
    watcher.until("listening")
    file = stage.shared / "session.json"
    variables = {"SECURITY_TESTS_MOMENTS": place}
    for step in ("start", "run", "stop"):
        ended = stage.daemon(step, at=file, **variables)
        assert ended.status == 0, ended
    moments = stage.result(watcher)
    made = {os.path.basename(path).partition(".")[0].partition("-")[0] for path in moments}
    assert {"openjd", "socket", "crash", "session"} <= made, moments
    can = [
        f"{' '.join(means)} {os.path.basename(path)}" for path, means in moments.items() if means
    ]
    return ", ".join(can) or None


# What is there before us.


def _occupy(stage: Stage, kinds: Sequence[str]) -> Achieved:
    target = stage.victims("precious", "precious")
    absent = stage.private / "absent"
    for number, kind in enumerate(kinds):
        path = stage.shared / f"{number}.json"
        if kind == "hard link":
            # Many systems do not let the attacker make one; as if this one did.
            os.link(target, path)
        else:
            argument = {"link": target, "dangling link": absent}.get(kind, "{}")
            kind = kind.replace("dangling ", "")
            stage.attack("lay", things=[[kind, str(path), str(argument)]])
        ended = stage.daemon("start", at=path)
        if target.read_text() != "precious":
            return "the victim's file was written over"
        if absent.exists():
            return "a file of the attacker's choice was made"
        assert ended.status == 1 and "exists already" in ended.fails(), ended
    return None


def take_the_connection_file_s_place(stage: Stage) -> Achieved:
    return _occupy(stage, ["link", "dangling link", "hard link", "file", "folder", "fifo"])


def take_it_after_the_look(stage: Stage) -> Achieved:
    return _occupy(stage, ["dangling link", "link"])


def read_what_is_written_into_a_file_of_theirs(stage: Stage) -> Achieved:
    path = stage.shared / "notes"
    stage.attack("lay", things=[["file", str(path), ""]])
    stage.run("-c", _WRITE, str(path), SECRET)
    return "read it" if SECRET in (stage.attack("look", path=str(path))["content"] or "") else None


_WRITE = """
import sys
from openjd.adaptor_runtime._utils import secure_open
with secure_open(sys.argv[1], "w") as file:
    file.write(sys.argv[2])
"""


def lead_a_write_astray(stage: Stage) -> Achieved:
    target = stage.victims("precious", "precious")
    path = stage.shared / "notes"
    stage.attack("lay", things=[["link", str(path), str(target)]])
    stage.run("-c", _WRITE, str(path), "other words")
    return None if target.read_text() == "precious" else "the victim's file was written over"


def squat_the_private_folder(stage: Stage) -> Achieved:
    guess = stage.temporary / ("openjd-" + 16 * "0")
    stage.attack("lay", things=[["folder", str(guess), ""]])
    ended = stage.daemon("start")
    if ended.status:
        assert "cannot be used (File exists)" in ended.fails(), ended
        return None
    folder = Path(json.loads(stage.connection_file.read_text())["folder"])
    return "it is the attacker's" if folder.stat().st_uid == stage.world.attacker else None


# Connection files and folders of others.


def _info(socket: Path, folder: Path) -> str:
    info = {"socket": str(socket), "pid": os.getpid(), "folder": str(folder), "started": "0"}
    return json.dumps(info)


def _another_session(stage: Stage) -> Path:
    """The folder of another session of the victim's, with output that nobody has read."""
    folder = stage.temporary / "openjd-fedcba9876543210"
    folder.mkdir()
    os.chown(folder, stage.world.victim, stage.world.victim)
    stage.own(folder / "output", "of another session")
    return folder


def _is_spoilt(folder: Path) -> Achieved:
    if not (folder / "output").exists():
        return "another session's output was removed"
    # For the look at what is left behind.
    (folder / "output").unlink()
    folder.rmdir()
    return None


def name_another_session_s_folder(stage: Stage) -> Achieved:
    folder = _another_session(stage)
    path = stage.shared / "session.json"
    content = _info(stage.shared / "nobody", folder)
    stage.attack("lay", things=[["file", str(path), content]])
    ended = stage.daemon("stop", at=path)
    assert ended.status == 0 or "another user" in ended.fails(), ended
    return _is_spoilt(folder)


def exchange_the_connection_file(stage: Stage) -> Achieved:
    folder = _another_session(stage)
    path, place = stage.shared / "session.json", stage.shared / "looks"
    stage.own(path, _info(stage.private / "nobody", stage.private / _DEAD))
    content = _info(stage.shared / "nobody", folder)
    swapper = stage.begin_attack("swap", path=str(path), content=content, place=str(place))
    swapper.until("listening")
    looks = {"SECURITY_TESTS_LOOKS": str(place), "SECURITY_TESTS_AT": str(path)}
    stage.daemon("stop", at=path, **looks)
    assert stage.result(swapper)["looks"], "nobody looked: the attack has not been tried"
    return _is_spoilt(folder)


def link_to_another_session_s_file(stage: Stage) -> Achieved:
    daemon = stage.start()
    path = stage.shared / "session.json"
    stage.attack("lay", things=[["link", str(path), str(stage.connection_file)]])
    ended = stage.daemon("stop", at=path)
    if not stage.connection_file.exists():
        return "another session was stopped"
    assert "another user" in ended.fails(), ended
    assert daemon.socket.exists()
    return None


_WAIT = """
import os, sys
from openjd.adaptor_runtime import _platform
print(_platform.start_time(os.getpid()) + ".", flush=True)
sys.stdin.read()
"""


def make_the_folder_of_a_daemon_that_is_gone(stage: Stage) -> Achieved:
    precious = stage.victims("precious", SECRET)
    application = stage.begin("-c", _WAIT)
    started = application.until(".").strip(".\n")
    record = stage.victims("record", f"application {application.pid} {started}\n")
    folder = stage.temporary / _DEAD
    at = stage.private / "dead.json"
    stage.own(at, _info(folder / "socket", folder))
    stage.attack(
        "lay",
        things=[
            ["folder", str(folder), ""],
            ["link", str(folder / "crash"), str(precious)],
            ["link", str(folder / "processes"), str(record)],
        ],
    )
    ended = stage.daemon("stop", at=at)
    achieved = []
    if SECRET in ended.text:
        achieved.append("the log shows the victim's file")
    if application.process.poll() is not None:
        achieved.append("another session's application was killed")
    return ", ".join(achieved) or None


def have_files_removed_through_a_link(stage: Stage) -> Achieved:
    other = _another_session(stage)
    folder = stage.temporary / _DEAD
    stage.own(stage.connection_file, _info(folder / "socket", folder))
    link = ["link", str(folder / "a-1"), str(other)]
    stage.attack("lay", things=[["folder", str(folder), ""], link])
    stage.daemon("stop")
    return _is_spoilt(other)


def make_its_twin_in_the_other_temporary_folder(stage: Stage) -> Achieved:
    other = _another_session(stage)
    # Without a temporary folder of its own there are two in which a daemon's may be.
    daemon = stage.start(TMPDIR="")
    twin = Path("/var/tmp", daemon.folder.name)
    link = ["link", str(twin / "a-1"), str(other)]
    stage.attack("lay", things=[["folder", str(twin), ""], link])
    try:
        ended = stage.daemon("stop")
        assert ended.status == 0, ended
    finally:
        shutil.rmtree(twin, ignore_errors=True)
        shutil.rmtree(daemon.folder, ignore_errors=True)
    return _is_spoilt(other)


# The process list.

_APPLICATION = """
from openjd.adaptor_runtime.process import LoggingSubprocess
started = LoggingSubprocess(args=[sys.executable, "-c", "import signal; signal.pause()"])
"""
_WHILE_IT_RUNS = """
print("here", flush=True)
sys.stdin.readline()
"""


def read_the_process_list(stage: Stage) -> Achieved:
    rule = {"source_path_format": "POSIX", "source_path": f"/{SECRET}", "destination_path": "/x"}
    data: dict[str, dict[str, object]] = {
        "init-data": {"start": _APPLICATION, "stop": "started.terminate(0)", "note": SECRET},
        "path-mapping-rules": {"version": "pathmapping-1.0", "path_mapping_rules": [rule]},
        "run-data": {"do": _WHILE_IT_RUNS, "note": SECRET},
    }
    given = {
        name: [f"--{name}", f"file://{stage.victims(name, json.dumps(content))}"]
        for name, content in data.items()
    }
    start = [*given["init-data"], *given["path-mapping-rules"]]
    ended = stage.daemon("start", *start)
    assert ended.status == 0, ended
    ended = stage.daemon("run", *given["run-data"])
    assert ended.status == 0, ended
    # The command for one task, with what that starts, beside it.
    foreground = stage.begin("-m", "obedient", "run", *start, *given["run-data"])
    foreground.until("here")
    seen = stage.attack("processes", user=stage.world.victim)
    assert len(seen) >= 4, f"somebody is missing: {seen}"
    # Nor does the environment have it, which applications print for everybody.
    own = [" ".join([*p.cmdline(), *p.environ().values()]) for p in stage.processes()]
    for text in (*seen.values(), *own):
        if SECRET in text:
            return f"it stands in {text[:60]!r}"
    return None


_ONE_STEP = "start does not look whether the file is there"
_OTHER_STEP = "the connection file is written over what is there"

ATTACKS = [
    Attack(
        "send frames to the daemon, its folder and socket open to all",
        talk_to_the_daemon,
        [
            "who connects is not asked for its user",
            "who connects is refused after a look at what it sent",
        ],
    ),
    Attack(
        "send frames to the application's server, open to all",
        talk_to_the_application_server,
        [
            "who connects is not asked for its user",
            "who connects is refused after a look at what it sent",
        ],
    ),
    Attack(
        "connect to the daemon's socket, its folder open to all",
        connect_to_the_socket,
        ["the socket's mode is left to the umask"],
    ),
    Attack(
        "be the daemon that OPENJD_ADAPTOR_SOCKET names",
        listen_where_the_variable_says,
        ["who listens is not asked for its user"],
    ),
    Attack(
        "be the daemon of a connection file whose daemon is gone",
        listen_where_a_daemon_was,
        ["who listens is not asked for its user"],
    ),
    Attack(
        "give the application its actions",
        command_the_application,
        ["who listens is not asked for its user"],
    ),
    Attack(
        "enter the private folder and open what is in it",
        enter_the_private_folder,
        ["the private folder's mode is left to the umask"],
    ),
    Attack(
        "enter a server's folder, the private folder open to all",
        enter_a_server_s_folder,
        ["a server's folder has the umask's mode"],
    ),
    Attack(
        "open connection file, output, crash dump and record, the folder open to all",
        open_our_files,
        ["files are created with the umask's mode + a file that was there keeps its mode"],
    ),
    Attack(
        "open each file and folder at the moment at which it is made",
        be_there_at_the_moment,
        [
            "files are created with the umask's mode",
            "the private folder is made private afterwards",
        ],
    ),
    Attack(
        "a file, link, folder or pipe in the connection file's place, before 'start'",
        take_the_connection_file_s_place,
        [f"{_ONE_STEP} + {_OTHER_STEP}"],
    ),
    Attack(
        "the same, after 'start' has looked",
        take_it_after_the_look,
        [_OTHER_STEP],
        [_ONE_STEP],
    ),
    Attack(
        "read what is written into a file that was there before",
        read_what_is_written_into_a_file_of_theirs,
        ["a file that was there keeps its mode"],
    ),
    Attack(
        "lead a write into another file with a link",
        lead_a_write_astray,
        ["links are followed"],
    ),
    Attack(
        "make the private folder first",
        squat_the_private_folder,
        ["the private folder's name is known + the private folder may be there already"],
    ),
    Attack(
        "the same, with the name known",
        squat_the_private_folder,
        ["the private folder may be there already"],
        ["the private folder's name is known"],
    ),
    Attack(
        "have another session's files removed: a connection file that names its folder",
        name_another_session_s_folder,
        [
            "another user's connection file is read"
            " + the connection file's owner is looked at beforehand"
        ],
    ),
    Attack(
        "the same, put in the place of the victim's while that is read",
        exchange_the_connection_file,
        ["the connection file's owner is looked at beforehand"],
    ),
    Attack(
        "have another session stopped: a link to its connection file",
        link_to_another_session_s_file,
        ["another user's link is followed to a connection file"],
    ),
    Attack(
        "make a dead daemon's folder anew, with links to crash dump and record",
        make_the_folder_of_a_daemon_that_is_gone,
        ["a folder is ours by its name alone"],
    ),
    Attack(
        "the same, with a link to a folder with files to remove",
        have_files_removed_through_a_link,
        ["links in a folder are followed"],
        ["a folder is ours by its name alone"],
    ),
    Attack(
        "the same, in the temporary folder that a living daemon does not use",
        make_its_twin_in_the_other_temporary_folder,
        ["a folder is ours by its name alone + links in a folder are followed"],
    ),
    Attack(
        "find init data, run data or path mapping rules in the process list",
        read_the_process_list,
        ["init data go through the arguments"],
    ),
]

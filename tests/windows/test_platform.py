"""The platform on Windows: private files, process trees, signals."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import psutil
import pytest

if sys.platform != "win32":
    pytest.skip(
        "jobs, access lists and console events are things of Windows", allow_module_level=True
    )

import _winapi
import ctypes

from bounded import LIMIT, Child, Task

from openjd.adaptor_runtime import _platform
from openjd.adaptor_runtime._daemon import connection_file
from openjd.adaptor_runtime._platform import windows
from openjd.adaptor_runtime_client import _win32
from openjd.adaptor_runtime_client.wire import _windows

from . import security

PROCESS_ALL_ACCESS = 0x1FFFFF
JOB_BREAKAWAY_OK = 0x0800
JOB_KILL_ON_CLOSE = 0x2000


@pytest.fixture
def folder() -> Iterator[str]:
    """A private folder, removed at the end with what is in it."""
    path = _platform.make_private_folder()
    yield path
    for name in os.listdir(path):
        os.unlink(os.path.join(path, name))
    os.rmdir(path)


def test_private_folder(folder: str) -> None:
    """The folder is in the temporary folder; nobody but this user may do anything with it, and
    what is made in it inherits that."""
    assert os.path.dirname(folder) == os.environ["TMPDIR"]
    assert re.fullmatch(r"openjd-[0-9a-f]{16}", os.path.basename(folder))
    assert security.of(folder) == security.owner_only("OICI")


def test_private_folder_in_another(folder: str) -> None:
    """A folder within a private folder is as private."""
    path = _platform.make_private_folder(folder)
    assert os.path.dirname(path) == folder
    assert security.of(path) == security.owner_only("OICI")
    os.rmdir(path)


def test_folder_of_a_pipe(folder: str) -> None:
    """Whoever knows the pipe of a dead daemon alone finds the folder that it has left."""
    listener = _windows.Listener(folder)
    assert _platform.folder_of(listener.address) == folder
    listener.close()


def test_private_folder_is_private_from_the_first_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The access list is given where the folder is made, not set afterwards."""
    calls = []
    monkeypatch.setattr(windows, "_CreateDirectory", lambda *args: calls.append(args))
    path = _platform.make_private_folder()
    ((made, attributes),) = calls
    assert made == path
    assert attributes._obj.descriptor == _win32.owner_only("OICI").descriptor


def test_private_folder_where_TMPDIR_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without TMPDIR, which Windows does not know, it is the system's temporary folder."""
    monkeypatch.delenv("TMPDIR")
    folder = _platform.make_private_folder()
    assert os.path.samefile(os.path.dirname(folder), os.environ["TMP"])
    os.rmdir(folder)


def test_private_folder_cannot_be_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A temporary folder that cannot be used is named, with what to do about it."""
    missing = str(tmp_path / "missing")
    monkeypatch.setenv("TMPDIR", missing)
    with pytest.raises(OSError, match="set TMPDIR or TEMP to a folder you can write") as caught:
        _platform.make_private_folder()
    assert missing in str(caught.value)


@pytest.mark.parametrize("mode", ["x", "w", "a", "w+", "a+", "x+b"])
def test_private_file(tmp_path: Path, mode: str) -> None:
    """Whichever way it is created, the file is its owner's alone."""
    path = str(tmp_path / "file")
    with open(path, mode, opener=_platform.private_opener) as file:
        assert security.of(path) == security.owner_only()
        file.write(b"text" if "b" in mode else "text")
    assert Path(path).read_bytes() == b"text"


@pytest.mark.parametrize("mode", ["w", "a", "r+"])
def test_file_that_was_there_before(tmp_path: Path, mode: str) -> None:
    """What is opened for writing becomes private where opening might have created it, and its
    content is treated as the mode says."""
    path = tmp_path / "file"
    path.write_text("old.")
    before = security.of(str(path))
    with open(path, mode, opener=_platform.private_opener) as file:
        file.write("new")
    assert path.read_text() == {"w": "new", "a": "old.new", "r+": "new."}[mode]
    assert security.of(str(path)) == (before if mode == "r+" else security.owner_only())


def test_modes_are_respected(tmp_path: Path) -> None:
    """ "x" fails on what exists, "r" on what does not; the error names the file."""
    path = str(tmp_path / "file")
    with pytest.raises(FileNotFoundError) as caught:
        os.close(_platform.private_opener(path, os.O_RDONLY))
    assert caught.value.filename == path
    Path(path).write_text("old")
    with pytest.raises(FileExistsError) as caught:
        os.close(_platform.private_opener(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    assert caught.value.filename == path
    with open(path, opener=_platform.private_opener) as file:
        assert file.read() == "old"
        with pytest.raises(OSError, match="not writable"):
            file.write("x")
    with pytest.raises(PermissionError):
        os.close(_platform.private_opener(str(tmp_path), os.O_WRONLY | os.O_CREAT))


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A file that would be created is not written through a link that somebody laid there."""
    target = tmp_path / "target"
    target.write_text("precious")
    link = tmp_path / "link"
    try:
        link.symlink_to(target)
    except OSError as e:
        pytest.skip(f"this user may not make links: {e}")
    with pytest.raises(OSError, match="it is a link") as caught:
        os.close(_platform.private_opener(str(link), os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
    assert caught.value.errno == errno.ELOOP
    assert target.read_text() == "precious"


def test_file_can_be_removed_while_it_is_read(folder: str) -> None:
    """A reader does not keep the file's owner from removing it, nor from writing to it."""
    path = os.path.join(folder, "file")
    with open(path, "x", opener=_platform.private_opener) as file:
        file.write("text")
    with open(path, opener=_platform.private_opener) as reader:
        with open(path, "a", opener=_platform.private_opener) as writer:
            writer.write(" and more")
        os.unlink(path)
        assert reader.read() == "text and more"
    assert not os.path.exists(path)


def test_descriptors_are_not_inherited(tmp_path: Path) -> None:
    """A private file's descriptor stays in this process."""
    with open(tmp_path / "file", "x", opener=_platform.private_opener) as file:
        assert not os.get_inheritable(file.fileno())


def test_belongs_to_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file belongs to us if we own it, or our group of administrators does while we act as
    such; nobody else's does."""
    path = str(tmp_path / "file")
    with open(path, "x", opener=_platform.private_opener):
        pass
    assert _platform.belongs_to_us(path)
    user = _win32.user_sid()
    monkeypatch.setattr(_win32, "user_sid", lambda: "S-1-5-18")
    monkeypatch.setattr(_win32, "token_sid", lambda process, kind: user)
    assert _platform.belongs_to_us(path)
    monkeypatch.setattr(_win32, "token_sid", lambda process, kind: "S-1-5-18")
    assert not _platform.belongs_to_us(path)
    with pytest.raises(FileNotFoundError):
        _platform.belongs_to_us(path + "x")


def test_own_opener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It opens what belongs to us, and no file that is another user's; others may remove and
    write it meanwhile."""
    path = str(tmp_path / "file")
    with open(path, "x", opener=_platform.private_opener) as file:
        file.write("text")
    with open(path, opener=_platform.own_opener) as reader:
        with open(path, "a", opener=_platform.private_opener):
            pass
        os.unlink(path)
        assert reader.read() == "text"
    Path(path).write_text("theirs")
    monkeypatch.setattr(_win32, "user_sid", lambda: "S-1-5-18")
    monkeypatch.setattr(_win32, "token_sid", lambda process, kind: "S-1-5-18")
    with pytest.raises(PermissionError, match="no file of this user's") as caught:
        os.close(_platform.own_opener(path, os.O_RDONLY))
    assert caught.value.filename == path
    os.unlink(path)  # nobody has it open
    assert not os.path.exists(path)


def test_system_config_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site configures adaptors below %PROGRAMDATA%."""
    monkeypatch.setenv("PROGRAMDATA", "D:\\Data")
    assert _platform.system_config_folder() == "D:\\Data\\openjd"


def test_process_handle() -> None:
    """A handle waits for the end of the process it was made for, as long as it is told to."""
    with Child("import sys; print('up', flush=True); sys.stdin.readline()") as child:
        child.expect("up")
        handle = _platform.ProcessHandle(child.pid)
        assert not handle.wait(0)
        assert not handle.wait(0.01)
        child.say("go")
        assert handle.wait(LIMIT)
        assert handle.wait(None)
        handle.close()
        handle.close()
        with pytest.raises(ProcessLookupError):
            # Its id is still held here, by Popen.
            _platform.ProcessHandle(child.pid)
    with pytest.raises(ProcessLookupError):
        _platform.ProcessHandle(0x7FFFFFF0)


#: Says the process id of a child of its, and waits.
PARENT = """
    import subprocess, sys
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.readline()"], stdin=subprocess.PIPE
    )
    print(child.pid, flush=True)
    sys.stdin.readline()
"""


def test_start_time() -> None:
    """It names a process for as long as that lives; who has ended has none, though its id is
    still held, and neither has what never was a process."""
    own = _platform.start_time(os.getpid())
    assert own == _platform.start_time(os.getpid())
    assert own.isascii() and own.isdigit()
    with Child("import sys; print('up', flush=True); sys.stdin.readline()") as child:
        child.expect("up")
        assert int(_platform.start_time(child.pid)) > int(own)
        child.kill()
        with pytest.raises(ProcessLookupError):
            _platform.start_time(child.pid)  # Popen holds it.
    for pid in (0x7FFFFFF0, 1 << 80):
        with pytest.raises(ProcessLookupError):
            _platform.start_time(pid)


def test_await_process() -> None:
    """The end of exactly that process is waited for, as long as one may."""
    with Child("import sys; print('up', flush=True); sys.stdin.readline()") as child:
        child.expect("up")
        started = _platform.start_time(child.pid)
        assert not _platform.await_process(child.pid, started, 0)
        assert not _platform.await_process(child.pid, started, 0.01)
        assert _platform.await_process(child.pid, str(int(started) + 1), LIMIT)
        child.say("go")
        assert _platform.await_process(child.pid, started, LIMIT)
        assert _platform.await_process(child.pid, started, LIMIT)


def test_end_process() -> None:
    """Exactly that process is ended, with what it has started; it has ended on return."""
    with Child(PARENT) as child:
        grandchild = psutil.Process(int(child.line() or 0))
        started = _platform.start_time(child.pid)
        assert not _platform.end_process(child.pid, str(int(started) + 1))
        assert child.process.poll() is None
        assert _platform.end_process(child.pid, started)
        assert child.process.poll() == 1
        grandchild.wait(LIMIT)
        assert not _platform.end_process(child.pid, started)
    assert not _platform.end_process(0x7FFFFFF0, started)


def test_kill_detached() -> None:
    """A daemon that did not get ready is killed, with what it has started."""
    code = "from openjd.adaptor_runtime import _platform\n_platform.contain_descendants()\n"
    code += textwrap.dedent(PARENT)
    with Child(code, **_platform.detached_options()) as child:
        grandchild = psutil.Process(int(child.line() or 0))
        _platform.kill_detached(child.process)
        child.process.wait(LIMIT)
        grandchild.wait(LIMIT)


#: A process that contains what it starts: an application in a tree of its own, which has a
#: child, and a process that is detached from everything. It says their process ids.
CONTAINING = """
    import atexit, subprocess, sys
    from openjd.adaptor_runtime import _platform
    {before}
    _platform.contain_descendants()
    _platform.contain_descendants()
    def start(code, **options):
        return subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options
        )
    wait = "import sys; sys.stdin.readline()"
    application = start(
        "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', "
        + repr(wait) + "], stdin=subprocess.PIPE); print(p.pid, flush=True); " + wait,
        **_platform.own_group_options(),
    )
    tree = _platform.ProcessTree(application)
    child = int(application.stdout.readline())
    detached = start(wait, **_platform.detached_options())
    atexit.register(lambda: print("at exit", flush=True))
    print(application.pid, child, detached.pid, flush=True)
    sys.stdin.readline()
    sys.exit(7)
"""


@pytest.mark.parametrize("how", ["killed", "ended"])
def test_what_a_contained_process_has_started_dies_with_it(how: str) -> None:
    """Whether it is killed or ends in good order, with its own exit status and with what it does
    at its end: all that it has started is gone, however detached."""
    with Child(CONTAINING.format(before="")) as child:
        started = [psutil.Process(int(pid)) for pid in (child.line() or "").split()]
        assert len(started) == 3
        if how == "killed":
            child.kill()
        else:
            child.say("end")
            child.expect("at exit")
            assert child.process.wait(LIMIT) == 7
        for process in started:
            process.wait(LIMIT)


def test_a_tree_in_a_contained_process() -> None:
    """A tree there is killed for itself; the rest lives on."""
    killing = "tree.kill()\n    print(tree.is_gone(), flush=True)\n    sys.stdin.readline()"
    code = CONTAINING.format(before="").replace("sys.exit(7)", killing)
    with Child(code) as child:
        pids = [int(pid) for pid in (child.line() or "").split()]
        application, its_child, detached = map(psutil.Process, pids)
        child.say("kill")
        child.expect("True")
        application.wait(LIMIT)
        its_child.wait(LIMIT)
        assert detached.is_running()
        child.kill()
        detached.wait(LIMIT)


def test_a_job_that_lets_no_other_hold_its_processes() -> None:
    """Where the process cannot be put into a job of its own, it goes on without."""
    before = """
    from openjd.adaptor_runtime._platform import windows
    assign = windows._AssignProcessToJob
    def refuse(job, process):
        if process == windows._winapi.GetCurrentProcess():
            raise PermissionError(13, "Access denied")
        return assign(job, process)
    windows._AssignProcessToJob = refuse
    """
    with Child(CONTAINING.format(before=before.strip())) as child:
        application, its_child, detached = map(
            psutil.Process, map(int, (child.line() or "").split())
        )
        child.say("end")
        child.expect("at exit")
        # The tree holds the application; the end of its stdin, the other.
        for process in (application, its_child, detached):
            process.wait(LIMIT)
        assert child.process.wait(LIMIT) == 7


@pytest.fixture
def changes() -> SimpleQueue[str]:
    """What a PathWatch has called."""
    return SimpleQueue()


@pytest.mark.parametrize("how", ["removed", "renamed", "replaced"])
def test_a_watched_file(tmp_path: Path, changes: SimpleQueue[str], how: str) -> None:
    """What becomes of the file is told, in a thread of the watch's own."""
    path, other = tmp_path / "file", tmp_path / "other"
    path.write_text("old")
    other.write_text("new")
    watch = _platform.path_watch([str(path)], lambda: changes.put(threading.current_thread().name))
    if how == "removed":
        path.unlink()
    elif how == "renamed":
        path.rename(tmp_path / "elsewhere")
    else:
        os.replace(other, path)
    assert changes.get(timeout=LIMIT) != threading.main_thread().name
    watch.close()
    watch.close()


def test_what_happens_beside_a_watched_file(tmp_path: Path, changes: SimpleQueue[str]) -> None:
    """Other files of the same folder come and go, and nobody is told: who looked at the watched
    one then would keep others from replacing it."""
    path, other = tmp_path / "File", tmp_path / "other"
    path.write_text("")
    watch = _platform.path_watch([str(path).upper()], lambda: changes.put("changed"))
    for _ in range(20):
        other.write_text("")
        other.unlink()
    path.unlink()
    changes.get(timeout=LIMIT)  # after all that was before it
    assert changes.empty()
    watch.close()


def test_a_flood_beside_a_watched_file(tmp_path: Path, changes: SimpleQueue[str]) -> None:
    """More changes than the system keeps in mind do not hide the one that matters."""
    path, others = tmp_path / "file", tmp_path / "others"
    path.write_text("")
    others.mkdir()
    looked = threading.Event()

    def change() -> None:
        changes.put("changed")
        assert looked.wait(LIMIT)

    watch = _platform.path_watch([str(path), str(others)], change)
    others.rmdir()
    changes.get(timeout=LIMIT)
    # The watch is held up now.
    for number in range(500):
        (tmp_path / f"{number}, one of many files with a long name").write_text("")
    path.unlink()
    looked.set()
    changes.get(timeout=LIMIT)
    watch.close()


def test_watched_folders_can_be_removed(tmp_path: Path, changes: SimpleQueue[str]) -> None:
    """A watch does not keep a folder, nor those around it, from being removed with all that is
    in them, and tells each time that something is gone."""
    folder = tmp_path / "session" / "work"
    folder.mkdir(parents=True)
    file = folder / "file"
    file.write_text("")
    watch = _platform.path_watch([str(file), str(folder)], lambda: changes.put("changed"))
    file.unlink()
    changes.get(timeout=LIMIT)
    folder.rmdir()
    while folder.exists():
        changes.get(timeout=LIMIT)
    folder.parent.rmdir()
    # Gone when the watch, which has seen that there is nothing left to watch, lets go of it.
    while list(tmp_path.iterdir()):
        changes.get(timeout=LIMIT)
    watch.close()


def test_a_watch_may_be_closed_by_what_it_calls(tmp_path: Path) -> None:
    """The callback may close it; it is not called after that."""
    path, closed = tmp_path / "file", threading.Event()
    path.write_text("")
    watches: list[windows.PathWatch] = []

    def close() -> None:
        watches[0].close()
        closed.set()

    watches.append(windows.PathWatch([str(path)], close))
    path.unlink()
    assert closed.wait(LIMIT)


def test_what_cannot_be_watched(tmp_path: Path) -> None:
    """Where no folder can be watched that is said, with its name; else those that can be are."""
    missing, there = str(tmp_path / "missing" / "file"), tmp_path / "there"
    with pytest.raises(FileNotFoundError) as caught:
        _platform.path_watch([missing], print)
    assert caught.value.filename == os.path.dirname(missing)
    changed = threading.Event()
    there.write_text("")
    watch = _platform.path_watch([missing, str(there)], changed.set)
    there.unlink()
    assert changed.wait(LIMIT)
    watch.close()


def test_connection_file_replaced_under_a_reader(tmp_path: Path) -> None:
    """Whoever has the connection file open does not keep it from being removed. Replaced it is
    between two readers, and each reads one of the files, whole."""
    path = str(tmp_path / "session.json")
    infos = [
        connection_file.ConnectionInfo(f"pipe {n}", n, "1" * 5000, str(tmp_path)) for n in (1, 2)
    ]
    connection_file.write(path, infos[0])
    with open(path, opener=_platform.own_opener) as reader:
        first = reader.read(100)
        connection_file.remove(path, infos[0])
        assert json.loads(first + reader.read())["pid"] == 1
    assert not os.path.exists(path)
    connection_file.write(path, infos[0])
    stop = threading.Event()

    def replace() -> int:
        count = 0
        while not stop.is_set():
            connection_file.write(f"{path}.{count}", infos[count % 2])
            while True:
                try:
                    os.replace(f"{path}.{count}", path)
                    break
                except PermissionError:
                    pass  # At this moment somebody has it open.
            count += 1
        return count

    replacing = Task(replace)
    try:
        seen = {connection_file.read(path).pid for _ in range(300)}
    finally:
        stop.set()
    assert replacing.result() > 1
    assert seen == {1, 2}


@pytest.mark.parametrize(
    "flags",
    [0, subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW],
    ids=["plain", "detached"],
)
@pytest.mark.parametrize("how", ["kill", "close"])
def test_tree_takes_grandchildren(how: str, flags: int) -> None:
    """Killing a tree, and letting go of it, end also what its processes have started."""
    with Child(
        f"""
        import subprocess, sys
        grandchild = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.readline()"],
            stdin=subprocess.PIPE, creationflags={flags},
        )
        print(grandchild.pid, flush=True)
        sys.stdin.readline()
        """,
        **_platform.own_group_options(),
    ) as child:
        tree = _platform.ProcessTree(child.process)
        grandchild = psutil.Process(int(child.line() or 0))
        assert not tree.is_gone()
        getattr(tree, how)()
        child.process.wait(LIMIT)
        grandchild.wait(LIMIT)
        assert tree.is_gone()
        tree.kill()
        tree.close()
        tree.close()


def test_nothing_runs_before_the_tree_has_it() -> None:
    """The application's first instruction is after its tree has taken charge: however slow that
    is, nothing that it starts can escape."""
    with Child("print('up', flush=True)", **_platform.own_group_options()) as child:
        with pytest.raises(subprocess.TimeoutExpired):
            child.process.wait(1)
        tree = _platform.ProcessTree(child.process)
        child.expect("up")
        assert child.end()[0] == 0
        assert tree.is_gone()
        tree.close()


def test_tree_whose_first_process_has_ended() -> None:
    """A process that the application left behind is still the tree's."""
    with Child(
        """
        import os, subprocess, sys
        left = subprocess.Popen(
            [sys.executable, "-c", "import threading; threading.Event().wait()"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        print(left.pid, flush=True)
        """,
        **_platform.own_group_options(),
    ) as child:
        tree = _platform.ProcessTree(child.process)
        left = psutil.Process(int(child.line() or 0))
        child.process.wait(LIMIT)
        assert not tree.is_gone()
        tree.kill()
        left.wait(LIMIT)
        assert tree.is_gone()
        tree.close()


def test_tree_takes_who_was_there_before_the_job() -> None:
    """A process that was started before the tree took charge is killed with the rest."""
    with Child(
        """
        import subprocess, sys
        grandchild = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.readline()"], stdin=subprocess.PIPE
        )
        print(grandchild.pid, flush=True)
        sys.stdin.readline()
        """
    ) as child:
        grandchild = psutil.Process(int(child.line() or 0))
        tree = _platform.ProcessTree(child.process)
        tree.kill()
        child.process.wait(LIMIT)
        grandchild.wait(LIMIT)
        tree.close()


def test_tree_dies_with_its_keeper() -> None:
    """When the process that holds a tree is killed, the tree goes with it."""
    with Child(
        """
        import subprocess, sys
        from openjd.adaptor_runtime import _platform
        child = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.readline()"],
            stdin=subprocess.PIPE, **_platform.own_group_options()
        )
        tree = _platform.ProcessTree(child)
        print(child.pid, flush=True)
        sys.stdin.readline()
        """
    ) as keeper:
        application = psutil.Process(int(keeper.line() or 0))
        keeper.kill()
        application.wait(LIMIT)


def test_tree_of_a_process_that_has_ended() -> None:
    """A tree whose process has ended already has nothing to do, and says nothing."""
    with Child("pass") as child:
        child.end()
        tree = _platform.ProcessTree(child.process)
        assert tree.is_gone()
        tree.notify()
        tree.kill()
        tree.close()
        assert tree.is_gone()


def test_notice_reaches_the_group_and_nobody_else() -> None:
    """CTRL_BREAK comes to the process and to those of its group, and not to the sender."""
    report = (
        "import signal, sys, time; "
        "signal.signal(signal.SIGBREAK, lambda *_: (print(sys.argv[1], flush=True), sys.exit())); "
    )
    wait = "[time.sleep(0.05) for _ in range(2000)]"
    with Child(
        f"""
        import subprocess
        {report}
        code = {report + "print('up', flush=True); " + wait!r}
        child = subprocess.Popen(
            [sys.executable, "-c", code, "child"], stdout=subprocess.PIPE, text=True
        )
        child.stdout.readline()
        print("up", flush=True)
        try:
            {wait}
        finally:
            print(child.stdout.readline().strip(), flush=True)
        """,
        "parent",
        **_platform.own_group_options(),
    ) as child:
        tree = _platform.ProcessTree(child.process)
        child.expect("up")
        tree.notify()
        child.expect("parent")
        child.expect("child")
        assert child.end()[0] == 0
        tree.close()


SIGNALS = """
    import sys
    from _queue import SimpleQueue
    from openjd.adaptor_runtime._platform import on_cancel_signals
    events = SimpleQueue()
    on_cancel_signals(lambda: events.put("signal"))
    print("up", flush=True)
    while True:
        print(events.get(), flush=True)
"""


def test_signals_while_the_main_thread_waits() -> None:
    """CTRL_BREAK is seen although the main thread sits in a queue, each time it comes."""
    with Child(SIGNALS, creationflags=subprocess.CREATE_NEW_PROCESS_GROUP) as child:
        child.expect("up")
        for _ in range(3):
            windows._GenerateConsoleCtrlEvent(1, child.pid)
            child.expect("signal")


@pytest.mark.parametrize(
    ("kind", "expected"), [(0, True), (1, True), (5, False)], ids=["CTRL_C", "CTRL_BREAK", "LOGOFF"]
)
def test_which_events_cancel(monkeypatch: pytest.MonkeyPatch, kind: int, expected: bool) -> None:
    """CTRL_C and CTRL_BREAK cancel; that some user has logged off does not."""
    handlers, called = [], []
    monkeypatch.setattr(_win32, "on_console_event", handlers.append)
    _platform.on_cancel_signals(lambda: called.append(kind))
    assert handlers[0](kind) is expected
    assert called == ([kind] if expected else [])


def test_closing_the_console_leaves_time_to_end() -> None:
    """The system kills a process as soon as its handler of CTRL_CLOSE returns: it does not
    before the process has done what it does at its end."""
    with Child(
        """
        import atexit, sys, threading
        from openjd.adaptor_runtime_client import _win32
        handlers = []
        _win32.on_console_event = handlers.append
        from openjd.adaptor_runtime import _platform
        called = threading.Event()
        _platform.on_cancel_signals(called.set)
        system = threading.Thread(target=handlers[0], args=(2,), daemon=True)
        atexit.register(lambda: print("at exit", system.is_alive(), flush=True))
        system.start()
        called.wait()
        """
    ) as child:
        child.expect("at exit True")
        assert child.end() == (0, "", "")


def test_detached_process_survives_and_inherits_nothing() -> None:
    """A detached process outlives its parent, has a console of its own, and holds no handle of
    its parent's open but the standard streams that it was given."""
    with Child(
        """
        import os, subprocess, sys
        from openjd.adaptor_runtime import _platform
        reader, writer = os.pipe()
        os.set_inheritable(writer, True)
        code = "import sys; print('up', flush=True); sys.stdin.readline()"
        daemon = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            **_platform.detached_options(),
        )
        daemon.stdout.readline()
        os.close(writer)
        print("end" if os.read(reader, 1) == b"" else "?", flush=True)
        print(daemon.pid, flush=True)
        sys.stdin.readline()
        os._exit(0)
        """,
        creationflags=subprocess.CREATE_NEW_PROCESS_GROUP,
    ) as child:
        child.expect("end")
        daemon = psutil.Process(int(child.line() or 0))
        windows._GenerateConsoleCtrlEvent(1, child.pid)
        child.process.wait(LIMIT)
        # Its parent and the pipe to it are gone: what ends it now is the end of its stdin.
        daemon.wait(LIMIT)


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(JOB_KILL_ON_CLOSE, id="strict"),
        pytest.param(JOB_KILL_ON_CLOSE | JOB_BREAKAWAY_OK, id="lenient"),
    ],
)
def test_detached_process_leaves_the_job_where_it_may(limits: int) -> None:
    """Started from within a job, the daemon leaves it if the job allows that, and is started
    all the same if it does not."""
    job = windows._CreateJobObject(None, None)
    settings = windows._JobLimits(flags=limits)
    windows._SetJobLimits(job, 9, ctypes.byref(settings), ctypes.sizeof(settings))
    with Child(
        """
        import ctypes, subprocess, sys
        from openjd.adaptor_runtime import _platform
        sys.stdin.readline()
        daemon = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.readline()"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            **_platform.detached_options(),
        )
        print(daemon.pid, flush=True)
        sys.stdin.readline()
        """
    ) as child:
        windows._AssignProcessToJob(job, int(child.process._handle))
        child.say("go")
        pid = int(child.line() or 0)
        handle = _winapi.OpenProcess(PROCESS_ALL_ACCESS, False, pid)
        inside = ctypes.c_int()
        _win32.kernel32.IsProcessInJob(
            ctypes.c_void_p(handle), ctypes.c_void_p(job), ctypes.byref(inside)
        )
        assert bool(inside.value) is not bool(limits & JOB_BREAKAWAY_OK)
        child.say("end")
        child.end()
        assert _winapi.WaitForSingleObject(handle, int(LIMIT * 1000)) == _winapi.WAIT_OBJECT_0
        _winapi.CloseHandle(handle)
    _winapi.CloseHandle(job)

"""``openjd-adaptor demo``: the turntable example through a real Open Job Description session."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Callable, TextIO

from ._arguments import Parser
from ._terminal import forgive, say_error

_ADAPTOR = "openjd.adaptor_runtime.examples.turntable"
_TEMPLATE = Path(__file__).parent / "examples" / "turntable" / "template.yaml"
_SAMPLES = 16

# What engine, adaptor and client write while all goes well and nobody misses on a terminal;
# session.log has every line.
_NOISE = re.compile(
    r"\s*$|={5}|-{10}|Phase: |Allocating |Mapping: |Writing embedded |Wrote: |Parameter values:"
    r"|\w+\(\w+\) = |Running command |Command started |Output:|Process pid \d+ exited with code: 0 "
    r"|openjd_progress: |(ADAPTOR_OUTPUT: )?STDOUT: (Rendering |Finished |Performing action: )"
)
_LINE = re.compile(r"(\d+:\d\d:\d\d(?:\.\d+)?)\t(.*)")
_PREFIX = re.compile(r"(ADAPTOR_OUTPUT: )?((INFO|STDOUT|STDERR|openjd_status): )?")


def main(argv: list[str] | None = None) -> int:
    """Run the demo and print what it showed.

    Args:
        argv: the arguments after ``openjd-adaptor demo``; None reads them from ``sys.argv``.

    Returns:
        The exit status: 0 when every frame was rendered, 130 after Ctrl-C.
    """
    options = parser().parse_args(argv)
    forgive()
    try:
        _demonstrate(options.frames, options.size, options.output.absolute())
    except _Failed as e:
        say_error(f"openjd-adaptor demo: {e}")
        return 1
    except _Canceled as e:
        print("Canceled.")
        return 128 + e.number
    except BrokenPipeError:  # such as `| head`: no one to tell, not even at the interpreter's end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


class _Failed(Exception):
    """The demo cannot go on; the message is for the user."""


class _Canceled(Exception):
    """A signal came; `number` says which."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _demonstrate(frames: int, size: tuple[int, int], output: Path) -> None:
    for module, product in (("mitsuba", "Mitsuba"), ("openjd.cli", "The openjd command")):
        if importlib.util.find_spec(module) is None:
            raise _Failed(f"{product} is not installed: pip install 'openjd-adaptor-runtime[demo]'")
    try:
        output.mkdir(parents=True, exist_ok=True)
        log = (output / "session.log").open("w", encoding="utf-8")
    except OSError as e:
        raise _Failed(f"cannot write to the output folder {output}: {e.strerror}") from e
    with log:
        try:
            # All that is temporary, the folder of the session included, is in this one.
            scratch = Path(tempfile.mkdtemp(prefix="openjd-demo-"))
        except OSError as e:
            raise _Failed(f"cannot write to the temporary folder: {e.strerror}") from e
        try:
            with _Commands(scratch) as commands:
                session = _Session(log)
                _render_in_session(commands, session, frames, size, output)
                print("\nOne frame more, started cold, to compare ...", flush=True)
                cold = _render_cold(commands, frames, size, scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    tasks = session.tasks
    per_task = f"median {statistics.median(tasks):.2f} s, {min(tasks):.2f} to {max(tasks):.2f} s"
    print(
        f"""
  frames               {frames}, {size[0]}x{size[1]}, in {output}
  application starts   {session.starts}
  scene loads          {session.loads}
  time per task        {per_task}
  this session         {session.seconds:.1f} s: start, {len(tasks)} tasks, stop
  started cold         {cold:.2f} s for a frame (measured once, on frame 1)
                       {cold * frames:.1f} s for {frames} such frames (that one, times {frames})"""
    )


def _render_in_session(
    commands: _Commands, session: _Session, frames: int, size: tuple[int, int], output: Path
) -> None:
    parameters = {
        "OutputDir": str(output),
        "Frames": frames,
        "Width": size[0],
        "Height": size[1],
        "Samples": _SAMPLES,
        "Python": sys.executable,
    }
    status = commands.run(
        ["-m", "openjd", "run", str(_TEMPLATE), "--job-param", json.dumps(parameters)],
        session.line,
    )
    if status != 0:
        raise _Failed(f"the session failed with exit status {status}, see {session.log.name}")
    pictures = [output / f"frame_{frame:04d}.png" for frame in range(1, frames + 1)]
    missing = [p.name for p in pictures if not p.is_file() or p.stat().st_size == 0]
    if missing:
        raise _Failed(f"pictures are missing in {output}: {', '.join(missing)}")
    if len(session.tasks) != frames:
        raise _Failed(f"{session.log.name} shows {len(session.tasks)} tasks, not {frames}")


def _render_cold(commands: _Commands, frames: int, size: tuple[int, int], scratch: Path) -> float:
    """The seconds that frame 1 takes with a renderer of its own, from start to stop."""
    init_data = {
        "output_dir": str(scratch),
        "frames": frames,
        "width": size[0],
        "height": size[1],
        "samples": _SAMPLES,
    }
    file = scratch / "init-data.json"
    file.write_text(json.dumps(init_data), encoding="utf-8")
    said: list[str] = []
    began = time.monotonic()
    status = commands.run(
        ["-m", _ADAPTOR, "run", "--init-data", f"file://{file}", "--run-data", "frame: 1"],
        said.append,
    )
    if status != 0:
        print("".join(said), end="")
        raise _Failed(f"the frame started cold failed with exit status {status}")
    return time.monotonic() - began


class _Session:
    """Reads what ``openjd run`` prints: keeps it, shows what matters, counts what happened.

    Args:
        log: gets every line as it came.
    """

    def __init__(self, log: TextIO) -> None:
        self.log = log
        self._action = ""
        self._began = 0.0
        self.starts = 0
        self.loads = 0
        #: The duration of each task's command, in seconds.
        self.tasks: list[float] = []
        #: The duration of all commands, those of the environment too, in seconds.
        self.seconds = 0.0

    def line(self, line: str) -> None:
        """Take one line: ``0:00:01.234567<TAB>message``, or the engine's closing words."""
        self.log.write(line)
        match = _LINE.fullmatch(line.rstrip("\n"))
        stamp, message = match.groups() if match else ("", line.rstrip("\n"))
        if stamp and message.startswith("--------- "):
            self._action = message.strip("- ")
            print(f"\n{self._action}", flush=True)
            return
        if stamp and message.startswith("Command started as pid: "):
            self._began = _seconds(stamp)
        elif stamp and re.match(r"Process pid \d+ exited with code: ", message):
            took = _seconds(stamp) - self._began
            self.seconds += took
            if self._action == "Running Task":
                self.tasks.append(took)
        self.starts += "STDOUT: Renderer started" in message
        self.loads += "STDOUT: Scene loaded" in message
        if not _NOISE.match(message):
            clock = f"{_seconds(stamp):7.2f} s" if stamp else ""
            print(f"{clock:<11}{_PREFIX.sub('', message, count=1)}", flush=True)


def _seconds(stamp: str) -> float:
    hours, minutes, seconds = stamp.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


class _Commands:
    """Runs Python commands one after the other; Ctrl-C cancels the one that runs.

    The first signal is handed on and the command is left to end by itself, its output is still
    read; a second one kills it and all that it started.

    Args:
        scratch: where the commands put their temporary files; no one else's.
    """

    def __init__(self, scratch: Path) -> None:
        self._environment = {
            **os.environ,
            **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch)),
            "PYTHONUNBUFFERED": "1",  # `openjd` does not flush: lines would come in heaps
            "PYTHONIOENCODING": "utf-8",
        }
        self._child: subprocess.Popen[str] | None = None
        self._previous: dict[int, Any] = {}
        self._signal = 0

    def __enter__(self) -> _Commands:
        numbers = [signal.SIGINT, signal.SIGTERM]
        hangup = getattr(signal, "SIGHUP", None)  # Windows has none
        if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:  # as by nohup
            numbers.append(hangup)
        for number in numbers:
            self._previous[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def run(self, args: list[str], take: Callable[[str], None]) -> int:
        """Run ``python`` with those arguments.

        Args:
            take: is called with each line of stdout and stderr, as it comes.

        Returns:
            The exit status.

        Raises:
            _Canceled: a signal came.
        """
        with subprocess.Popen(
            [sys.executable, *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
            env=self._environment,
            # Else a Ctrl-C in the terminal would reach the command twice: directly and from here.
            # Without effect on Windows, where the console's is the only one.
            start_new_session=True,
        ) as child:
            self._child = child
            if self._signal:  # before there was a child to hand the signal on to
                self._cancel(child)
            assert child.stdout is not None
            try:
                for line in child.stdout:
                    take(line)
            except BaseException:  # such as a closed pipe behind our own stdout
                self._cancel(child)
                for _ in child.stdout:
                    pass
                raise
            finally:
                self._child = None
        if self._signal:
            raise _Canceled(self._signal)
        return child.returncode

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._signal:
            self._kill()
        self._signal = self._signal or number
        if self._child is not None:
            self._cancel(self._child)

    def _cancel(self, child: subprocess.Popen[str]) -> None:
        # Windows has no such signal to send (ValueError), its console already told the command.
        with contextlib.suppress(ValueError, OSError):
            child.send_signal(signal.SIGINT)

    def _kill(self) -> None:
        import psutil

        # By their environment: the daemon is nobody's child.
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get("TMPDIR") == self._environment["TMPDIR"]:
                    process.kill()


def parser() -> Parser:
    """The grammar of its arguments."""
    parser = Parser(
        prog="openjd-adaptor demo",
        description="Render a turntable with Mitsuba 3 in a real Open Job Description session.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--frames", type=_frames, default="12", metavar="N", help="of one turn")
    parser.add_argument("--size", type=_size, default="320x180", metavar="WxH", help="in pixels")
    parser.add_argument(
        "--output", type=Path, default="demo-output", metavar="DIR", help="for frames and log"
    )
    return parser


def _frames(text: str) -> int:
    if not re.fullmatch(r"0*[1-9][0-9]{0,4}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of frames, such as 12")
    return int(text)


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size in pixels, such as 320x180")
    return int(match[1]), int(match[2])

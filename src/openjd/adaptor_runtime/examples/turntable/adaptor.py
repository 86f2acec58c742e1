"""The adaptor: starts the renderer once, then has it render one frame per task."""

from __future__ import annotations

import re
import sys
import threading
from pathlib import Path
from typing import Any

from openjd.adaptor_runtime.adaptors import (
    Adaptor,
    AdaptorDataValidators,
    SemanticVersion,
)
from openjd.adaptor_runtime.adaptors.configuration import AdaptorConfiguration
from openjd.adaptor_runtime.app_handlers import RegexCallback, RegexHandler
from openjd.adaptor_runtime.application_ipc import ActionsQueue, AdaptorServer
from openjd.adaptor_runtime.process import LoggingSubprocess
from openjd.adaptor_runtime_client import Action

_HERE = Path(__file__).parent
_CLOSE_LIMIT_S = 10.0


class TurntableAdaptor(Adaptor[AdaptorConfiguration]):
    """Drives ``client.py``, a Mitsuba renderer that keeps its scene in memory."""

    def __init__(self, init_data: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(init_data, **kwargs)
        self._queue = ActionsQueue()
        self._server: AdaptorServer | None = None
        self._server_thread: threading.Thread | None = None
        self._renderer: LoggingSubprocess | None = None
        # Guards what follows: set by the threads that read the renderer's output, wait for its
        # end or cancel; waited for by on_start, on_run and on_cleanup. Nothing polls.
        self._news = threading.Condition()
        self._milestone = ""
        self._ended = False
        self._canceled = False
        self._status = "Loading the scene"

    @property
    def integration_data_interface_version(self) -> SemanticVersion:
        """The version of the two schemas; a job made for another one is refused."""
        return SemanticVersion(major=1, minor=0)

    def on_start(self) -> None:
        """Start the renderer and load the scene: paid once, before the first frame."""
        self._validators = AdaptorDataValidators.for_adaptor(str(_HERE / "schemas"))
        self._validators.init_data.validate(self.init_data)
        self._output_dir = Path(self.map_path(self.init_data["output_dir"]))
        self._output_dir.mkdir(parents=True, exist_ok=True)
        self.update_status(status_message=self._status)

        self._server = AdaptorServer(self._queue, self)
        self._server_thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._server_thread.start()

        output = RegexHandler(
            [
                RegexCallback([re.compile(r"^Rendering (\d+)%$")], self._on_progress),
                RegexCallback(
                    [re.compile(r"^Scene loaded$"), re.compile(r"^Finished frame \d+$")],
                    self._on_milestone,
                ),
            ]
        )
        self._renderer = LoggingSubprocess(
            args=[sys.executable, str(_HERE / "client.py"), self._server.server_path],
            stdout_handler=output,
            stderr_handler=output,
        )
        threading.Thread(target=self._watch, args=(self._renderer,), daemon=True).start()

        self._queue.enqueue_action(Action("load_scene"))
        self._wait_for("Scene loaded", doing="loading the scene")

    def on_run(self, run_data: dict[str, Any]) -> None:
        """Render one frame; return when its picture is on disk."""
        self._validators.run_data.validate(run_data)
        frame, frames = run_data["frame"], self.init_data["frames"]
        output = self._output_dir / f"frame_{frame:04d}.png"
        # The check below must not be answered by a picture of an earlier attempt.
        output.unlink(missing_ok=True)
        self._status = f"Rendering frame {frame} of {frames}"
        self.update_status(progress=0, status_message=self._status)

        self._milestone = ""
        arguments = {
            "frame": frame,
            "angle": 360.0 * (frame - 1) / frames,
            "width": self.init_data["width"],
            "height": self.init_data["height"],
            "samples": self.init_data["samples"],
            "output": str(output),
        }
        self._queue.enqueue_action(Action("render_frame", arguments))
        self._wait_for(f"Finished frame {frame}", doing=f"rendering frame {frame}")
        if not output.is_file() or output.stat().st_size == 0:
            raise RuntimeError(f"the renderer finished frame {frame} but did not write {output}")
        self.update_status(progress=100, status_message=f"Wrote {output.name}")

    def on_cancel(self) -> None:
        """Kill the renderer; on_run, in another thread, wakes from its end and raises."""
        with self._news:
            self._canceled = True
            self._news.notify_all()
        if self._renderer is not None:
            self._renderer.terminate(grace_time_s=0)

    def on_cleanup(self) -> None:
        """Ask the renderer to close, kill it if it does not; then end the server."""
        if self._renderer is not None:
            self._queue.enqueue_action(Action("close"), front=True)
            with self._news:
                closed = self._news.wait_for(lambda: self._ended, timeout=_CLOSE_LIMIT_S)
            if not closed:
                self._renderer.terminate(grace_time_s=0)
        if self._server is not None and self._server_thread is not None:
            self._server.shutdown()
            self._server_thread.join()

    def _wait_for(self, milestone: str, doing: str) -> None:
        """Wait for that line of the renderer.

        Raises:
            RuntimeError: the renderer ended before, or the task was canceled.
        """
        with self._news:
            self._news.wait_for(
                lambda: self._milestone == milestone or self._ended or self._canceled
            )
            if self._milestone == milestone:
                return
        if self._canceled:
            raise RuntimeError(f"canceled while {doing}")
        assert self._renderer is not None
        raise RuntimeError(
            f"the renderer exited with code {self._renderer.returncode} while {doing}"
        )

    def _watch(self, renderer: LoggingSubprocess) -> None:
        renderer.wait()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def _on_milestone(self, match: re.Match[str]) -> None:
        with self._news:
            self._milestone = match[0]
            self._news.notify_all()

    def _on_progress(self, match: re.Match[str]) -> None:
        self.update_status(progress=int(match[1]), status_message=f"{self._status}: {match[1]}%")

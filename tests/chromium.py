"""Chromium, driven by its DevTools protocol over two pipes; the standard library is enough."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Seconds that anything may take on a machine with much else to do.
LIMIT = 120.0
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-extensions", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--remote-debugging-pipe",
)  # fmt: skip


def find() -> str | None:
    """The browser's program: what CHROMIUM names, or one that is installed."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """A browser of its own, with nothing in it, which ends with the block.

    Args:
        options: more of them, for the command line.
    """

    def __init__(self, program: str, *options: str) -> None:
        self._command = [program, *_OPTIONS, *options]
        self._buffer = b""
        self._number = 0
        self._events: list[dict[str, Any]] = []

    def __enter__(self) -> Browser:
        self._home = tempfile.mkdtemp(prefix="report-pages-")
        to_read, self._out = os.pipe()
        self._in, to_write = os.pipe()
        log = os.open(os.path.join(self._home, "log"), os.O_WRONLY | os.O_CREAT, 0o600)
        self._pid = os.posix_spawn(
            self._command[0],
            [*self._command, f"--user-data-dir={self._home}/profile", "about:blank"],
            {**os.environ, "HOME": self._home},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, log, 1),
                (os.POSIX_SPAWN_DUP2, log, 2),
                (os.POSIX_SPAWN_DUP2, to_read, 3),
                (os.POSIX_SPAWN_DUP2, to_write, 4),
            ],
            setpgroup=0,
        )
        for one in (to_read, to_write, log):
            os.close(one)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.call("Browser.close")
        except (OSError, RuntimeError):
            os.killpg(self._pid, signal.SIGKILL)
        # What it started may live a moment longer, and holds the other end.
        os.waitpid(self._pid, 0)
        os.close(self._out)
        os.close(self._in)
        shutil.rmtree(self._home, ignore_errors=True)

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Has the browser do something; returns its answer.

        Raises:
            RuntimeError: it cannot, or does not answer.
        """
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        answer = self._until(lambda one: one.get("id") == number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def wait_for(self, method: str, session: str) -> dict[str, Any]:
        """The next event of that name that has not been waited for."""
        for index, event in enumerate(self._events):
            if event["method"] == method and event.get("sessionId") == session:
                return self._events.pop(index)
        return self._until(
            lambda one: one.get("method") == method and one.get("sessionId") == session
        )

    def events(self, session: str) -> list[dict[str, Any]]:
        """The events of a page that came and were not waited for."""
        return [event for event in self._events if event.get("sessionId") == session]

    def _until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + LIMIT
        while True:
            while b"\0" in self._buffer:
                text, _, self._buffer = self._buffer.partition(b"\0")
                message: dict[str, Any] = json.loads(text)
                if wanted(message):
                    return message
                if "method" in message:
                    self._events.append(message)
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._in], [], [], left)[0]:
                raise RuntimeError("the browser does not answer")
            chunk = os.read(self._in, 1 << 20)
            if not chunk:
                log = Path(self._home, "log").read_text(errors="replace")
                raise RuntimeError(f"the browser has ended: {log[-1000:]}")
            self._buffer += chunk


class Page:
    """A page that is looked at.

    Args:
        width: of the window, in CSS pixels; height: the same.
        dark: whether the system prefers dark colours.
        query: what stands behind the file in the page's address: ``?q=word``.
        seconds: of the page's own time that pass until it is looked at, if its scripts go on when
            it has been loaded.
    """

    def __init__(
        self,
        browser: Browser,
        path: Path,
        width: int,
        dark: bool,
        *,
        height: int = 900,
        query: str = "",
        seconds: float = 0,
    ) -> None:
        self.browser = browser
        self.url = path.as_uri() + query
        # What one page has remembered, the next knows nothing of.
        self._context = browser.call("Target.createBrowserContext")["browserContextId"]
        target = browser.call(
            "Target.createTarget", url="about:blank", browserContextId=self._context
        )["targetId"]
        answer = browser.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session: str = answer["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.call(f"{domain}.enable")
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}],
        )
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        self.call("Page.navigate", url=self.url)
        browser.wait_for("Page.loadEventFired", self.session)
        if seconds:
            # It passes as fast as the page has nothing to do, and waits for what is being loaded.
            policy = "pauseIfNetworkFetchesPending"
            self.call("Emulation.setVirtualTimePolicy", policy=policy, budget=seconds * 1000)
            browser.wait_for("Emulation.virtualTimeBudgetExpired", self.session)
            self.call("Emulation.setVirtualTimePolicy", policy="advance")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """See ``Browser.call``."""
        return self.browser.call(method, self.session, **params)

    def evaluate(self, script: str) -> Any:
        """What a script in the page comes to."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def screenshot(self, path: Path, height: int | None = None) -> None:
        """A picture of all of the page, or of so many pixels from its top."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {
            "x": 0, "y": 0, "width": size["width"], "height": height or size["height"], "scale": 1,
        }  # fmt: skip
        answer = self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def settle(self) -> None:
        """Returns when what was done has been drawn, scrolling included."""
        frame = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        self.evaluate(f"{frame}.then(() => 0)")

    def press(self, key: str) -> None:
        """A key, by its name."""
        codes = {"ArrowRight": 39, "ArrowLeft": 37, "Tab": 9, "Enter": 13, "Escape": 27}
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key],
                **({"text": "\r"} if key == "Enter" and kind == "keyDown" else {}),
            )  # fmt: skip

    def complaints(self) -> list[str]:
        """What the browser has to say against the page: its console, errors, issues."""
        found = []
        for event in self.browser.events(self.session):
            params = event["params"]
            if event["method"] == "Log.entryAdded":
                found.append(f"{params['entry']['level']}: {params['entry']['text']}")
            elif event["method"] == "Runtime.consoleAPICalled":
                found.append(f"console.{params['type']}: {params['args']}")
            elif event["method"] == "Runtime.exceptionThrown":
                found.append(f"exception: {params['exceptionDetails']}")
            elif event["method"] == "Audits.issueAdded":
                found.append(f"issue: {params['issue']}")
        return found

    def requests(self) -> list[str]:
        """The addresses that the page has asked for, but for its own and what is within it."""
        urls = [
            event["params"]["request"]["url"]
            for event in self.browser.events(self.session)
            if event["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in urls if url != self.url and not url.startswith("data:")]

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.evaluate("document.documentElement.scrollWidth - innerWidth"))

    def close(self) -> None:
        """Leaves the page."""
        self.browser.call("Target.disposeBrowserContext", browserContextId=self._context)

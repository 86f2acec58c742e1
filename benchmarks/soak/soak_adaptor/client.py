"""Runs in the application, which is a plain Python here."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

from openjd.adaptor_runtime_client import ApplicationClient, action


class SoakClient(ApplicationClient):
    """An action for each kind of task."""

    @action
    def plain(self, number: int) -> int:
        """Nothing."""
        return number

    @action
    def lines(self, number: int) -> None:
        """200 lines of some hundred characters."""
        for line in range(200):
            print(f"task {number:06d} line {line:03d} {'x' * 80}")

    @action
    def reports(self, number: int) -> None:
        """Ten reports of progress."""
        for percent in range(10, 101, 10):
            self.progress(percent)

    @action
    def process(self, number: int) -> None:
        """A process that ends."""
        subprocess.run([sys.executable, "-I", "-S", "-c", "print('theirs')"], check=True)

    @action
    def failing(self, number: int) -> None:
        """An exception."""
        raise ValueError(f"task {number} is one that fails")

    @action
    def ended(self, number: int) -> None:
        """Waits for the signal that ends this process."""
        self.status("waiting")
        threading.Event().wait()

    @action
    def crash(self, number: int) -> None:
        """The application's end, without a word."""
        os._exit(3)


SoakClient.run()

"""Kernels that talk over sockets of their own, so that many can start at once."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from nbclient.output_widget import OutputWidget


def _keep_to_itself(widget: OutputWidget) -> None:
    """What a cell draws inside an Output widget (`interact` has one) is kept, not told back.

    nbclient sends it to the kernel by a blocking call on the very socket on which it awaits the
    cell's reply. ZeroMQ signals a message once; now and then that call swallows the signal of a
    reply, and the notebook waits for ever. The page needs only what nbclient itself keeps.
    """


OutputWidget.sync_state = _keep_to_itself


class PrivateKernel(AsyncKernelManager):
    """A kernel reached by files in a private folder instead of TCP ports.

    Jupyter looks for free ports and lets go of them before the kernel takes them; two kernels that
    start at the same moment can get the same ones, and one of them then waits for ever. Where the
    system has no such sockets (Windows) this is a kernel like any other.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._folder: str | None = None
        if os.name == "posix":
            self._folder = tempfile.mkdtemp(prefix="genssl-")
            self.transport = "ipc"
            self.connection_file = str(Path(self._folder) / "kernel.json")
            self.ip = str(Path(self._folder) / "k")

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        await super()._async_cleanup_resources(restart=restart)
        if self._folder and not restart:
            shutil.rmtree(self._folder, ignore_errors=True)

    cleanup_resources = _async_cleanup_resources

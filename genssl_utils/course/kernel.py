"""Kernels that talk over sockets of their own, so that many can start at once."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager


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

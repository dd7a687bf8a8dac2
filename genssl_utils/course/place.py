"""Where a notebook is executed: in a process of this machine, or in one of a Dask worker's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Told = Callable[[int], None]
"""Is told which cell begins."""


def here(order: dict[str, Any], told: Told = lambda cell: None) -> dict[str, Any]:
    """Execute one notebook in a process of its own, one thread each.

    Args:
        order: `source` (the notebook as text), `parameters`, `timeout` (seconds a cell, or None)
            and `folder` (where it runs; a temporary one when None).
        told: is told which cell begins.

    Returns:
        `ended` (`{"seconds": ...}`, or `error` and `source` of the cell that failed) and `made`,
        the executed notebook as text, "" where there is none.
    """
    with tempfile.TemporaryDirectory(prefix="genssl-") as folder:
        source, made = Path(folder) / "source.ipynb", Path(folder) / "executed.ipynb"
        source.write_text(order["source"], encoding="utf-8")
        job = {
            "source": str(source), "output": str(made), "parameters": order["parameters"],
            "folder": order["folder"] or folder, "timeout": order["timeout"],
        }  # fmt: skip
        path = Path(folder) / "job.json"
        path.write_text(json.dumps(job), encoding="utf-8")
        ended: dict[str, Any] = {"source": "", "error": "its process died"}
        for message in _converse(path):
            if "begins" in message:
                told(message["begins"])
            ended = message.get("ends", ended)
        text = made.read_text(encoding="utf-8") if made.is_file() else ""
        return {"ended": ended, "made": text}


def on(client: Any) -> Callable[[dict[str, Any], Told], dict[str, Any]]:
    """Like `here`, on any worker of a Dask cluster; where a cell begins is not told.

    Args:
        client: from `grade.farm.cluster`.
    """
    from genssl_utils.course.grade.keys import library, versions

    def there(order: dict[str, Any], told: Told = lambda cell: None) -> dict[str, Any]:
        about = {"library": library(order["topic"]), "versions": versions()}
        future = client.submit(_on_worker, order | {"folder": None}, about, pure=False)
        try:
            return future.result()
        except Exception as error:  # its workers died, or the cluster went away
            return {
                "ended": {"source": "", "error": f"{type(error).__name__}: {error}"},
                "made": "",
            }

    return there


def _on_worker(order: dict[str, Any], about: dict[str, Any]) -> dict[str, Any]:
    from genssl_utils.course.grade.keys import library, versions

    if about != {"library": library(order["topic"]), "versions": versions()}:
        why = "a worker has other versions of the course or of its libraries"
        return {"ended": {"source": "", "error": why}, "made": ""}
    return here(order)


def _converse(job: Path) -> Iterator[dict[str, Any]]:
    """Start the process and yield what it says; end it with us."""
    threads = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    child = subprocess.Popen(
        [sys.executable, "-m", "genssl_utils.course.execute", str(job)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8", errors="replace",
        env={**os.environ, **threads, "PYDEVD_DISABLE_FILE_VALIDATION": "1"},
    )  # fmt: skip
    try:
        for line in child.stdout:
            if message := _message(line):
                yield message
        child.wait()
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()


def _message(line: str) -> dict[str, Any] | None:
    """A line of the process as what it has to say; None for anything else that it prints."""
    try:
        message = json.loads(line)
    except ValueError:
        return None
    if not isinstance(message, dict):
        return None
    told = isinstance(message.get("begins"), int) or isinstance(message.get("ends"), dict)
    return message if told else None

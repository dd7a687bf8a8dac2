"""One notebook in one process: `python -m genssl_utils.course.execute JOB.json`.

It tells its parent how far it is, a JSON line at a time, on stdout.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from pathlib import Path

import papermill
from papermill.exceptions import PapermillExecutionError

from genssl_utils.course.kernel import PrivateKernel


def execute(job: dict) -> dict:
    """Run one notebook with papermill.

    Args:
        job: `source` and `output` (paths), `parameters`, `folder` (where it runs) and `timeout`
            (seconds a cell).

    Returns:
        `{"seconds": ...}`, or `{"error": ..., "source": ...}` with the cell that failed.
    """
    started = time.perf_counter()
    try:
        papermill.execute_notebook(
            job["source"], job["output"], parameters=job["parameters"], cwd=job["folder"],
            progress_bar=False, log_output=True, kernel_name="python3",
            kernel_manager_class=PrivateKernel,
            execution_timeout=job["timeout"],
        )  # fmt: skip
    except PapermillExecutionError as error:
        return {"source": error.source, "error": f"{error.ename}: {error.evalue}"}
    except Exception as error:  # a dead kernel, a time-out, a full disk: all one line to the reader
        return {"source": "", "error": f"{type(error).__name__}: {error}"}
    return {"seconds": round(time.perf_counter() - started, 1)}


class _Progress(logging.Handler):
    """Turns papermill's log into lines that say which cell begins."""

    def emit(self, record: logging.LogRecord) -> None:
        if found := re.match(r"Executing Cell (\d+)", record.getMessage()):
            _say({"begins": int(found.group(1))})


def _say(message: dict) -> None:
    print(json.dumps(message), file=sys.__stdout__, flush=True)


def main() -> None:
    """Read the job, run it, say how it went."""
    log = logging.getLogger("papermill")
    log.handlers, log.propagate = [_Progress()], False
    log.setLevel(logging.INFO)
    _say({"ends": execute(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))})


if __name__ == "__main__":
    main()

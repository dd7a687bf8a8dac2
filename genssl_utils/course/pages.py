"""An executed reference notebook turned into a page that anyone may read."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output

from genssl_utils.course.source import REPORT
from genssl_utils.course.ways import Way, run_line, write_line

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
OURS = re.compile(r"^application/vnd\.genssl\..+\+json$")
"""Outputs that only our own tools read."""

FOLDED = {"setup", "parameters", "check"}
"""Roles whose code is one click away on the page."""

STILL = "*Run the notebook to move this.*"


def page(
    executed: NotebookNode, release: NotebookNode, places: Sequence[Way] = (), *, number: int = 0
) -> NotebookNode:
    """The chapter of a unit: outputs and live figures kept, answers and hidden tests out.

    Args:
        executed: the reference notebook as `genssl run` left it.
        release: the student's notebook; its graded cells replace those of the reference.
        places: where the unit can be run; the title and each answer get links there.
        number: of the unit, which its title begins with; 0 for none.

    Returns:
        A new notebook.
    """
    nb = copy.deepcopy(executed)
    handed_out = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in release.cells
        if "nbgrader" in cell.metadata
    }
    nb.cells = [cell for cell in nb.cells if "injected-parameters" not in _tags(cell)]
    models = nb.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    answers = {}  # cell id → exercise
    for cell in nb.cells:
        if graded := cell.metadata.get("nbgrader"):
            cell.source = handed_out[graded["grade_id"]]
            if graded["solution"]:
                answers[cell.id] = graded["grade_id"]
        if cell.cell_type == "code":
            tags = _tags(cell)
            cell.metadata = NotebookNode(
                tags=[*tags, "hide-input"] if FOLDED & set(tags) else [*tags]
            )
            cell.outputs = _readable(cell.outputs, models)
            if told := _told(cell.outputs):
                cell.metadata["mystnb"] = {"image": {"alt": told}}
        else:
            cell.metadata = NotebookNode()
    nb.cells = list(_linked(_merged(nb.cells), answers, places, number))
    kept = reachable(_shown(nb), models)
    nb.metadata = NotebookNode(kernelspec=nb.metadata.kernelspec)
    if kept:
        nb.metadata["widgets"] = {
            STATE: {"version_major": 2, "version_minor": 0, "state": kept},
        }
    return nb


def _linked(
    cells: Iterable[NotebookNode], answers: Mapping[str, str], places: Sequence[Way], number: int
) -> Iterator[NotebookNode]:
    """The cells; the title gets the number, and the ways in go under it and each open answer."""
    titled = False
    for cell in cells:
        if not titled and cell.cell_type == "markdown" and re.match("# .", cell.source):
            title, _, rest = cell.source.partition("\n")
            if number:
                title = f"# {number:02} {title.removeprefix('# ')}"
            cell.source = f"{title}\n\n{run_line(places)}\n{rest}"
            titled = True
        yield cell
        if cell.id in answers:
            yield new_markdown_cell(write_line(places, answers[cell.id]), id=f"write-{cell.id}")


def _merged(cells: Iterable[NotebookNode]) -> list[NotebookNode]:
    """One folded cell where several that only set things up follow one another."""
    done: list[NotebookNode] = []
    for cell in cells:
        silent = {"setup", "parameters"} & set(_tags(cell)) and not cell.get("outputs")
        if silent and done and done[-1].metadata.get("silent"):
            done[-1].source += f"\n\n{cell.source}"
            continue
        if silent:
            cell.metadata["silent"] = True
        done.append(cell)
    for cell in done:
        cell.metadata.pop("silent", None)
    return done


def _tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", ()))


def _readable(outputs: Iterable[NotebookNode], models: Mapping[str, Any]) -> list[NotebookNode]:
    """What a page can show: live figures, pictures, text; other widgets as their last picture."""
    kept = []
    for output in outputs:
        data = output.get("data")
        if data is None:
            kept.append(output)
            continue
        view = data.get(VIEW)
        if view is not None and not _live(models.get(view["model_id"], {})):
            kept += _still(view["model_id"], models)
            continue
        if REPORT in data:
            output.data = data = NotebookNode(_public(data[REPORT]))
        for mime in [mime for mime in data if OURS.match(mime)]:
            del data[mime]
        if data:
            kept.append(output)
    return kept


def _told(outputs: Iterable[NotebookNode]) -> str:
    """What the pictures among the outputs show, in words."""
    told = [
        output.metadata.get("image/png", {}).get("alt") or output.data.get("text/plain", "")
        for output in outputs
        if "image/png" in output.get("data", {})
    ]
    return " ".join(dict.fromkeys(told)).strip()


def _public(report: Mapping[str, Any]) -> dict[str, str]:
    """A report told again without its hidden checks; these are counted."""
    from genssl_utils.kit.check.report import Outcome, Report  # it loads torch

    texts = ("name", "message", "hint")
    shown = [
        Outcome(
            **{name: check.get(name, "") for name in texts},
            weight=check.get("weight", 1.0), hidden=False, passed=check["passed"],
        )
        for check in report["checks"]
        if not check["hidden"]
    ]  # fmt: skip
    told = Report(report["unit"], report["exercise"], report["max_points"], shown)
    hidden = sum(check["hidden"] and check["passed"] for check in report["checks"])
    plain, rich = str(told), told._repr_html_()
    if hidden:
        line = f"And {hidden} hidden check{'' if hidden == 1 else 's'} passed."
        plain, rich = f"{plain}\n  {line}", f"{rich}<p>{line}</p>"
    return {"text/plain": plain, "text/html": rich}


def _live(model: Mapping[str, Any]) -> bool:
    return model.get("model_module") == "anywidget"


def _still(model_id: str, models: Mapping[str, Any]) -> list[NotebookNode]:
    """The pictures that a kernel's widget showed last, and a line; of a progress bar, nothing."""
    inside = reachable([model_id], models).values()
    if any(model["model_name"] == "FloatProgressModel" for model in inside):
        return []
    shown = [
        NotebookNode(json.loads(json.dumps(output)))
        for model in inside
        if model["model_name"] == "OutputModel"
        for output in model["state"].get("outputs", ())
        if output["output_type"] in ("display_data", "execute_result", "stream")
    ]
    pictures = [model["state"].get("value", "") for model in inside
                if model["model_name"] == "HTMLModel"]  # fmt: skip
    shown += [
        new_output("display_data", data={"text/html": picture, "text/plain": "A picture."})
        for picture in pictures
        if "<img" in picture
    ]
    for output in shown:
        output.pop("execution_count", None)
        if output.output_type == "execute_result":
            output.output_type = "display_data"
    line = {"text/markdown": STILL, "text/plain": STILL.strip("*")}
    return [*_readable(shown, models), new_output("display_data", data=line)]


def _shown(nb: NotebookNode) -> list[str]:
    """The models whose views the page shows."""
    return [
        output.data[VIEW]["model_id"]
        for cell in nb.cells
        for output in cell.get("outputs", ())
        if VIEW in output.get("data", {})
    ]


def reachable(roots: Iterable[str], models: Mapping[str, Any]) -> dict[str, Any]:
    """The models named, and every model that these refer to, in the order of the state."""
    wanted, queue = set(), [name for name in roots if name in models]
    while queue:
        name = queue.pop()
        if name not in wanted:
            wanted.add(name)
            state = json.dumps(models[name].get("state", {}))
            queue += [other for other in re.findall(r"IPY_MODEL_(\w+)", state) if other in models]
    return {name: model for name, model in models.items() if name in wanted}

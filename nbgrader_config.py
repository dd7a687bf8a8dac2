"""nbgrader's settings: run `nbgrader` or `genssl` from this folder and no flag is needed."""

from pathlib import Path

import nbgrader
from nbgrader.converters import Autograde
from nbgrader.preprocessors import GetGrades, OverwriteCells, SaveAutoGrades

from genssl_utils.course.feedback import HideTests, Styled
from genssl_utils.course.markdown import TEMPLATES, markdown_filter
from genssl_utils.course.released import RequireReport, ResetTags

c = get_config()  # noqa: F821 (nbgrader puts it there)
ROOT = Path(__file__).resolve().parent

# Which folder is what. A source folder holds the notebook alone: nbgrader hands out every file
# that lies beside it.
c.CourseDirectory.root = str(ROOT)
c.CourseDirectory.source_directory = "build/source"
c.CourseDirectory.release_directory = "notebooks"
c.CourseDirectory.submitted_directory = "submitted"
c.CourseDirectory.autograded_directory = "build/autograded"
c.CourseDirectory.feedback_directory = "build/feedback"

# For a gradebook on PostgreSQL: c.CourseDirectory.db_url = "postgresql+psycopg2://USER@HOST/NAME"
c.CourseDirectory.course_id = "genssl"  # which a database that checks its keys asks for

# What stands where the reference answer was.
STUB = 'raise NotImplementedError("Replace this line with your answer.")'
c.ClearSolutions.code_stub = {"python": STUB}

# For nbgrader's own autograde, which has no sandbox: `genssl grade` is the one to use.
# It runs the answers and their checks and leaves out the experiments, which cost the minutes.
c.Execute.timeout = 120
c.Execute.extra_arguments = [
    "--HistoryManager.hist_file=:memory:",
    "--IPKernelApp.log_level=ERROR",  # no word on transport in the grader's terminal
]
c.Execute.skip_cells_with_tag = "experiment"
# Which cells those are is for the source to say, and a check that gives no report has no points.
before = list(Autograde.sanitize_preprocessors.default())
before.insert(before.index(OverwriteCells) + 1, ResetTags)
c.Autograde.sanitize_preprocessors = before
after = list(Autograde.autograde_preprocessors.default())
after.insert(after.index(SaveAutoGrades), RequireReport)
c.Autograde.autograde_preprocessors = after
# A warning on stderr costs no points.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"[\s\S]*"

# The formgrader's lightning bolt runs `genssl grade` for that student.
c.NbGraderAPI.Autograde.exporter_class = "genssl_utils.course.formgrader.Bolt"

# Feedback and formgrader show formulas and citations without a request to any other host.
c.HTMLExporter.filters = {"markdown2html": markdown_filter(ROOT / "book" / "references.bib")}
THEIRS = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader" / "templates"
c.HTMLExporter.extra_template_basedirs = [str(TEMPLATES), str(THEIRS)]

# Feedback shows scores and comments, and no hidden test.
c.GenerateFeedback.preprocessors = [GetGrades, HideTests, Styled]

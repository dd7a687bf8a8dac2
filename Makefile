# Two commands to know: `make lab` opens the course, `make test` proves that it works.
PYTHON ?= python3
BIN := .venv/bin
comma := ,
READY := .venv/.installed
# Students, whose course has no solutions/, need nothing of what tests and measures.
EXTRAS := $(if $(wildcard solutions),course$(comma)dev,course)

.PHONY: help install lab test soak notebooks book site grade-demo bench

help:
	@echo "make lab         open the course in JupyterLab"
	@echo "make test        everything that is checked before a change goes in"
	@echo "make install     only install everything into .venv"
	@echo "make soak        ten minutes of killing a grader at random points"
	@echo "make notebooks   make the students' notebooks from solutions/"
	@echo "make book        run the units, build the book into build/book and serve it"
	@echo "make site        the same for publishing: each page anew, with the PDF, and nothing is served"
	@echo "make grade-demo  grade four made-up students and write their feedback"
	@echo "make bench       measure ours beside others' (writes book/results)"

install: $(READY)

lab: $(READY)
	@$(BIN)/genssl lab

test: $(READY)
	@$(BIN)/genssl doctor --install
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/genssl build --check
	@$(BIN)/genssl run --jobs 2
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

soak: $(READY)
	@GENSSL_SOAK=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -s tests/course/test_grade_kills.py --timeout 1500

notebooks: $(READY)
	@$(BIN)/genssl build

book: $(READY)
	@$(BIN)/genssl book --serve

site: $(READY)
	@$(BIN)/genssl book --all --pdf

grade-demo: $(READY)
	@$(BIN)/genssl build 05 && $(BIN)/genssl grade 05 --demo --force && $(BIN)/genssl feedback 05

bench: $(READY)
	@set -e; for file in bench/*.py; do [ ! -e "$$file" ] || $(BIN)/python "$$file"; done

# Installed once; again only when what is asked for changes.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v <= (3, 13) or sys.exit("GenSSL needs Python 3.11, 3.12 or 3.13, and `$(PYTHON)` is %d.%d. Try: make PYTHON=python3.12 $(or $(MAKECMDGOALS),lab)" % v)'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv is missing. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing the course into .venv (a few minutes, once) ..."
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$(EXTRAS)]"
	@touch $@

"""Citation, licences and references say what the project and its packages say."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata, util
from pathlib import Path

import pytest
import yaml
from pybtex.database import parse_file

from toy_course import PROJECT

BOOK = PROJECT / "book"
PROJECT_TABLE = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
CITATION = yaml.safe_load((PROJECT / "CITATION.cff").read_text("utf-8"))
ENTRIES = parse_file(str(BOOK / "references.bib"), "bibtex", encoding="utf-8").entries
NO_NUMBER = {
    "gutmann2010nce": "https://proceedings.mlr.press/",
    "chonwiharnphan2020users": "https://ieeexplore.ieee.org/",
}
"""Papers that have neither DOI nor arXiv number: where the publisher has them."""


def page(name: str) -> str:
    return (BOOK / name).read_text("utf-8")


def test_the_citation_file_agrees_with_the_project():
    assert str(CITATION["version"]) == PROJECT_TABLE["version"]
    assert set(CITATION["license"]) == set(PROJECT_TABLE["license"].split(" AND "))
    assert CITATION["title"].split(": ")[1] == (
        PROJECT_TABLE["description"][0].lower() + PROJECT_TABLE["description"][1:]
    )


def test_the_citation_file_is_in_the_format():
    """The fields that Citation File Format 1.2.0 demands, and no unknown one."""
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["type"] in ("software", "dataset")
    for field in ("message", "title"):
        assert isinstance(CITATION[field], str)
        assert CITATION[field]
    assert CITATION["authors"] == [{"name": "the GenSSL authors"}]
    assert len(set(CITATION["keywords"])) == len(CITATION["keywords"]) > 0
    assert set(CITATION) <= {
        "cff-version", "message", "type", "title", "version", "authors", "license", "keywords",
        "abstract", "date-released", "doi", "identifiers", "repository-code", "url",
    }  # fmt: skip


def test_the_page_on_citing_says_the_same():
    assert f"Version {PROJECT_TABLE['version']}" in page("cite.md")
    title = re.search(r"title  = \{(.*?)\},\n  year", page("cite.md"), re.S)[1]
    title = " ".join(re.sub("[{}]", "", title).split())
    assert title.lower() == CITATION["title"].lower()


def test_the_page_on_licences_names_those_of_the_project():
    for licence in PROJECT_TABLE["license"].split(" AND "):
        assert licence.replace("CC-BY-4.0", "CC BY 4.0") in page("licences.md")
    for file in PROJECT_TABLE["license-files"]:
        assert f"`{file}`" in page("licences.md")
        assert (PROJECT / file).is_file()


def test_what_the_pages_bring_along_has_the_version_that_is_installed():
    told = re.search(r"Mathjax ([\d.]+)", metadata.metadata("sphinx-mathjax-offline").as_string())
    assert f"MathJax {told[1]}," in page("licences.md")
    theme = Path(util.find_spec("pydata_sphinx_theme").origin).parent
    (notice,) = theme.rglob("fontawesome.js.LICENSE.txt")
    told = re.search(r"Font Awesome Free ([\d.]+)", notice.read_text("utf-8"))
    assert f"{told[0]} |" in page("licences.md")


@pytest.mark.parametrize("package", ["sphinx-book-theme", "pydata-sphinx-theme", "scikit-learn",
                                     "numpy", "scipy", "nbgrader", "jupyter-book"])  # fmt: skip
def test_what_is_called_bsd_is_bsd(package):
    told = metadata.metadata(package)
    # By get: some versions of importlib_metadata raise KeyError at a missing field.
    known = [told.get("License-Expression", ""), told.get("License", ""),
             *(told.get_all("Classifier") or [])]  # fmt: skip
    assert any("BSD" in line for line in known)


def test_every_data_card_of_the_code_has_a_row():
    """A card names its licence; the page must know the data sets that are not ours."""
    cards = [
        (path.stem, licence)
        for path in (PROJECT / "genssl_utils").rglob("*.py")
        for licence in re.findall(r"^ +Licence: (.+)$", path.read_text("utf-8"), re.M)
    ]
    assert len(cards) >= 8
    rows = [line for line in page("licences.md").splitlines() if line.startswith("| ")]
    for word in ("digits", "china.jpg", "flower.jpg", "MNIST", "CIFAR-10"):
        assert any(word in row for row in rows), word
    foreign = {licence for _, licence in cards if not licence.startswith("MIT")}
    for licence in foreign:
        words = licence.split(",")[0].split(" at ")[0].split(" by its ")[0].rstrip(".")
        assert words.lower() in page("licences.md").lower(), licence


@pytest.mark.parametrize("key", ENTRIES)
def test_each_reference_can_be_found(key):
    fields = ENTRIES[key].fields
    numbers = [
        re.fullmatch(r"10\.\d{4,9}/\S+", fields.get("doi", "")),
        re.fullmatch(r"\d{4}\.\d{4,5}", fields.get("eprint", "")),
        len(re.sub(r"\D", "", fields.get("isbn", ""))) == 13,
    ]
    assert "arXiv" not in fields.get("note", ""), "write it as `eprint`, which becomes a link"
    assert any(numbers) or fields.get("url", "").startswith(NO_NUMBER.get(key, "\0")), key
    assert re.fullmatch(r"(19|20)\d\d", fields["year"])


def test_an_isbn_has_its_check_digit():
    seen = [fields["isbn"] for e in ENTRIES.values() if "isbn" in (fields := e.fields)]
    assert seen
    for isbn in seen:
        digits = [int(d) for d in re.sub(r"\D", "", isbn)]
        assert sum(d * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10 == 0

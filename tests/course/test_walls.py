"""The walls of the box, looked at from inside: each claim is put to a submission that tries it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from class_of import ANSWERS, POINTS, Class, needs_sandbox
from genssl_utils.course.grade import sandbox
from genssl_utils.course.grade.cgroups import STALE_SECONDS, Group, sweep
from genssl_utils.course.grade.lane import Lane
from genssl_utils.course.grade.limits import MIB, Limits
from genssl_utils.course.grade.unit_file import unit_for_judge
from genssl_utils.course.source import CourseError

pytestmark = needs_sandbox

LIMITS = Limits(
    seconds=20, call_seconds=10, memory_mib=600, processes=40, file_mib=16, output_kib=64
)

PRELUDE = "import glob, json, os, socket, sys, time\nfound = {}\n"
TELL = "\nprint(json.dumps(found))\n"


@pytest.fixture(scope="module")
def lane(tmp_path_factory):
    """A warm judge and a warm box for the small unit."""
    unit = Class.at(tmp_path_factory.mktemp("walls")).unit
    lane = Lane(unit_for_judge(unit))
    yield lane
    lane.close()


def judged(lane: Lane, first: str, limits: Limits = LIMITS) -> dict:
    """The verdicts on a submission that does this in its first cell."""
    answers = {**ANSWERS, "soft_sign": f"{first}\n{ANSWERS['soft_sign']}"}
    return lane.judge(
        {"cells": [[name, source] for name, source in answers.items()], "exercises": [*ANSWERS],
         "seed": "7" * 64, "limits": limits.to_json()}
    )["exercises"]  # fmt: skip


def probed(lane: Lane, source: str) -> dict:
    """What a submission found, which is right but for what it tries."""
    verdicts = judged(lane, PRELUDE + source + TELL)
    points = {n: sum(c["points"] for c in v["cells"].values()) for n, v in verdicts.items()}
    assert points == POINTS, verdicts
    return json.loads(verdicts["soft_sign"]["printed"])


def test_it_leaves_no_folder_behind(tmp_path, monkeypatch):
    """However it ends: none is made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    box = sandbox.start("this", [], [])
    box.kill()
    box.wait()
    assert not list(tmp_path.iterdir())


def test_it_is_alone_with_what_it_starts(lane):
    found = probed(lane, """
found["pid"], found["parent"] = os.getpid(), os.getppid()
found["others"] = [p for p in os.listdir("/proc") if p.isdigit()]
found["name"] = socket.gethostname()
""")  # fmt: skip
    assert found["pid"] == 1
    assert found["parent"] == 0
    assert found["others"] in (["1"], [])  # nothing at all where /proc may not be mounted
    assert found["name"] == "box"


def test_it_has_no_rights(lane):
    found = probed(lane, """
import ctypes
libc = ctypes.CDLL(None)
found["capabilities"] = [n for n in range(41) if libc.prctl(23, n, 0, 0, 0) > 0]
found["no new privileges"] = libc.prctl(39, 0, 0, 0, 0)
found["seccomp"] = libc.prctl(21, 0, 0, 0, 0)
found["who"] = [os.getuid(), os.geteuid(), os.getgid()]
found["groups"] = os.getgroups()
""")  # fmt: skip
    assert found["capabilities"] == []
    assert found["no new privileges"] == 1
    assert found["seccomp"] == 2
    assert 0 not in found["who"]
    assert 0 not in found["groups"]


def test_it_has_no_network(lane):
    found = probed(lane, """
found["kinds"] = []
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET):
    try:
        socket.socket(family, socket.SOCK_DGRAM)
        found["kinds"].append(int(family))
    except OSError:
        pass
if os.path.exists("/proc/net/dev"):
    found["devices"] = [line.split(":")[0].strip() for line in open("/proc/net/dev")][2:]
    found["routes"] = open("/proc/net/route").read().splitlines()[1:]
""")  # fmt: skip
    assert found["kinds"] == []
    assert found.get("devices", ["lo"]) == ["lo"]
    assert found.get("routes", []) == []


def test_it_finds_nothing_of_the_course_but_its_library(lane):
    course = sandbox.PACKAGE.parent
    found = probed(lane, f"""
found["home"] = [name for name in os.listdir(os.path.expanduser("~")) if name[0] != "."]
found["environment"] = sorted(os.environ)
found["course"] = os.listdir({str(course)!r})
found["tmp"] = os.listdir("/tmp")
found["shm"] = os.listdir("/dev/shm")
found["root"] = os.listdir("/")
found["etc"] = os.listdir("/etc") if os.path.exists("/etc") else []
""")  # fmt: skip
    assert found["home"] == []
    assert set(found["environment"]) - set(sandbox.ENVIRONMENT) <= {
        "PWD", "LC_CTYPE", "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK", "TORCHINDUCTOR_CACHE_DIR",
    }  # fmt: skip
    assert not {"solutions", "submitted", "gradebook.db", "tests", ".git"} & set(found["course"])
    # Where Python or the course lies under /tmp, the way to it is seen, and nothing beside it.
    needed = [Path(path).parts for path in (sys.prefix, sys.base_prefix, course)]
    shown = {parts[2] for parts in needed if parts[1] == "tmp"}
    assert {name for name in found["tmp"] if name[0] != "."} <= shown
    assert found["shm"] == []
    assert not {"home", "var", "mnt", "srv", "sys"} & set(found["root"])
    assert not {"passwd", "shadow", "hosts", "resolv.conf"} & set(found["etc"])


def test_it_can_write_to_its_own_folder_alone_and_not_without_end(lane):
    found = probed(lane, """
found["written"] = []
for base, folders, files in os.walk("/"):
    folders[:] = [f for f in folders if f not in ("usr", "proc", "site-packages", "lib")]
    try:
        open(os.path.join(base, "escaped-from-the-box"), "w").close()
        found["written"].append(base)
    except OSError:
        pass
found["most"] = 0
try:
    with open("/box/one", "wb", buffering=0) as file:
        while True:
            found["most"] += file.write(bytes(1 << 20))
except OSError:
    pass
""")  # fmt: skip
    assert {Path(base).parts[1] for base in found["written"]} <= {"box", "tmp", "dev"}
    assert {base for base in found["written"] if base.startswith("/dev")} <= {"/dev/shm"}
    assert found["most"] <= LIMITS.file_mib * MIB


def test_its_processes_are_counted(lane):
    found = probed(lane, """
started = []
try:
    while len(started) < 200:
        child = os.fork()
        if not child:
            time.sleep(60)
            os._exit(0)
        started.append(child)
except OSError:
    pass
found["started"] = len(started)
for child in started:
    os.kill(child, 9)
    os.waitpid(child, 0)
""")  # fmt: skip
    assert 0 < found["started"] <= LIMITS.processes


def test_it_gets_no_memory_that_its_limit_does_not_count(lane):
    """Files without a name and System V's segments are no process's, and outlive their mapping."""
    found = probed(lane, """
import ctypes
try:
    os.memfd_create("memory")
except OSError as error:
    found["file"] = error.errno
libc = ctypes.CDLL(None, use_errno=True)
for call in ("shmget", "msgget", "semget"):
    found[call] = getattr(libc, call)(0, *{"shmget": (4096, 0o1600)}.get(call, (1, 0o1600)))
""")  # fmt: skip
    assert found == {"file": 38, "shmget": -1, "msgget": -1, "semget": -1}


def test_it_goes_first_where_the_machine_runs_out_of_memory(lane):
    found = probed(lane, """
found["score"] = ""
if os.path.exists("/proc/self/oom_score_adj"):
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("0")
    except OSError:
        pass
    found["score"] = open("/proc/self/oom_score_adj").read().strip()
""")  # fmt: skip
    assert found["score"] in ("1000", "")


def test_it_holds_no_file_but_the_pipe(lane):
    found = probed(lane, """
import stat
found["open"] = {}
for number in range(256):
    try:
        found["open"][number] = stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:
        pass
""")  # fmt: skip
    assert found["open"] == {"0": False, "1": False, "2": False, "3": True}


def test_the_next_one_finds_nothing_of_the_last(lane):
    before = lane.processes()
    judged(lane, """
import os, subprocess
from multiprocessing import shared_memory
os.environ["LEFT"] = "yes"
open("/box/left", "w").write("x")
open("/dev/shm/left", "w").write("x")
import genssl_utils, builtins, torch
genssl_utils.left = builtins.left = torch.left = "yes"
torch.set_num_threads(3)
torch.manual_seed(5)
subprocess.Popen(["sleep", "98765"], start_new_session=True)
get_ipython().user_ns["left"] = "yes"
os.kill(os.getppid(), 9) if os.getppid() else None
""")  # fmt: skip
    found = probed(lane, """
import builtins, genssl_utils, torch
found["left"] = [n for n in ("/box/left", "/dev/shm/left") if os.path.exists(n)]
found["left"] += ["environment"] if "LEFT" in os.environ else []
found["left"] += [str(m) for m in (builtins, genssl_utils, torch) if hasattr(m, "left")]
found["left"] += ["a name"] if "left" in globals() else []
found["left"] += [p for p in os.listdir("/proc") if p.isdigit() and p != "1"]
""")  # fmt: skip
    assert found["left"] == []
    assert lane.processes() == before


def two_at_once(lane, probe: str) -> list[dict]:
    """What two submissions found that ran side by side."""
    found: list[dict] = []
    pair = [threading.Thread(target=lambda: found.append(probed(lane, probe))) for _ in range(2)]
    for one in pair:
        one.start()
    for one in pair:
        one.join()
    return found


def test_two_at_once_do_not_meet(lane):
    meet = """
import fcntl
server = socket.socket(socket.AF_UNIX)
server.bind("\\0meet")  # would be taken already
open("/box/meet", "x").close()
open("/dev/shm/meet", "x").close()
until = time.time() + 1.5
found["others"] = []
while time.time() < until:
    found["others"] += [p for p in os.listdir("/proc") if p.isdigit() and p != "1"]
    for pid in range(2, 200):
        try:
            os.kill(pid, 0)
            found["others"].append(pid)
        except OSError:
            pass
    time.sleep(0.1)
"""
    found = two_at_once(lane, meet)
    assert len(found) == 2  # each got all of its points, and took each name for itself
    assert all(one["others"] == [] for one in found)


@pytest.mark.parametrize("end", ["os._exit(0)", "os.abort()", "ctypes.string_at(0)", "bomb()"])
def test_whatever_ends_one_leaves_the_parents_unharmed(lane, end):
    before = lane.processes()
    judged(lane, f"""
import ctypes, os
def bomb():
    kept = []
    while True:
        kept.append(bytearray(1 << 26))
        os.fork() if len(kept) < 4 else None
{end}
""")  # fmt: skip
    assert lane.processes() == before
    assert probed(lane, "found['well'] = True") == {"well": True}


def test_a_crash_costs_its_own_exercise_alone(lane):
    cells = [["soft_sign", "import ctypes\ndef soft_sign(x):\n    ctypes.string_at(0)"],
             ["jitter", ANSWERS["jitter"]], ["apply_twice", ANSWERS["apply_twice"]]]  # fmt: skip
    job = {"cells": cells, "exercises": [*ANSWERS], "seed": "7" * 64, "limits": LIMITS.to_json()}
    verdicts = lane.judge(job)["exercises"]
    assert verdicts["soft_sign"]["trouble"] == "ended Python (SIGSEGV)"
    for name in ("jitter", "apply_twice"):
        assert verdicts[name]["cells"][f"check_{name}"]["status"] == "passed"


def test_an_exercise_that_is_not_asked_for_stops_no_other(lane):
    cells = [["soft_sign", "while True: pass"], ["jitter", ANSWERS["jitter"]]]
    limits = Limits(seconds=20, call_seconds=1)
    job = {"cells": cells, "exercises": ["jitter"], "seed": "7" * 64, "limits": limits.to_json()}
    verdicts = lane.judge(job)["exercises"]
    assert verdicts["jitter"]["cells"]["check_jitter"]["status"] == "passed"


def test_nothing_is_left_of_a_group():
    made = Group.make(LIMITS)
    folders = list(made.folders)
    made.remove()
    assert not [folder for folder in folders if folder.exists()]


def test_groups_of_judges_that_were_killed_are_taken_away(tmp_path):
    """As an older kernel has them; an empty folder stands for a group without processes."""
    parent = tmp_path / "pids"
    ended = subprocess.Popen(["true"])
    ended.wait()
    names = [f"genssl-{pid}-{what}" for pid in (os.getpid(), ended.pid) for what in ("old", "new")]
    for name in (*names, f"genssl-{ended.pid}-used", "others"):
        (parent / name).mkdir(parents=True)
        if not name.endswith("new"):
            os.utime(parent / name, (0, time.time() - 2 * STALE_SECONDS))
    (parent / "cgroup.procs").write_text("")
    used = parent / f"genssl-{ended.pid}-used"
    (used / "process").write_text("")
    os.utime(used, (0, 0))
    sweep(tmp_path)
    gone = f"genssl-{ended.pid}-old"
    left = {path.name for path in parent.iterdir() if path.is_dir()}
    assert left == {*names, used.name, "others"} - {gone}


def test_the_graders_terminal_is_not_shown(tmp_path_factory):
    import os
    import pty

    ours, terminal = pty.openpty()
    before = os.dup(1)
    os.dup2(terminal, 1)
    try:
        lane = Lane(unit_for_judge(Class.at(tmp_path_factory.mktemp("terminal")).unit))
    finally:
        os.dup2(before, 1)
    try:
        found = probed(lane, """
found["seen"] = [name for name in ("/dev/console", "/dev/tty") if os.path.exists(name)]
found["open"] = []
for name in (*found["seen"], *glob.glob("/dev/pts/[0-9]*")):
    try:
        found["open"].append([name, os.open(name, os.O_RDWR)])
    except OSError:
        pass
""")  # fmt: skip
    finally:
        lane.close()
        for end in (ours, terminal, before):
            os.close(end)
    assert "/dev/console" not in found["seen"]
    assert found["open"] == []


def test_a_terminal_is_ones_own(lane):
    """A shell command runs in a pseudo-terminal; one beside it would hold what it prints."""
    open_one = """
import pty
found["seen"] = os.listdir("/dev/pts")
held = pty.openpty()
found["opened"] = os.ttyname(held[1])
time.sleep(1)
"""
    found = two_at_once(lane, open_one)
    assert [one["opened"] for one in found] == ["/dev/pts/0"] * 2
    assert [one["seen"] for one in found] == [["ptmx"]] * 2


def test_a_course_that_would_be_shown_is_not_graded(tmp_path, monkeypatch):
    (tmp_path / "usr" / "course" / "solutions").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "usr" / "course")
    monkeypatch.setattr(sandbox, "SYSTEM", (*sandbox.SYSTEM, str(tmp_path / "usr")))
    with pytest.raises(CourseError, match="which submissions can read"):
        sandbox.start("genssl_utils.course.grade.box", [], [])

"""The inner wall: a forked process walls itself in before it runs a line of a student's.

Runs inside the outer sandbox (`sandbox.py`), in a child forked from a parent that has torch
imported already. Linux only: namespaces, mounts and capabilities go through libc.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import os
import resource
import signal
from pathlib import Path

from genssl_utils.course.grade.limits import MIB, WORK, Limits

_NAMESPACES = {
    "user": 0x10000000, "pid": 0x20000000, "mount": 0x00020000, "net": 0x40000000,
    "ipc": 0x08000000, "uts": 0x04000000, "cgroup": 0x02000000,
}  # fmt: skip
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REC, _MS_PRIVATE = 1, 2, 4, 8, 1 << 14, 1 << 18
_MS_BIND = 1 << 12
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 24, 38
_PR_SET_DUMPABLE = 4

_FORBIDDEN = (
    "unshare", "setns", "clone3", "mount", "umount2", "move_mount", "open_tree", "fsopen",
    "fsmount", "fsconfig", "fspick", "mount_setattr", "pivot_root", "chroot", "ptrace",
    "process_vm_readv", "process_vm_writev", "kcmp", "keyctl", "add_key", "request_key", "bpf",
    "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module",
    "open_by_handle_at", "name_to_handle_at", "fanotify_init", "quotactl", "acct", "swapon",
    "swapoff", "reboot", "settimeofday", "clock_settime", "adjtimex", "clock_adjtime",
    "sethostname", "setdomainname", "syslog", "personality", "lookup_dcookie", "nfsservctl",
    "vhangup", "iopl", "ioperm", "pidfd_getfd", "mbind", "set_mempolicy", "migrate_pages",
    "move_pages", "shmget", "msgget", "semget", "memfd_create", "memfd_secret",
)  # fmt: skip
"""System calls that no answer needs: through them kernels have been broken out of, or memory is
taken that no limit of a process counts."""

_AS_IF_OLD = ("clone3", "memfd_create", "memfd_secret")
"""Those of them that libraries try first: where a kernel has none, they go another way."""

_libc = ctypes.CDLL(None, use_errno=True)


def enter_namespaces() -> None:
    """Leave all namespaces of the parent; the next fork is the first process of the new ones.

    Raises:
        OSError: the kernel does not allow it.
    """
    uid, gid = os.geteuid(), os.getegid()
    flags = 0
    for flag in _NAMESPACES.values():
        flags |= flag
    _call("unshare", flags)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"1000 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"1000 {gid} 1")


def wall_in(limits: Limits) -> None:
    """Give up everything but a private folder: for the first process of fresh namespaces.

    Args:
        limits: what it may use from here on.

    Raises:
        OSError: a wall could not be put up; then nothing of a student's may run.
    """
    _call("prctl", _PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    with contextlib.suppress(OSError):  # where the machine runs out of memory, this goes first
        Path("/proc/self/oom_score_adj").write_text("1000")
    _call("mount", None, b"/", None, _MS_REC | _MS_PRIVATE, None)
    writable = f"size={limits.file_mib * MIB},nr_inodes=4096,mode=700".encode()
    _call("mount", b"tmpfs", WORK.encode(), b"tmpfs", _MS_NOSUID | _MS_NODEV, writable)
    if not os.listdir("/tmp"):  # else Python itself lies there, and it stays read-only
        _call("mount", WORK.encode(), b"/tmp", None, _MS_BIND, None)
    _own_terminals_only()
    shared = f"size={limits.file_mib * MIB},nr_inodes=256,mode=700".encode()
    _call("mount", b"tmpfs", b"/dev/shm", b"tmpfs", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, shared)
    _own_processes_only()
    _call("sethostname", b"box", 3)
    os.setsid()
    os.chdir(WORK)
    bound(limits)
    _drop_capabilities()
    forbid_calls()


def _own_processes_only() -> None:
    """Show in /proc what runs in here and nothing else; nothing at all where that is refused."""
    # Read-only: else it could undo that it goes first where the machine runs out of memory.
    flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC | _MS_RDONLY
    try:
        _call("mount", b"proc", b"/proc", b"proc", flags, None)
    except PermissionError:
        _call("mount", b"tmpfs", b"/proc", b"tmpfs", flags, b"size=4096")


def _own_terminals_only() -> None:
    """Pseudo-terminals of its own: those of a submission beside it could be read and written."""
    flags = _MS_NOSUID | _MS_NOEXEC
    try:
        _call("mount", b"devpts", b"/dev/pts", b"devpts", flags, b"newinstance,ptmxmode=666")
    except PermissionError:
        _call("mount", b"tmpfs", b"/dev/pts", b"tmpfs", flags | _MS_RDONLY, b"size=4096")


def mapped() -> int:
    """Bytes of address space that this process has now; a guess where /proc does not tell."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return 2048 * MIB
    return int(statm.read_text().split()[0]) * resource.getpagesize()


def bound(limits: Limits, *, processes: bool = True) -> None:
    """Bound this process and what it starts by rlimits; they hold without any cgroup.

    Args:
        limits: what it may use.
        processes: whether to count processes; outside a namespace of its own that would count all
            of the user's.
    """
    most = {
        resource.RLIMIT_AS: mapped() + limits.memory_mib * MIB,
        resource.RLIMIT_FSIZE: limits.file_mib * MIB,
        resource.RLIMIT_CPU: int(limits.seconds * max(1, limits.torch_threads)) + 5,
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    if processes:
        most[resource.RLIMIT_NPROC] = limits.processes
    for what, number in most.items():
        _, hard = resource.getrlimit(what)
        number = number if hard == resource.RLIM_INFINITY else min(number, hard)
        resource.setrlimit(what, (number, number))


def _drop_capabilities() -> None:
    """What `unshare` gave over the new namespaces is given back, for good."""
    _call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    with contextlib.suppress(OSError):  # EINVAL at the first number that is no capability
        for capability in range(64):
            _call("prctl", _PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _call("capset", header, nothing)
    # Losing capabilities clears the mark of a parent's death.
    _call("prctl", _PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def forbid_calls() -> bool:
    """Filter system calls through libseccomp, where the distribution has it.

    Returns:
        Whether the filter stands.

    Raises:
        OSError: there is a libseccomp and it refused.
    """
    name = ctypes.util.find_library("seccomp") or "libseccomp.so.2"
    try:
        seccomp = ctypes.CDLL(name)
    except OSError:
        return False
    seccomp.seccomp_init.restype = ctypes.c_void_p
    filters = seccomp.seccomp_init(ctypes.c_uint32(0x7FFF0000))  # allow what is not named
    refuse, missing = 0x00050000 | 1, 0x00050000 | 38  # EPERM, ENOSYS
    context = ctypes.c_void_p(filters)
    for call in _FORBIDDEN:
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:
            action = missing if call in _AS_IF_OLD else refuse
            seccomp.seccomp_rule_add(context, ctypes.c_uint32(action), number, 0)
    number = seccomp.seccomp_syscall_resolve_name(b"clone")
    for flag in _NAMESPACES.values():
        seccomp.seccomp_rule_add(
            context, ctypes.c_uint32(refuse), number, 1, _Compare(0, 7, flag, flag)
        )
    number = seccomp.seccomp_syscall_resolve_name(b"socket")
    not_unix = _Compare(0, 1, 1, 0)
    seccomp.seccomp_rule_add(context, ctypes.c_uint32(refuse), number, 1, not_unix)
    if failed := seccomp.seccomp_load(context):
        raise OSError(-failed, "libseccomp refused its filter")
    seccomp.seccomp_release(context)
    return True


class _Compare(ctypes.Structure):
    """libseccomp's `scmp_arg_cmp`: which argument, how (1 is ≠, 7 is masked =), with what."""

    _fields_ = [
        ("arg", ctypes.c_uint), ("op", ctypes.c_int),
        ("a", ctypes.c_uint64), ("b", ctypes.c_uint64),
    ]  # fmt: skip


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")

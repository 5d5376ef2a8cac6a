"""Runs a command as systemd would under a unit of ours, for machines where no systemd runs.

``python confined.py UNIT USER WRITABLE… -- COMMAND…`` by root: the unit's directives by namespaces, read-only mounts,
limits, dropped capabilities and a seccomp filter. A directive that it does not know is an error, so that none is tried
in name alone. A directive that systemd alone can bring about (a bound of the memory of a group) is in ``NOT_TRIED``.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import re
import resource
import socket
import struct
import subprocess
import sys
from pathlib import Path

__all__ = ["KNOWN", "NOT_TRIED", "SYSCALLS", "directives"]

NOT_TRIED = {
    "MemoryMax": "a control group; the test compares it with what the processes have",
    "OOMPolicy": "of systemd itself",
    "TasksMax": "a control group",
    "KeyringMode": "of systemd itself",
    "RemoveIPC": "of systemd itself",
    "IPAddressDeny": "a program of the kernel that systemd loads; PrivateNetwork leaves no address at all",
    "ProtectControlGroups": "the mounts are read-only already by ProtectSystem",
    "SystemCallArchitectures": "the filter refuses all others by itself",
}
_OF_THE_SERVICE = {"Type", "ExecStart", "ExecReload", "Restart", "RestartSec", "User", "Group", "StateDirectory"}
_BY_SETPRIV = {"NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "AmbientCapabilities": ""}
_BY_MOUNTS = {
    "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes",
    "PrivateMounts": "yes", "ProtectProc": "invisible", "ProcSubset": "pid", "ProtectKernelTunables": "yes",
    "PrivateNetwork": "yes", "ProtectHostname": "yes",
}  # fmt: skip
_BY_THE_FILTER = {
    "LockPersonality": {"personality"},
    "RestrictRealtime": {"sched_setscheduler", "sched_setattr"},
    "RestrictNamespaces": {"unshare", "setns"},
    "ProtectClock": {"clock_settime", "settimeofday", "adjtimex", "clock_adjtime"},
    "ProtectKernelLogs": {"syslog"},
    "ProtectKernelModules": {"init_module", "finit_module", "delete_module"},
}
KNOWN = {
    *_OF_THE_SERVICE, *_BY_SETPRIV, *_BY_MOUNTS, *_BY_THE_FILTER, *NOT_TRIED, "ReadWritePaths", "LimitNOFILE", "UMask",
    "StateDirectoryMode", "MemoryDenyWriteExecute", "RestrictSUIDSGID", "RestrictAddressFamilies", "SystemCallFilter",
    "SystemCallErrorNumber",
}  # fmt: skip
SYSCALLS = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
_X86_64 = 0xC000003E
_LOAD, _JUMP_EQUAL, _JUMP_ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _EAFNOSUPPORT = 1, 97
_WRITE_AND_EXECUTE, _EXECUTE, _SET_ID_BITS = 6, 4, 0o6000
_SET_NO_NEW_PRIVS, _SET_SECCOMP, _MODE_FILTER = 38, 22, 2


def directives(unit: Path) -> dict[str, list[str]]:
    """What [Service] says, each directive with its values in their order."""
    found: dict[str, list[str]] = {}
    service = unit.read_text().split("[Service]\n")[1].split("\n[")[0]
    for line in service.splitlines():
        if line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def _allowed(filters: list[str]) -> set[str]:
    """The system calls that the lines of SystemCallFilter leave, as systemd.exec(5) reads them."""
    allowed: set[str] = set()
    for line in filters:
        names = {name for group in line.lstrip("~").split() for name in _members(group)}
        allowed = allowed - names if line.startswith("~") else allowed | names
    return allowed


def _members(group: str) -> set[str]:
    if not group.startswith("@"):
        return {group}
    shown = subprocess.run(["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True)
    words = [line.strip() for line in shown.stdout.splitlines()[1:]]
    return {name for word in words if word and not word.startswith("#") for name in _members(word)}


def _filter(said: dict[str, list[str]]) -> bytes:
    """The program of seccomp(2) that does what the unit says of system calls."""
    numbers = dict(re.findall(r"#define __NR_(\w+) (\d+)", SYSCALLS.read_text()))
    allowed = _allowed(said["SystemCallFilter"])
    for directive, calls in _BY_THE_FILTER.items():
        allowed -= calls if said.get(directive) == ["yes"] else set()
    program = [(_LOAD, 0, 0, _ARCHITECTURE), (_JUMP_EQUAL, 1, 0, _X86_64), (_RETURN, 0, 0, _KILL)]
    program.append((_LOAD, 0, 0, _NUMBER))
    for call, argument, bits, all_of in _argument_rules(said):
        if call in allowed:
            test = [(_LOAD, 0, 0, _ARGUMENTS + 8 * argument), (_AND, 0, 0, bits)]
            test += [(_JUMP_EQUAL, 0, 1, bits)] if all_of else [(_JUMP_ANY_BIT, 0, 1, bits)]
            test += [(_RETURN, 0, 0, _REFUSE | _EPERM), (_RETURN, 0, 0, _ALLOW)]
            program += [(_JUMP_EQUAL, 0, len(test), int(numbers[call])), *test]
    families = [int(getattr(socket, name)) for name in said["RestrictAddressFamilies"][0].split()]
    test = [(_LOAD, 0, 0, _ARGUMENTS)]
    for family in families:
        test += [(_JUMP_EQUAL, 0, 1, family), (_RETURN, 0, 0, _ALLOW)]
    test.append((_RETURN, 0, 0, _REFUSE | _EAFNOSUPPORT))
    program += [(_JUMP_EQUAL, 0, len(test), int(numbers["socket"])), *test]
    for call in sorted(allowed & set(numbers)):
        program += [(_JUMP_EQUAL, 0, 1, int(numbers[call])), (_RETURN, 0, 0, _ALLOW)]
    program.append((_RETURN, 0, 0, _REFUSE | _EPERM))
    return b"".join(struct.pack("HBBI", *step) for step in program)


def _argument_rules(said: dict[str, list[str]]) -> list[tuple[str, int, int, bool]]:
    """System calls that are refused for the bits of an argument: call, argument, bits, and whether all must be set."""
    rules: list[tuple[str, int, int, bool]] = []
    if said.get("MemoryDenyWriteExecute") == ["yes"]:
        rules += [("mmap", 2, _WRITE_AND_EXECUTE, True), ("mprotect", 2, _EXECUTE, False)]
        rules += [("pkey_mprotect", 2, _EXECUTE, False), ("shmat", 2, 0o100000, False)]
    if said.get("RestrictSUIDSGID") == ["yes"]:
        rules += [("chmod", 1, _SET_ID_BITS, False), ("fchmod", 1, _SET_ID_BITS, False)]
        rules += [("fchmodat", 2, _SET_ID_BITS, False)]
    return rules


def _mount(said: dict[str, list[str]], writable: list[str]) -> None:
    """In namespaces of our own: all is read-only but what must be written, and /proc shows this user's processes."""
    for key, value in _BY_MOUNTS.items():
        assert said.get(key, [value]) == [value], f"{key} is tried with {value} alone"
    script = ["mount --make-rprivate /"]
    script += [f"mount --bind '{path}' '{path}'" for path in writable]
    subset = ",subset=pid" if "ProcSubset" in said else ""
    script += [f"mount -t proc -o hidepid=invisible{subset} proc /proc"]
    script += [] if subset else ["mount --bind /proc/sys /proc/sys", "mount -o remount,bind,ro /proc/sys"]
    script += ["mount -o remount,bind,ro /", "mount -t tmpfs -o mode=0755 tmpfs /home", "mount -t tmpfs tmpfs /dev/shm"]
    subprocess.run(["sh", "-ec", "\n".join(script)], check=True)


def _main(unit: str, user: str, *words: str) -> None:
    said = directives(Path(unit))
    assert not (unknown := set(said) - KNOWN), f"not tried: {unknown}"
    at = words.index("--")
    entry = pwd.getpwnam(user)
    octets = _filter(said)
    _mount(said, list(words[:at]))
    for limit in map(int, said.get("LimitNOFILE", [])):
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    os.umask(int(said["UMask"][0], 8))
    libc = ctypes.CDLL(None, use_errno=True)
    for number in range(64):  # CapabilityBoundingSet=; there are 41
        libc.prctl(24, number, 0, 0, 0)
    os.setgroups([])
    os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
    buffer = ctypes.create_string_buffer(octets, len(octets))
    program = struct.pack("HxxxxxxP", len(octets) // 8, ctypes.addressof(buffer))
    for arguments in ((_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (_SET_SECCOMP, _MODE_FILTER, program, 0, 0)):
        assert not libc.prctl(*arguments), os.strerror(ctypes.get_errno())
    os.execv(words[at + 1], words[at + 1 :])


if __name__ == "__main__":
    _main(*sys.argv[1:])

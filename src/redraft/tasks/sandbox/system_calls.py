"""What a program under test may ask of the kernel: a list of allowed calls, as a classic BPF program for seccomp.

All else is refused with "not permitted": forking, threads, signals, sockets, executing, tracing, new files,
writing to files, changing limits. Only Linux on x86-64 and AArch64 has a list; where there is none, no process grades
twice.
"""

import platform
import struct
import sys

__all__ = ["filter_program"]

_READ_ONLY = {"x86_64": {"open": (2, 1), "openat": (257, 2)}, "aarch64": {"openat": (56, 2)}}
"""Calls that open files: number and which argument holds the flags."""

_WRITING_FLAGS = 0x1 | 0x2 | 0x40 | 0x200 | 0x400
"""O_WRONLY, O_RDWR, O_CREAT, O_TRUNC and O_APPEND, which have the same value on both machines."""

_ALLOWED = {
    "x86_64": (
        *(0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 19, 20, 21),  # read .. access: files, memory, handlers
        *(23, 24, 25, 28, 35, 39, 60, 63, 79, 89, 96, 98, 99, 100),  # select .. times: waiting, ending, asking
        *(102, 104, 107, 108, 131, 186, 202, 217, 219),  # own ids, sigaltstack, gettid, futex, getdents64, restart
        *(228, 229, 230, 231, 262, 267, 269, 273, 318, 332, 334, 439),  # clocks, exit_group, stat, getrandom, rseq
    ),
    "aarch64": (
        *(17, 48, 57, 61, 62, 63, 64, 65, 66, 67, 72, 73, 78, 79, 80),  # getcwd .. fstat: files
        *(93, 94, 98, 99, 101, 113, 114, 115, 124, 128, 132, 134, 135, 139),  # exit .. rt_sigreturn
        *(153, 160, 165, 169, 172, 174, 175, 176, 177, 178, 179),  # times .. sysinfo: asking
        *(214, 215, 216, 222, 226, 233, 278, 291, 293, 439),  # memory, getrandom, statx, rseq, faccessat2
    ),
}
"""Numbers of the allowed calls, from the kernel's tables of system calls."""

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_LOAD, _JUMP_EQUAL, _JUMP_GREATER, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
_NUMBER_OFFSET, _ARCH_OFFSET, _ARGUMENTS_OFFSET = 0, 4, 16
_OTHER_ABI = 0x40000000
"""Numbers from here on are x86-64's second ABI, under which the same calls have other numbers."""


def filter_program(machine: str | None = None) -> bytes:
    """The BPF instructions for this machine, eight bytes each; empty where there is no list.

    >>> len(filter_program("x86_64")) % 8, filter_program("sparc64")
    (0, b'')

    Args:
        machine: As ``platform.machine`` calls it; None: the one that this runs on.

    Returns:
        The program.
    """
    machine = machine or (platform.machine() if sys.platform == "linux" and sys.maxsize > 2**32 else "")
    if machine not in _ALLOWED:
        return b""
    program = [
        _instruction(_LOAD, 0, 0, _ARCH_OFFSET),
        _instruction(_JUMP_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        _instruction(_RETURN, 0, 0, _KILL),
        _instruction(_LOAD, 0, 0, _NUMBER_OFFSET),
        _instruction(_JUMP_GREATER, 0, 1, _OTHER_ABI),
        _instruction(_RETURN, 0, 0, _KILL),
    ]
    for number, argument in _READ_ONLY[machine].values():
        program += [
            _instruction(_JUMP_EQUAL, 0, 4, number),
            _instruction(_LOAD, 0, 0, _ARGUMENTS_OFFSET + 8 * argument),
            _instruction(_JUMP_ANY_BIT, 0, 1, _WRITING_FLAGS),
            _instruction(_RETURN, 0, 0, _REFUSE),
            _instruction(_RETURN, 0, 0, _ALLOW),
        ]
    for number in _ALLOWED[machine]:
        program += [_instruction(_JUMP_EQUAL, 0, 1, number), _instruction(_RETURN, 0, 0, _ALLOW)]
    return b"".join([*program, _instruction(_RETURN, 0, 0, _REFUSE)])


def _instruction(code: int, if_true: int, if_false: int, value: int) -> bytes:
    """One ``struct sock_filter``."""
    return struct.pack("=HBBI", code, if_true, if_false, value)

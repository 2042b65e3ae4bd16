"""usage: answer-calls.py ANSWER... -- PROGRAM [ARGUMENT...]

Runs a program for which seccomp(2) answers some system calls. ANSWER is one of:
  setgroups=0   setgroups(2) succeeds and does nothing: what buildah does by itself since its pull request 6961
  newuser=1     no user namespace can be made (EPERM), as in a pod with the runtime's default profile
"""
import ctypes
import os
import platform
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
LOAD, EQUAL, BITS, RETURN = 0x20, 0x15, 0x45, 0x06
CLONE_NEWUSER = 0x10000000
NUMBER, FIRST_ARGUMENT = 0, 16

numbers = {
    "x86_64": {"setgroups": 116, "unshare": 272, "clone": 56},
    "aarch64": {"setgroups": 159, "unshare": 97, "clone": 220},
}[platform.machine()]


def answer_setgroups(error):
    return [(LOAD, 0, 0, NUMBER), (EQUAL, 0, 1, numbers["setgroups"]), (RETURN, 0, 0, ERRNO | error)]


def answer_newuser(error):
    return [
        (LOAD, 0, 0, NUMBER),
        (EQUAL, 1, 0, numbers["unshare"]),
        (EQUAL, 0, 3, numbers["clone"]),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (BITS, 0, 1, CLONE_NEWUSER),
        (RETURN, 0, 0, ERRNO | error),
    ]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def install(instructions):
    code = b"".join(struct.pack("HBBI", *one) for one in instructions)
    buffer = ctypes.create_string_buffer(code)
    program = Program(len(instructions), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0
    ):
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")


answers = {"setgroups": answer_setgroups, "newuser": answer_newuser}
end = sys.argv.index("--")
filters = []
for word in sys.argv[1:end]:
    name, error = word.split("=")
    filters += answers[name](int(error))
install([*filters, (RETURN, 0, 0, ALLOW)])
os.execvp(sys.argv[end + 1], sys.argv[end + 1 :])

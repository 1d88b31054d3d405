"""Libraries that stand in for CUDA's, so that PyTorch's CUDA wheel can be imported on a CPU.

    standins.make("torch/lib")

libtorch_python.so names libtorch_cuda.so, libcudnn.so.9 and libcufile.so.0 as libraries that it
needs. The loader wants them to be there and to define what is asked of them; on a CPU nothing calls
it. So each function here is a trap, and each virtual table is empty.
"""

import os
import shutil
import subprocess
import tempfile

# Reads as a function that returns a reference to a pointer, which PyTorch sets when it is loaded.
GIL_CHECKER = "_ZN4c10d15get_gil_checkerEv"

# Defines what it does not get from elsewhere.
MODULE = "libtorch_python.so"
REAL = ["libtorch_cpu.so", "libc10.so", "libc10_cuda.so", "libshm.so", "libcudart.so.13",
        "libgomp.so.1"]
SYSTEM = ["libstdc++.so.6", "libc.so.6", "libm.so.6", "libgcc_s.so.1"]

FUNCTION = """
.text
.globl {0}
.type {0}, @function
{0}: ud2
"""
POINTER = """
.bss
.balign 16
.Lpointer: .fill 1, 8, 0
.text
.globl {0}
.type {0}, @function
{0}: lea .Lpointer(%rip), %rax
  ret
"""
# A class without bases; its name is what types are compared by.
TYPE_INFO = """
.data
.balign 16
.globl {0}
.type {0}, @object
{0}: .quad _ZTVN10__cxxabiv117__class_type_infoE + 16
  .quad 1f
1: .string "{1}"
"""
VIRTUAL_TABLE = """
.data
.balign 16
.globl {0}
.type {0}, @object
{0}: .fill 64, 8, 0
"""


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def symbols(selection, paths):
    """Names of dynamic symbols, with versions."""
    lines = [line.split() for line in run("nm", "-D", selection, *paths).splitlines()]
    # Weak ones may stay undefined.
    return {words[-1] for words in lines
            if len(words) > 1 and (selection == "--defined-only" or words[-2] == "U")}


def missing(folder):
    """What the module wants of libraries that are not there: (name, version or "")."""
    there = [os.path.join(folder, name) for name in REAL]
    there += [run("gcc", "-print-file-name=" + name).strip() for name in SYSTEM]
    defined = {name.split("@")[0] for name in symbols("--defined-only", there)}
    wanted = symbols("--undefined-only", [os.path.join(folder, MODULE)])
    for name, _, version in (name.partition("@") for name in sorted(wanted)):
        # Python's own are in the program that loads the module.
        if name not in defined and not name.startswith(("Py", "_Py")):
            yield name, version.strip("@")


def assembly(name):
    if name == GIL_CHECKER:
        return POINTER.format(name)
    if name.startswith("_ZTI"):
        return TYPE_INFO.format(name, name[len("_ZTI"):])
    return (VIRTUAL_TABLE if name.startswith("_ZTV") else FUNCTION).format(name)


def library(path, names, version=""):
    """Writes a shared library that defines `names`."""
    with tempfile.TemporaryDirectory() as scratch:
        source, script = os.path.join(scratch, "a.s"), os.path.join(scratch, "version")
        result = os.path.join(scratch, "result")
        with open(source, "w") as f:
            f.write('.section .note.GNU-stack, "", @progbits\n' + "".join(map(assembly, names)))
        command = ["gcc", "-shared", "-nostdlib", "-Wl,-soname," + os.path.basename(path), source,
                   "-o", result, "-lstdc++"]
        if version:
            with open(script, "w") as f:
                f.write(version + " { global: *; };\n")
            command.append("-Wl,--version-script=" + script)
        run(*command)
        shutil.copy(result, path + ".new")
    os.replace(path + ".new", path)


def make(folder):
    """Puts the stand-ins beside the libraries in `folder`, libtorch_cuda.so last."""
    wanted = list(missing(folder))
    for name, version in [("libcudnn.so.9", "libcudnn.so.9"), ("libcufile.so.0", "")]:
        library(os.path.join(folder, name), [s for s, v in wanted if v and v == version], version)
    library(os.path.join(folder, "libtorch_cuda.so"), [s for s, v in wanted if not v])

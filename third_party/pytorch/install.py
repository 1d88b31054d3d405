#!/usr/bin/env python3
"""Unpacks PyTorch for Python into the cache, once per machine (README.md).

    install.py [--cached]

Prints the folder to put into PYTHONPATH of a python3.11. With --cached it downloads nothing and
ends with exit code 3 if that was not done before.
"""

import argparse
import hashlib
import os
import pwd
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import standins  # pylint: disable=wrong-import-position

HERE = os.path.dirname(os.path.abspath(__file__))
LOCK = os.path.join(HERE, "requirements.lock")
FETCH = os.path.join(HERE, "..", "wheels", "fetch.py")

# The first match wins; what matches nothing is left out.
KEEP = [
    "torch/include/**=",
    "torch/lib/libtorch_cuda*=",
    "torch/lib/libtorch_nvshmem.so=",
    "torch/bin/torch_shm_manager=torch/bin/",
    "torch/bin/**=",
    "torch/**=torch/",
    "torchgen/**=torchgen/",
    "nvidia/cu13/lib/libcudart.so.13=torch/lib/",
    "nvidia/cu13/lib/libcupti.so.13=torch/lib/",
    "typing_extensions.py=./",
    "sympy/**=sympy/",
    "mpmath/**=mpmath/",
]


def cache():
    """As the rest of the tree has it; the home of the user even where a test has another $HOME."""
    home = pwd.getpwuid(os.getuid()).pw_dir
    return os.environ.get("MANTISSA_CACHE") or os.path.join(home, ".cache", "mantissa")


def link():
    """Where the result is, once it is complete."""
    with open(LOCK, "rb") as lock, open(standins.__file__, "rb") as program:
        key = hashlib.sha256(lock.read() + program.read() + "\n".join(KEEP).encode())
    return os.path.join(cache(), "pytorch-" + key.hexdigest()[:16])


def install():
    command = [sys.executable, FETCH, "--lock", LOCK, "--cache", cache()]
    for rule in KEEP:
        command += ["--keep", rule]
    fetched = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    folder = fetched.stdout.strip()
    standins.make(os.path.join(folder, "torch", "lib"))
    os.symlink(folder, link() + ".new")
    os.replace(link() + ".new", link())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cached", action="store_true")
    args = parser.parse_args()
    if not os.path.isdir(link()):
        if args.cached:
            sys.exit(3)
        install()
    print(link())


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Downloads pinned wheels and unpacks parts of them, once per machine.

    fetch.py --lock requirements.lock --cache DIR --keep 'torch/lib/libc10.so=lib/' ...

Prints the folder with the result: DIR/wheels/<hash of the lock file and the rules>. A second call
with the same arguments only prints it. pip checks the hashes in the lock file.

A rule is PATTERN=PLACE. PATTERN is a shell pattern for paths inside the wheels, PLACE where
matches go: a path that ends in "/" takes the file's name; with "PREFIX**=PLACE/" everything below
PREFIX goes below PLACE. The first rule that matches wins; an empty PLACE drops the file.
"""

import argparse
import fcntl
import fnmatch
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile

PLATFORMS = ["manylinux_2_28_x86_64", "manylinux_2_25_x86_64", "manylinux2014_x86_64"]


def place(path, rules):
    """Where `path` of a wheel goes, or None."""
    for pattern, target in rules:
        if pattern.endswith("**"):
            prefix = pattern[:-2]
            if path.startswith(prefix):
                return target + path[len(prefix):] if target else None
        elif fnmatch.fnmatch(path, pattern):
            if target.endswith("/"):
                return target + os.path.basename(path)
            return target or None
    return None


def unpack(wheel, rules, folder):
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            target = place(member.filename, rules)
            if member.is_dir() or target is None:
                continue
            out = os.path.join(folder, target)
            os.makedirs(os.path.dirname(out), exist_ok=True)
            with archive.open(member) as source, open(out, "wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
            is_program = "/bin/" in "/" + target or ".so" in os.path.basename(target)
            os.chmod(out, 0o755 if is_program else 0o644)


def download(lock, folder):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--no-deps",
               "--only-binary=:all:", "--python-version", "3.11", "--implementation", "cp",
               "--disable-pip-version-check", "--requirement", lock, "--dest", folder]
    for platform in PLATFORMS:
        command += ["--platform", platform]
    subprocess.run(command, check=True, stdout=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lock", required=True)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--keep", action="append", default=[])
    args = parser.parse_args()

    with open(args.lock, "rb") as f:
        key = hashlib.sha256(f.read() + "\n".join(args.keep).encode()).hexdigest()[:16]
    root = os.path.join(args.cache, "wheels")
    os.makedirs(root, exist_ok=True)
    result = os.path.join(root, key)
    rules = [tuple(rule.split("=", 1)) for rule in args.keep]

    with open(os.path.join(root, key + ".lock"), "w") as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        if not os.path.isdir(result):
            with tempfile.TemporaryDirectory(dir=root) as scratch:
                wheels, tree = os.path.join(scratch, "wheels"), os.path.join(scratch, "tree")
                os.makedirs(tree)
                download(args.lock, wheels)
                for wheel in sorted(os.listdir(wheels)):
                    unpack(os.path.join(wheels, wheel), rules, tree)
                os.rename(tree, result)
    print(result)


if __name__ == "__main__":
    main()

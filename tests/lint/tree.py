"""The files of the source tree, for lints.

    for path in tree.files(".h", ".cc"):
        check(path, tree.read(path))
"""

import os
import subprocess

# //:WORKSPACE among the test's data is a link into the tree.
ROOT = os.path.dirname(os.path.realpath("WORKSPACE"))


def files(*endings):
    """Paths from the top of all files that git tracks or would add, sorted; only those that end in
    one of `endings`, if given."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.decode()
    return sorted(path for path in set(listed.split("\0"))
                  if path and (not endings or path.endswith(endings))
                  and os.path.isfile(os.path.join(ROOT, path)))


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as f:
        return f.read()

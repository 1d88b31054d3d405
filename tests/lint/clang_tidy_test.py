"""clang-tidy on a sample: the checks in .clang-tidy on a few files, as each takes seconds.

The sample depends on the paths only, so that a run can be repeated.
"""

import hashlib
import os
import re
import subprocess
import tempfile
import unittest

from tests import cases
from tests.lint import tree

MAX_FILES = 6


def sample(paths):
    """Up to MAX_FILES of `paths`, evenly over the tree."""
    return sorted(sorted(paths, key=lambda path: hashlib.sha256(path.encode()).hexdigest())[:MAX_FILES])


def reaches(path, seen):
    """Adds what `path` includes, directly or not, to `seen`."""
    for include in re.findall(r'^#include ["<]([^">]+)[">]', tree.read(path), re.MULTILINE):
        if include not in seen:
            seen.add(include)
            if os.path.isfile(os.path.join(tree.ROOT, include)):
                reaches(include, seen)
    return seen


def can_be_checked(path):
    """Without LibTorch (half a minute a file) and generated headers (they are elsewhere)."""
    return (path.startswith(("base/", "kernels/", "planner/", "server/", "client/")) and
            not any(include.endswith(".pb.h") or include.startswith(("ATen/", "c10/", "torch/"))
                    for include in reaches(path, set())))


def warnings(paths, cwd):
    result = subprocess.run(
        ["clang-tidy", "--quiet", "--warnings-as-errors=*"] + paths +
        ["--", "-std=c++20", "-x", "c++", "-I", tree.ROOT],
        cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    if result.returncode == 0:
        return ""
    return result.stdout or result.stderr


class ClangTidyTest(unittest.TestCase):

    def test_sample_of_the_tree_is_without_warnings(self):
        paths = sample([path for path in tree.files(".cc") if can_be_checked(path)])
        halves = [paths[0::2], paths[1::2]]
        self.assertGreater(len(paths), 5)
        found = [warnings(half, tree.ROOT) for half in halves]
        self.assertEqual(["", ""], found, "\n".join(found))

    def test_bad_sample_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in [(".clang-tidy", tree.read(".clang-tidy")),
                               ("bad.cc", "struct A { virtual ~A(); virtual int f(); };\n"
                                          "struct B : A { virtual int f(); };\n")]:
                with open(os.path.join(folder, name), "w") as f:
                    f.write(text)
            self.assertIn("modernize-use-override", warnings(["bad.cc"], folder))


if __name__ == "__main__":
    cases.main()

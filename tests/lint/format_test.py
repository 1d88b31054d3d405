"""C++ is formatted as .clang-format says."""

import os
import subprocess
import tempfile
import unittest

from tests import cases
from tests.lint import tree


def badly_formatted(paths, cwd):
    """Those of `paths` that clang-format would change."""
    bad = []
    for start in range(0, len(paths), 50):
        result = subprocess.run(
            ["clang-format", "--dry-run", "--ferror-limit=1"] + paths[start:start + 50],
            cwd=cwd, check=True, stderr=subprocess.PIPE, universal_newlines=True)
        bad += [line.split(":")[0] for line in result.stderr.splitlines()
                if "clang-format-violations" in line]
    return sorted(set(bad))


class FormatTest(unittest.TestCase):

    def test_every_source_file_is_formatted(self):
        self.assertEqual([], badly_formatted(tree.files(".h", ".cc", ".cu"), tree.ROOT),
                         "Run clang-format -i on these.")

    def test_badly_formatted_sample_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in [(".clang-format", tree.read(".clang-format")),
                               ("good.cc", "int f(int* a) { return *a; }\n"),
                               ("bad.cc", "int f(int *a) {return *a;}\n")]:
                with open(os.path.join(folder, name), "w") as f:
                    f.write(text)
            self.assertEqual(["bad.cc"], badly_formatted(["bad.cc", "good.cc"], folder))


if __name__ == "__main__":
    cases.main()

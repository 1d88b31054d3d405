"""BUILD and .bzl files are formatted and free of buildifier's warnings."""

import os
import subprocess
import tempfile
import unittest

from tests import cases
from tests.lint import tree

BUILDIFIER = os.path.abspath(os.environ["BUILDIFIER"])

# Off: they ask for rules_cc and its kin, which Bazel 4.2 has built in.
OFF = ["native-cc-binary", "native-cc-common", "native-cc-info", "native-cc-library",
       "native-cc-test", "native-sh-binary", "native-sh-test"]


def complaints(paths, cwd):
    result = subprocess.run(
        [BUILDIFIER, "--mode=check", "--lint=warn", "--warnings=" + ",".join("-" + w for w in OFF)] +
        paths, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    return result.stdout if result.returncode else ""


class BuildifierTest(unittest.TestCase):

    def test_tree_is_formatted_and_without_warnings(self):
        paths = tree.files("BUILD", ".bzl", "WORKSPACE")
        self.assertEqual("", complaints(paths, tree.ROOT))

    def test_bad_samples_are_found(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in [("a/BUILD", 'cc_library(name="x")\n'),
                               ("b/BUILD", 'load("//a:b.bzl", "unused")\n'),
                               ("c/BUILD", 'cc_library(\n    name = "x",\n)\n')]:
                os.makedirs(os.path.join(folder, os.path.dirname(name)))
                with open(os.path.join(folder, name), "w") as f:
                    f.write(text)
            self.assertIn("reformat", complaints(["a/BUILD"], folder))
            self.assertIn("unused", complaints(["b/BUILD"], folder))
            self.assertEqual("", complaints(["c/BUILD"], folder))


if __name__ == "__main__":
    cases.main()

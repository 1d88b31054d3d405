"""The API follows buf's rules (proto/buf.yaml)."""

import os
import subprocess
import tempfile
import unittest

from tests import cases
from tests.lint import tree

BUF = os.path.abspath(os.environ["BUF"])


def complaints(folder):
    with tempfile.TemporaryDirectory() as home:
        result = subprocess.run([BUF, "lint"], cwd=folder, env={"HOME": home, "PATH": "/usr/bin:/bin"},
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                universal_newlines=True)
    return result.stdout if result.returncode else ""


class BufTest(unittest.TestCase):

    def test_api_is_without_complaints(self):
        self.assertEqual("", complaints(os.path.join(tree.ROOT, "proto")))

    def test_bad_sample_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "mantissa/v1"))
            with open(os.path.join(folder, "buf.yaml"), "w") as f:
                f.write(tree.read("proto/buf.yaml"))
            with open(os.path.join(folder, "mantissa/v1/bad.proto"), "w") as f:
                f.write('syntax = "proto3";\npackage mantissa.v1;\n// A message.\nmessage bad {\n'
                        "  // A field.\n  int32 badName = 1;\n  int32 uncommented = 2;\n}\n")
            found = complaints(folder)
        self.assertIn("should be PascalCase", found)
        self.assertIn("should be lower_snake_case", found)
        self.assertIn('Field "uncommented" should have', found)


if __name__ == "__main__":
    cases.main()

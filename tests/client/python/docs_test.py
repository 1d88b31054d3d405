"""The code of docs/python.md runs as it stands there, and the example does what it says."""

import contextlib
import io
import os
import re
import runpy
import shutil
import tempfile
import unittest

from tests import cases
from tests.e2e import harness

ROOT = os.getcwd()


def snippets():
    """The pieces of Python in docs/python.md, in order."""
    with open(os.path.join(ROOT, "docs/python.md"), encoding="utf-8") as file:
        return re.findall(r"^```python\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)


class DocumentsTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.server = harness.Server()
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        os.environ["MANTISSA_SERVER"] = cls.server.address
        cls.addClassCleanup(os.environ.pop, "MANTISSA_SERVER")

    def setUp(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.addCleanup(os.chdir, ROOT)
        os.chdir(folder)

    def test_every_piece_of_code_in_the_manual_runs(self):
        printed, names = {}, {}
        for number, code in enumerate(snippets()):
            out = io.StringIO()
            with self.subTest(code), contextlib.redirect_stdout(out):
                exec(compile(code, f"docs/python.md, piece {number}", "exec"), names)
            printed[number] = out.getvalue()
        text = "".join(printed.values())
        self.assertIn("INVALID_ARGUMENT precision.low_ratio", text)
        self.assertIn("300 100\n", text)
        self.assertIn("'aten::conv2d'", text)
        self.assertIn("succeeded\n", text)
        self.assertTrue(os.path.exists("trained.safetensors"))

    def test_example_trains_a_module_that_comes_back_able(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            runpy.run_path(os.path.join(ROOT, "examples/bring_your_model.py"), run_name="__main__")
        lines = out.getvalue().splitlines()
        share = re.fullmatch(r"([0-9.]+)% of 500 samples that the server never saw are right",
                             lines[-1])
        # One in ten would be right by chance.
        self.assertGreater(float(share[1]), 90.0)
        self.assertTrue([line for line in lines if line.startswith("step 160/160")], lines[-5:])
        self.assertLess(len(open(os.path.join(ROOT, "examples/bring_your_model.py"),
                                 encoding="utf-8").readlines()), 45)


if __name__ == "__main__":
    cases.main()

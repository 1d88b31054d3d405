"""The package says of its types what holds, and of its needs what it has."""

import importlib.metadata
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from packaging import requirements

import mantissa
from tests import cases

CONFIG = os.path.abspath("client/python/pyproject.toml")

USE = """
import mantissa

def train(client: mantissa.Client) -> int:
    job = client.submit("builtin:resnet18", "digits", low_ratio=0.5, memory="8GiB")
    rows = client.plan("builtin:resnet18", classes=10).rows
    return job.memory().measured.peak_bytes + rows[0].elements
"""
MISUSE = """
import mantissa

def train(client: mantissa.Client) -> int:
    client.submit("builtin:resnet18", "digits", low_ration=0.5)
    client.plan("builtin:resnet18", low_ratio="half")
    return client.job("job-1").id
"""


class TypesTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)

    def mypy(self, *arguments):
        """What mypy prints, from a folder without anything to import."""
        path = os.pathsep.join(os.path.abspath(part) for part in
                               os.environ["PYTHONPATH"].split(os.pathsep) if part != ".")
        return subprocess.run(
            [sys.executable, "-m", "mypy", "--config-file", CONFIG, "--cache-dir", self.folder,
             *arguments], cwd=self.folder, env=dict(os.environ, PYTHONPATH=path), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout

    def test_package_passes_mypy_strictly(self):
        self.assertRegex(self.mypy("-p", "mantissa"),
                         "^Success: no issues found in [0-9]+ source files\n$")

    def test_users_are_told_of_wrong_options_and_types(self):
        self.assertIn("Success", self.mypy("-c", USE))
        findings = self.mypy("-c", MISUSE)
        for words in ('Unexpected keyword argument "low_ration"', 'Argument "low_ratio"',
                      'Incompatible return value type (got "str", expected "int")'):
            self.assertIn(words, findings)

    def test_package_is_marked_as_typed(self):
        self.assertTrue((pathlib.Path(mantissa.__file__).parent / "py.typed").exists())


class NeedsTest(unittest.TestCase):

    def test_needs_are_grpc_protobuf_and_numpy_alone_and_are_met_here(self):
        needs = [requirements.Requirement(line) for line in importlib.metadata.requires("mantissa")]
        always = {need.name: need.specifier for need in needs if need.marker is None}
        self.assertEqual({"grpcio", "protobuf", "numpy"}, set(always))
        for name, versions in always.items():
            self.assertIn(importlib.metadata.version(name), versions, name)

    def test_package_is_imported_without_torch_and_pandas(self):
        script = ("import sys; sys.modules['torch'] = sys.modules['pandas'] = None; "
                  "import mantissa; mantissa.Client('127.0.0.1:1').close(); print('imported')")
        done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True,
                              check=True)
        self.assertEqual("imported\n", done.stdout)

    def test_every_public_name_has_a_docstring(self):
        for name in mantissa.__all__:
            thing = getattr(mantissa, name)
            self.assertTrue(thing.__doc__, name)
            for member, value in vars(thing).items():
                if callable(value) and not member.startswith("_"):
                    self.assertTrue(value.__doc__, f"{name}.{member}")


if __name__ == "__main__":
    cases.main()

"""tests/gpu/run's CPU half: the same programs and tables, at a small size."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from tests import cases
from tests.gpu import measure, report

BINARIES = ["tests/gpu/kernel_bench", "tests/bench/peers/libmeter.so", "tests/bench/peers/ours",
            "tests/kernels/packed/gpu_test"]


class CpuHalfTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        for path in BINARIES:
            os.symlink(os.path.abspath(path), os.path.join(folder.name, os.path.basename(path)))
        cls.args = measure.parse(["--binaries", folder.name, "--cpu", "--models", "resnet18"])
        cls.results = measure.measure(cls.args)
        cls.rows = cls.results["steps"][0]["rows"]
        cls.peaks = {row["name"]: row["peak_bytes"] for row in cls.rows}

    def test_every_contract_of_the_kernels_ran_and_none_failed(self):
        self.assertTrue(self.results["contracts"])
        for name, passed, skipped, failed in self.results["contracts"]:
            self.assertEqual(0, failed, name)
            self.assertGreater(passed + skipped, 0, name)

    def test_without_a_gpu_the_script_says_so_and_fails(self):
        if not any(skipped for _, _, skipped, _ in self.results["contracts"]):
            self.skipTest("this machine has a GPU")
        with tempfile.TemporaryDirectory() as folder:
            scripts = os.path.join(folder, "tests", "gpu")
            os.makedirs(scripts)
            for name in ["run", "measure.py", "report.py"]:
                shutil.copy(os.path.join("tests", "gpu", name), scripts)
            os.symlink(self.args.binaries, os.path.join(folder, "gpu-binaries"))
            ran = subprocess.run(["sh", os.path.join(scripts, "run")], capture_output=True,
                                 env=dict(os.environ, PYTHON=sys.executable), text=True,
                                 check=False)
        self.assertEqual(1, ran.returncode, ran.stderr)
        self.assertIn("This machine has no GPU", ran.stderr)

    def test_every_kernel_has_a_rate_beside_the_copy(self):
        kernels = self.results["kernels"]
        self.assertEqual("cpu", kernels["device"])
        self.assertGreater(kernels["copy_bytes_per_second"], 0)
        self.assertGreater(len(kernels["kernels"]), 15)
        for kernel in kernels["kernels"]:
            self.assertGreater(kernel["of_copy"], 0, kernel["name"])

    def test_peaks_fall_with_the_low_ratio_in_both_recipes(self):
        for recipe in ["paper", "bf16"]:
            peaks = [self.peaks["Mantissa fp32"]] + [
                self.peaks[f"Mantissa {recipe}, r = {ratio}"] for ratio in measure.RATIOS]
            self.assertEqual(sorted(peaks, reverse=True), peaks, recipe)

    def test_tables_hold_every_row_and_go_between_the_marks_of_a_page(self):
        text = report.render(self.results)
        for row in self.rows:
            self.assertNotIn("failed", row)
            self.assertIn(f"| {row['name']} | {row['peak_bytes'] / 1e6:,.1f} |", text)
        with tempfile.NamedTemporaryFile("w+", suffix=".md") as page:
            page.write(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
            page.flush()
            report.write(page.name, text)
            with open(page.name, encoding="utf-8") as f:
                written = f.read()
        self.assertTrue(written.startswith(f"before\n{report.BEGIN}\n\n"))
        self.assertTrue(written.endswith(f"{report.END}\nafter\n"))
        self.assertIn(text, written)
        self.assertNotIn("old", written)

    def test_a_row_that_does_not_fit_is_told_and_the_others_stay(self):
        rows = [dict(self.rows[0], name=report.FP32), {"name": "too big", "failed": "exit code 1"}]
        text = report.steps("resnet18", 16, rows)
        self.assertIn("| too big | exit code 1 |", text)
        self.assertIn(f"| {report.FP32} |", text)


if __name__ == "__main__":
    cases.main()

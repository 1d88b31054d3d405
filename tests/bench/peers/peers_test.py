"""The comparison with PyTorch at a small size. Some 40 processes: run it by hand.

    bazel test //tests/bench/peers:peers_test
"""

import os
import unittest

from tests import cases
from tests.bench.peers import compare, report

BINARIES = os.path.join("tests", "bench", "peers")


def arguments(*only):
    """Small enough for seconds, large enough that activations outweigh what a tile needs."""
    return compare.parse(["--batch", "64", "--width", "0.25", "--steps", "1", "--threads", "2",
                          "--binaries", BINARIES] + [f"--only={name}" for name in only])


class MantissaTest(unittest.TestCase):
    """Needs no PyTorch."""

    @classmethod
    def setUpClass(cls):
        cls.rows = {}
        for model in ["resnet18", "mobilenet_v2"]:
            rows = compare.Comparison(arguments(), model, None).rows()
            cls.rows[model] = {row["name"]: row for row in rows}

    def test_bytes_saved_for_backward_follow_the_formats(self):
        for model, rows in self.rows.items():
            fp32 = rows["Mantissa fp32"]["saved_bytes"]
            self.assertLess(rows["Mantissa r = 1"]["saved_bytes"], 0.28 * fp32, model)
            self.assertLess(rows["Mantissa r = 0.5"]["saved_bytes"], 0.45 * fp32, model)
            self.assertLess(rows["Mantissa r = 0"]["saved_bytes"], 0.55 * fp32, model)

    def test_peak_falls_with_the_low_ratio_and_with_recomputing(self):
        for model, rows in self.rows.items():
            names = ["Mantissa fp32", "Mantissa r = 0", "Mantissa r = 0.5", "Mantissa r = 1",
                     "Mantissa r = 1, recomputing"]
            peaks = [rows[name]["peak_bytes"] for name in names]
            self.assertEqual(sorted(peaks, reverse=True), peaks, model)


class PyTorchTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        try:
            cls.pytorch = compare.find_pytorch(download=False)
        except compare.Missing as missing:
            raise unittest.SkipTest(str(missing)) from missing

    def row(self, model, way):
        return compare.Comparison(arguments(), model, self.pytorch).run_pytorch(way)

    def test_growth_over_the_forward_pass_is_what_autograd_saves(self):
        for way in ["fp32", "bf16"]:
            row = self.row("mobilenet_v2", way)
            # The hooks see the batch too; it is there before the step.
            batch = 64 * 3 * 32 * 32 * 4 if way == "fp32" else 0
            self.assertAlmostEqual(1, row["saved_bytes"] / (row["hook_bytes"] - batch), delta=0.01)

    def test_table_holds_every_way_and_marks_the_best(self):
        rows = compare.Comparison(arguments(), "mobilenet_v2", self.pytorch).rows()
        self.assertEqual([name for name, _ in compare.PYTORCH + compare.MANTISSA],
                         [row["name"] for row in rows])
        smallest = min(rows, key=lambda row: row["peak_bytes"])["name"]
        marked = [line for line in report.table(rows).splitlines()
                  if line.split("|")[2].strip().startswith("**")]
        self.assertEqual(1, len(marked))
        self.assertIn(f"| {smallest} |", marked[0])
        ratio = {row["name"]: row["peak_bytes"] / rows[0]["peak_bytes"] for row in rows}
        self.assertLess(ratio["Mantissa r = 1"], 0.34)
        # 8 bits behind autograd's back save the bytes between the passes, not the peak.
        self.assertLess(ratio["Mantissa r = 1"], ratio["PyTorch fp32, saved tensors in 8 bits"])

    def test_networks_have_the_same_parameters_on_both_sides(self):
        for model in ["resnet18", "mobilenet_v2", "shufflenet_v2", "squeezenet"]:
            rows = compare.Comparison(arguments("PyTorch fp32", "Mantissa fp32"), model,
                                      self.pytorch).rows()
            self.assertEqual(rows[0]["parameters"], rows[1]["parameters"])


if __name__ == "__main__":
    cases.main()

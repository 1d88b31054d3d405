"""Tables of the comparison with PyTorch."""

import os
import tempfile
import unittest

from tests import cases
from tests.bench.peers import compare, report


class ReportTest(unittest.TestCase):

    ROWS = [
        {"name": "PyTorch fp32", "peak_bytes": 4_000_000, "saved_bytes": 3_000_000, "seconds": 1.0},
        {"name": "other", "peak_bytes": 1_000_000, "saved_bytes": 3_300_000, "seconds": 2.5},
    ]

    def test_best_of_each_column_is_bold_whoever_it_is(self):
        lines = report.table(self.ROWS).splitlines()
        self.assertEqual(
            "| PyTorch fp32 | 4.0 | 1.000 | **3.0** | **1.000** | **1.00** | **1.000** |", lines[2])
        self.assertEqual("| other | **1.0** | **0.250** | 3.3 | 1.100 | 2.50 | 2.500 |", lines[3])

    def test_writing_replaces_the_measured_part_only(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.md")
            with open(path, "w", encoding="utf-8") as f:
                f.write(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
            report.write(path, "new\n")
            with open(path, encoding="utf-8") as f:
                self.assertEqual(f"before\n{report.BEGIN}\n\nnew\n\n{report.END}\nafter\n", f.read())

    def test_file_without_the_lines_is_refused(self):
        with tempfile.NamedTemporaryFile("w", suffix=".md") as f:
            f.write("text\n")
            f.flush()
            with self.assertRaises(SystemExit):
                report.write(f.name, "new\n")

    def test_rows_of_different_networks_are_refused(self):
        rows = [{"name": "a", "parameters": [["w", [2]]]}, {"name": "b", "parameters": [["w", [3]]]}]
        with self.assertRaises(SystemExit):
            compare.check_same_network(rows)


if __name__ == "__main__":
    cases.main()

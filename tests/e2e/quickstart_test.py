"""deploy/quickstart.sh with programs that are built already and a few digits: to its table."""

import os
import subprocess
import tempfile
import unittest

from tests.e2e import harness


class QuickstartTest(unittest.TestCase):

    def test_trains_three_times_and_prints_them_side_by_side(self):
        with tempfile.TemporaryDirectory(prefix="q") as folder:
            harness.digits(folder)
            env = harness.environment(
                MANTISSA_BUILT=os.getcwd(), MANTISSA_QUICKSTART_DIR=folder,
                MANTISSA_QUICKSTART_EPOCHS="1")
            done = subprocess.run(["deploy/quickstart.sh", "--stop"], env=env, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=200)
            self.assertEqual(0, done.returncode, done.stdout)
            table = done.stdout.splitlines()[-4:]
            self.assertIn("accuracy", table[0])
            names = [line.split()[0] for line in table[1:]]
            self.assertEqual(["fp32", "demotion", "uniform"], names, done.stdout)
            of_fp32 = [float(line.split()[4]) for line in table[1:]]
            self.assertEqual(1.0, of_fp32[0])
            self.assertLess(of_fp32[2], of_fp32[1])
            self.assertLess(of_fp32[1], 0.5)
            peak_of_fp32 = [float(line.split()[6]) for line in table[1:]]
            self.assertEqual(1.0, peak_of_fp32[0])
            self.assertLess(peak_of_fp32[2], peak_of_fp32[1])
            self.assertLess(peak_of_fp32[1], 1.0)
            with open(os.path.join(folder, "mantissad.pid"), encoding="utf-8") as file:
                self.assertFalse(os.path.exists("/proc/" + file.read().strip()))


if __name__ == "__main__":
    unittest.main()

"""Data sets by the command line: pushed, listed, described, used, removed."""

import hashlib
import os
import re

from tests import cases
from tests.e2e import harness, npz


class DatasetTest(harness.ServerTest):

    def test_pushed_data_set_is_listed_and_described(self):
        listed = self.server.json("dataset", "list")["datasets"]
        digits = [dataset for dataset in listed if dataset["name"] == "digits"][0]
        described = self.server.json("dataset", "describe", "digits")
        self.assertEqual(digits, described)
        self.assertEqual(([3, 32, 32], 10, 320, 80, "npz"),
                         (described["sample_shape"], described["classes"],
                          described["train_samples"], described["test_samples"],
                          described["format"]))
        self.assertEqual(3, len(described["mean"]))
        self.assertIn("digits", self.server.run("dataset", "list").out)
        self.assertIn("320 to train, 80 to test", self.server.run("dataset", "describe",
                                                                  "digits").out)

    def test_same_bytes_again_upload_nothing(self):
        path = harness.digits(self.server.folder)
        before = self.server.json("dataset", "describe", "digits")
        again = self.server.run("dataset", "push", "digits", path, "-o", "json")
        self.assertIn("nothing sent", again.err)
        self.assertEqual(before, again.json())
        other = self.server.run("dataset", "push", "digits-too", path, "-o", "json")
        self.assertIn("nothing sent", other.err)
        with open(path, "rb") as f:
            self.assertEqual(hashlib.sha256(f.read()).hexdigest(), other.json()["files"][0]["sha256"])

    def test_name_taken_by_other_bytes_is_refused(self):
        path = harness.digits(self.server.folder, samples=100, name="fewer.npz")
        refused = self.server.run("dataset", "push", "digits", path, code=4)
        self.assertIn("digits", refused.err)
        self.assertEqual(320, self.server.json("dataset", "describe", "digits")["train_samples"])

    def test_equal_split_seed_gives_equal_statistics(self):
        path = harness.digits(self.server.folder)
        split = ["--test-fraction", "0.5", "--split-seed", "7"]
        one = self.server.json("dataset", "push", "half-1", path, *split)
        two = self.server.json("dataset", "push", "half-2", path, *split)
        other = self.server.json("dataset", "push", "half-3", path, "--test-fraction", "0.5",
                                 "--split-seed", "8")
        self.assertEqual((200, 200), (one["train_samples"], one["test_samples"]))
        self.assertEqual((one["content_sha256"], one["mean"]), (two["content_sha256"], two["mean"]))
        self.assertNotEqual(one["mean"], other["mean"])

    def test_upload_that_broke_off_goes_on_where_it_stopped(self):
        # Pixels of noise: they do not compress.
        count = 5000
        path = self.path("noise.npz")
        npz.write(path, {"images": npz.Array("|u1", (count, 3, 32, 32), os.urandom(count * 3072)),
                         "labels": npz.Array("|u1", (count,), bytes(i % 10 for i in range(count)))})
        size = os.path.getsize(path)
        push = self.server.spawn("dataset", "push", "noise", path)
        blobs = os.path.join(self.server.data_dir, "blobs")
        before = self.bytes_below(blobs)
        harness.wait_for("some bytes arrive", lambda: self.bytes_below(blobs) > before)
        push.kill()
        push.communicate()
        again = self.server.run("dataset", "push", "noise", path, "-o", "json")
        self.assertEqual(count, again.json()["train_samples"] + again.json()["test_samples"])
        sent = re.search(r"([\d.]+) MiB sent", again.err)
        self.assertLess(float(sent.group(1)) if sent else 0, size / 2**20 - 0.1)
        harness.seen("push SIGKILLed, pushed again (%.1f MiB)" % (size / 2**20), again.err)

    def bytes_below(self, folder):
        return sum(os.path.getsize(os.path.join(parent, name))
                   for parent, _, names in os.walk(folder) for name in names)

    def test_removal_waits_for_the_jobs_that_use_it(self):
        path = harness.digits(self.server.folder, samples=64, name="used.npz")
        self.server.json("dataset", "push", "used", path)
        job = self.server.submit("--steps", "100000", "--dataset", "used")["id"]
        self.server.wait_for_step(job, 1)
        refused = self.server.run("dataset", "rm", "used", code=4)
        self.assertIn(job, refused.err)
        self.server.run("cancel", job)
        self.server.wait_until(job, "CANCELLED")
        self.server.run("dataset", "rm", "used")
        gone = self.server.run("dataset", "describe", "used", code=4)
        self.assertIn("used", gone.err)


if __name__ == "__main__":
    cases.main()

"""A data folder on a disk that is full."""

import os
import subprocess
import time

from tests import cases
from tests.e2e import harness


class FullDiskTest(harness.FolderTest):

    def setUp(self):
        super().setUp()
        data = os.path.join(self.folder, "data")
        os.mkdir(data)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", data],
                                 stderr=subprocess.PIPE, text=True)
        if mounted.returncode:
            self.skipTest("a small file system needs root and mount: " + mounted.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", "--lazy", data], check=True)
        self.server = harness.Server("--reserve-disk-bytes", "4MiB", "--retry-delay", "100ms",
                                     folder=self.folder)
        self.addCleanup(self.server.close)
        self.server.start()

    def fill(self, leave=0):
        """Takes what is free but for `leave` bytes; returns the path of the file."""
        path = os.path.join(self.server.data_dir, "filler")
        with open(path, "wb", buffering=0) as f:
            try:
                while self.free() > leave:
                    f.write(bytes(min(1 << 16, self.free() - leave)))
            except OSError:
                pass  # full
        return path

    def free(self):
        disk = os.statvfs(self.server.data_dir)
        return disk.f_bavail * disk.f_frsize

    def test_upload_larger_than_the_disk_is_refused(self):
        path = os.path.join(self.folder, "large.npz")
        with open(path, "wb") as f:
            f.write(os.urandom(40 << 20))
        refused = self.server.run("dataset", "push", "large", path, code=4)
        self.assertIn("41943040", refused.err)
        harness.seen("a file of 40 MiB for a disk of 32 MiB", refused.err)
        self.server.push_digits()
        self.assertEqual("JOB_STATE_SUCCEEDED", self.server.submit("--wait")["state"])

    def test_full_disk_during_a_job_loses_no_event_and_names_the_cause(self):
        self.server.push_digits()
        job = self.server.submit("--steps", "60", "--epochs", "3", "--max-retries", "0")["id"]
        self.server.wait_for_step(job, 3)
        filler = self.fill()
        time.sleep(2)
        self.server.run("server", "info")
        full = self.server.get(job)
        self.assertEqual("JOB_STATE_RUNNING", full["state"])
        refused = self.server.run("submit", *harness.TINY, code=4)
        self.assertIn("full", refused.err)
        os.remove(filler)
        ended = self.server.wait_until(job, "SUCCEEDED", "FAILED")
        events = self.server.events(job)
        self.assertEqual(list(range(1, len(events) + 1)), [e["sequence"] for e in events])
        steps = [event["step_done"]["step"] for event in events if "step_done" in event]
        self.assertEqual(list(range(1, len(steps) + 1)), steps)
        # The server keeps no event, which the worker waits for. But the worker's own files are
        # there too: it may be the one that finds no room.
        if ended["state"] == "JOB_STATE_SUCCEEDED":
            self.assertEqual(60, len(steps))
        else:
            self.assertEqual("FAILURE_CAUSE_DISK_FULL", ended["failure"]["cause"])
        self.assertEqual("JOB_STATE_SUCCEEDED", self.server.submit("--wait")["state"])
        harness.seen("the disk is full for 2 s during a job", "no event is lost; %s; the next job "
                     "succeeds; a submit meanwhile: %s" % (
                         ended["failure"]["message"] if "failure" in ended else
                         "the job goes on and succeeds", refused.err))

    def test_job_whose_artifacts_find_no_room_fails_with_that_cause(self):
        self.server.push_digits()
        job = self.server.submit("--steps", "30", "--max-retries", "0")["id"]
        self.server.wait_for_step(job, 1)
        filler = self.fill(leave=1 << 20)
        ended = self.server.wait_until(job, "SUCCEEDED", "FAILED")
        self.assertEqual("FAILURE_CAUSE_DISK_FULL", ended["failure"]["cause"])
        os.remove(filler)
        self.assertEqual("JOB_STATE_SUCCEEDED", self.server.submit("--wait")["state"])
        harness.seen("no room for a job's artifacts", "FAILED, %s: %s" % (
            ended["failure"]["cause"], ended["failure"]["message"]))


if __name__ == "__main__":
    cases.main()

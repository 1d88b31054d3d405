"""Workers that are killed, stopped or never start: a job fails with its cause or is tried again."""

import os
import re
import signal
import time

from tests import cases
from tests.e2e import harness

LONG = ["--steps", "60", "--epochs", "3", "--evaluate-every", "2", "--seed", "4"]


def sha256(job, name):
    return [entry["sha256"] for entry in job["artifacts"] if entry["name"] == name][0]


class WorkerTest(harness.ServerTest):
    SERVER_FLAGS = ["--lost-worker-after", "6s", "--retry-delay", "100ms"]

    def worker_at_step(self, job, step):
        self.server.wait_for_step(job, step)
        (worker,) = self.server.workers()
        return worker

    def test_killed_worker_is_replaced_and_the_result_is_the_same(self):
        undisturbed = self.server.submit("--wait", *LONG)
        job = self.server.submit(*LONG, "--max-retries", "1")["id"]
        os.kill(self.worker_at_step(job, 25), signal.SIGKILL)
        ended = self.server.wait_until(job, "SUCCEEDED", "FAILED")
        self.assertEqual(("JOB_STATE_SUCCEEDED", 2), (ended["state"], ended["attempt"]))
        for name in ["weights.safetensors", "history.jsonl"]:
            self.assertEqual(sha256(undisturbed, name), sha256(ended, name), name)
        events = self.server.events(job)
        self.assertEqual(list(range(1, len(events) + 1)), [e["sequence"] for e in events])
        self.assertEqual({0, 1, 2}, {event["attempt"] for event in events})
        self.assertTrue(any("signal 9" in event.get("notice", {}).get("message", "") for event in
                            events), "no notice of the death")
        harness.seen("worker SIGKILLed at step 25, one retry allowed",
                     "second attempt succeeded; weights equal an undisturbed run bit for bit")

    def test_replacement_goes_on_from_the_checkpoint_with_the_same_result(self):
        # Long enough for a checkpoint, which is written at the end of an epoch after 10 s.
        long = [*LONG, "--steps", "4000", "--epochs", "200", "--evaluate-every", "200"]
        job = self.server.submit(*long)["id"]
        self.server.wait_for_step(job, 1)
        while "checkpoint.safetensors" not in self.hidden_files(job):
            self.assertEqual("JOB_STATE_RUNNING", self.server.get(job)["state"])
            time.sleep(0.1)
        time.sleep(1)  # it counts once all that belongs to it is there
        (worker,) = self.server.workers()
        os.kill(worker, signal.SIGKILL)
        found = harness.wait_for("the second attempt trains", lambda: re.findall(
            r"training starts at step (\d+)", self.server.run("logs", job).out)[1:])
        first = int(found[0])
        self.assertGreater(first, 1)
        self.assertEqual(1, first % 20)
        self.server.wait_for_step(job, first + 20)
        self.server.run("cancel", job)
        self.server.wait_until(job, "CANCELLED")
        resumed = [line for line in self.server.history(job) if "lr" in line]
        self.assertEqual(list(range(1, len(resumed) + 1)), [line["step"] for line in resumed])
        again = self.server.submit(*long, "--steps", str(len(resumed)), "--wait")
        undisturbed = [line for line in self.server.history(again["id"]) if "lr" in line]
        self.assertEqual(undisturbed, resumed)
        harness.seen("worker SIGKILLed after a checkpoint", "second attempt started at step %d; "
                     "all %d losses equal an undisturbed run's" % (first, len(resumed)))

    def hidden_files(self, job):
        """Names of what the server keeps of the job, in one text."""
        return " ".join(os.listdir(os.path.join(self.server.data_dir, "jobs", job,
                                                "artifacts")))

    def test_killed_worker_fails_its_job_where_no_retry_is_allowed(self):
        job = self.server.submit(*LONG, "--max-retries", "0")["id"]
        watch = self.server.spawn("watch", job)
        os.kill(self.worker_at_step(job, 5), signal.SIGKILL)
        out, err = watch.communicate(timeout=harness.SOON)
        self.assertEqual(1, watch.returncode, err)
        failure = self.server.get(job)["failure"]
        self.assertEqual("FAILURE_CAUSE_WORKER_DIED", failure["cause"])
        self.assertIn("signal 9 (Killed)", failure["message"])
        self.assertIn(failure["message"], out)
        harness.seen("worker SIGKILLed, no retry allowed", "FAILED, %s: %s; exit code 1" % (
            failure["cause"], failure["message"]))

    def test_second_death_fails_the_job_after_one_retry(self):
        job = self.server.submit(*LONG, "--max-retries", "1")["id"]
        first = self.worker_at_step(job, 5)
        os.kill(first, signal.SIGSEGV)
        harness.wait_for("a second worker", lambda: [pid for pid in self.server.workers()
                                                     if pid != first])
        (second,) = [pid for pid in self.server.workers() if pid != first]
        os.kill(second, signal.SIGKILL)
        ended = self.server.wait_until(job, "FAILED")
        self.assertEqual(2, ended["attempt"])
        self.assertEqual("FAILURE_CAUSE_WORKER_DIED", ended["failure"]["cause"])

    def test_silent_worker_is_lost_and_never_waited_for(self):
        job = self.server.submit(*LONG, "--max-retries", "0")["id"]
        worker = self.worker_at_step(job, 5)
        os.kill(worker, signal.SIGSTOP)
        ended = self.server.wait_until(job, "FAILED")
        self.assertEqual("FAILURE_CAUSE_WORKER_LOST", ended["failure"]["cause"])
        harness.wait_for("the worker is gone", lambda: worker not in self.server.workers())
        harness.seen("worker SIGSTOPped for longer than the server waits (6 s here)",
                     "killed; FAILED, %s: %s" % (ended["failure"]["cause"],
                                                 ended["failure"]["message"]))

    def test_silent_worker_is_replaced_where_a_retry_is_allowed(self):
        job = self.server.submit(*LONG)["id"]
        os.kill(self.worker_at_step(job, 5), signal.SIGSTOP)
        ended = self.server.wait_until(job, "SUCCEEDED", "FAILED")
        self.assertEqual(("JOB_STATE_SUCCEEDED", 2), (ended["state"], ended["attempt"]))

    def test_worker_stopped_for_a_moment_goes_on(self):
        job = self.server.submit(*LONG)["id"]
        worker = self.worker_at_step(job, 5)
        os.kill(worker, signal.SIGSTOP)
        self.server.get(job)
        os.kill(worker, signal.SIGCONT)
        self.assertEqual(1, self.server.wait_until(job, "SUCCEEDED", "FAILED")["attempt"])

    def test_cancelled_job_ends_though_its_worker_does_not_answer(self):
        job = self.server.submit(*LONG)["id"]
        os.kill(self.worker_at_step(job, 5), signal.SIGSTOP)
        self.server.run("cancel", job)
        self.server.wait_until(job, "CANCELLED")
        harness.wait_for("no worker", lambda: not self.server.workers())

    def test_worker_killed_together_with_the_server_is_replaced(self):
        job = self.server.submit(*LONG)["id"]
        worker = self.worker_at_step(job, 5)
        self.server.kill(signal.SIGKILL)
        os.kill(worker, signal.SIGKILL)
        self.server.start()
        ended = self.server.wait_until(job, "SUCCEEDED", "FAILED")
        self.assertEqual(("JOB_STATE_SUCCEEDED", 2), (ended["state"], ended["attempt"]))
        harness.seen("server and worker SIGKILLed together", "after the start: attempt 2, SUCCEEDED")

    def test_last_word_of_a_job_is_not_lost_with_the_server(self):
        """The worker ends while there is no server."""
        job = self.server.submit("--steps", "40", "--epochs", "2")["id"]
        self.worker_at_step(job, 5)
        self.server.kill(signal.SIGKILL)
        with self.assertRaises(AssertionError):  # it waits to tell its result
            harness.wait_for("the worker ends", lambda: not self.server.workers(), seconds=4)
        self.server.start()
        ended = self.server.wait_until(job, "SUCCEEDED", "FAILED")
        self.assertEqual(("JOB_STATE_SUCCEEDED", 1), (ended["state"], ended["attempt"]))


class BrokenWorkerTest(harness.FolderTest):

    def test_worker_that_cannot_start_fails_the_push_with_its_reason(self):
        broken = os.path.join(self.folder, "worker")
        with open(broken, "w") as f:
            f.write("#!/bin/sh\necho no library >&2\nexit 127\n")
        os.chmod(broken, 0o755)
        server = harness.Server("--retry-delay", "100ms", worker=broken)
        self.addCleanup(server.close)
        server.start()
        path = harness.digits(server.folder, samples=32)
        refused = server.run("dataset", "push", "digits", path, code=4)
        self.assertIn("127", refused.err)
        self.assertTrue(server.alive())
        harness.seen("a worker that cannot start (exit code 127)", refused.err)


if __name__ == "__main__":
    cases.main()

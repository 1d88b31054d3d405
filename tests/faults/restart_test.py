"""A server that is killed while a job runs, and comes back."""

import json
import os
import signal
import time

from tests import cases
from tests.e2e import harness

LONG = ["--steps", "150", "--epochs", "8", "--evaluate-every", "4", "--seed", "4"]


def cpu_seconds(pid):
    """Processor time that a process has used."""
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class RestartTest(harness.ServerTest):

    def numbers(self, events):
        return [event["sequence"] for event in events]

    def check_whole(self, events):
        """All events of a job that succeeded in one attempt, each step once."""
        self.assertEqual(list(range(1, len(events) + 1)), self.numbers(events))
        self.assertEqual(list(range(1, 151)),
                         [event["step_done"]["step"] for event in events if "step_done" in event])
        self.assertEqual({0, 1}, {event["attempt"] for event in events})
        self.assertEqual("JOB_STATE_SUCCEEDED", events[-1]["state_changed"]["to"])

    def test_job_goes_on_and_one_watch_survives_a_killed_server(self):
        job = self.server.submit(*LONG)["id"]
        watch = self.server.spawn("watch", job, "-o", "json")
        people = self.server.spawn("watch", job)
        self.server.wait_for_step(job, 10)
        before = self.server.get(job)["last_sequence"]
        (worker,) = self.server.workers()
        self.server.kill(signal.SIGKILL)
        used = cpu_seconds(worker)
        harness.mantissa("get", job, "--server", self.server.address, code=3)
        time.sleep(1.5)
        trained = cpu_seconds(worker) - used
        self.assertGreater(trained, 0.2, "the worker does not train while there is no server")
        self.server.start()
        self.assertEqual([worker], self.server.workers())
        resumed = self.server.run("watch", job, "--after", before, "-o", "json")
        out, err = watch.communicate(timeout=harness.SOON)
        self.assertEqual(0, watch.returncode, err)
        events = [json.loads(line) for line in out.splitlines()]
        self.check_whole(events)
        self.assertEqual(events[before:], resumed.lines())
        self.assertEqual(events, self.server.events(job))
        text, err = people.communicate(timeout=harness.SOON)
        self.assertEqual(0, people.returncode, err)
        self.assertIn("connection lost, trying again", text)
        self.assertIn("SUCCEEDED", text)
        self.assertEqual(1, self.server.get(job)["attempt"])
        self.assertEqual(150, sum("lr" in line for line in self.server.history(job)))
        harness.seen("server SIGKILLed at event %d, started again on the same folder" % before,
                     "worker %d trained on (%.1f s of processor time without a server); watch "
                     "--after %d gave events %d to %d without gap or repeat; a watch from before "
                     "the kill saw all and returned 0" % (worker, trained, before, before + 1,
                                                          len(events)))

    def test_three_kills_in_a_row_change_nothing_of_the_result(self):
        undisturbed = self.server.submit("--wait", *LONG)
        job = self.server.submit(*LONG)["id"]
        watch = self.server.spawn("watch", job, "-o", "json")
        for step in [5, 40, 80]:
            self.server.wait_for_step(job, step)
            self.server.kill(signal.SIGKILL)
            self.server.start()
        out, err = watch.communicate(timeout=harness.SOON)
        self.assertEqual(0, watch.returncode, err)
        self.check_whole([json.loads(line) for line in out.splitlines()])
        ended = self.server.get(job)
        for name in ["weights.safetensors", "history.jsonl"]:
            self.assertEqual(self.sha256(undisturbed, name), self.sha256(ended, name), name)
        harness.seen("server SIGKILLed three times during a job",
                     "weights and history equal those of an undisturbed run bit for bit")

    def sha256(self, job, name):
        return [entry["sha256"] for entry in job["artifacts"] if entry["name"] == name][0]

    def test_queue_and_finished_jobs_are_known_after_a_kill(self):
        done = self.server.submit("--wait")
        running = self.server.submit("--steps", "100000")["id"]
        waiting = self.server.submit()["id"]
        self.server.wait_for_step(running, 1)
        self.server.kill(signal.SIGKILL)
        self.server.start()
        self.assertEqual(done, self.server.get(done["id"]))
        self.assertIn(self.server.get(waiting)["state"], ("JOB_STATE_PENDING",))
        self.server.wait_until(running, "RUNNING")
        self.server.run("cancel", running)
        self.server.wait_until(waiting, "SUCCEEDED")

    def test_orderly_stop_ends_streams_and_leaves_the_job_to_the_next_start(self):
        job = self.server.submit(*LONG)["id"]
        watch = self.server.spawn("watch", job, "-o", "json")
        logs = self.server.spawn("logs", "-f", job)
        self.server.wait_for_step(job, 10)
        self.assertEqual(0, self.server.kill(signal.SIGTERM))
        self.server.start()
        out, err = watch.communicate(timeout=harness.SOON)
        self.assertEqual(0, watch.returncode, err)
        self.check_whole([json.loads(line) for line in out.splitlines()])
        log, err = logs.communicate(timeout=harness.SOON)
        self.assertEqual(0, logs.returncode, err)
        self.assertEqual(self.server.run("logs", job).out, log)

    def test_second_server_on_the_same_folder_is_refused(self):
        second = harness.Server(folder=self.server.folder)
        with self.assertRaisesRegex(AssertionError, "mantissad ended with"):
            second.start()
        self.assertTrue(self.server.alive())


if __name__ == "__main__":
    cases.main()

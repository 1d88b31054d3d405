"""A job by the command line: submitted, followed, listed, fetched, repeated."""

import fcntl
import hashlib
import json
import math
import os
import signal
import struct
import subprocess
import termios

from tests import cases
from tests.e2e import harness, safetensors

ARTIFACTS = ["history.jsonl", "plan.json", "report.json", "weights.safetensors"]


def artifact(job, name):
    return [entry for entry in job["artifacts"] if entry["name"] == name][0]


def weights_sha256(job):
    return artifact(job, "weights.safetensors")["sha256"]


class JobTest(harness.ServerTest):

    def train(self, *args):
        """The job, ended."""
        job = self.server.submit("--wait", *args)
        self.assertEqual("JOB_STATE_SUCCEEDED", job["state"])
        return job

    def test_job_leaves_artifacts_that_agree_with_each_other(self):
        job = self.train("--steps", "30", "--seed", "3")
        self.assertEqual(ARTIFACTS, sorted(entry["name"] for entry in job["artifacts"]))
        files = {name: self.server.fetch(job["id"], name) for name in ARTIFACTS}
        for name, data in files.items():
            self.assertEqual(hashlib.sha256(data).hexdigest(), artifact(job, name)["sha256"], name)
            self.assertEqual(len(data), artifact(job, name)["size_bytes"], name)
        lines = [json.loads(line) for line in files["history.jsonl"].splitlines()]
        steps = [line for line in lines if not line.get("evaluation")]
        evaluations = [line for line in lines if line.get("evaluation")]
        self.check_history(job, steps, evaluations)
        self.check_plan(job, json.loads(files["plan.json"]))
        report = json.loads(files["report.json"])
        self.assertEqual((job["id"], "succeeded"), (report["job"], report["outcome"]))
        self.assertEqual(job["progress"]["evaluation"]["accuracy"], report["accuracy"])
        self.assertEqual(evaluations[-1]["accuracy_fp32"], report["accuracy_fp32"])
        self.assertEqual(30, report["steps"])
        self.check_weights(job, files["weights.safetensors"])

    def check_history(self, job, steps, evaluations):
        self.assertEqual(list(range(1, 31)), [line["step"] for line in steps])
        self.assertEqual([0] * 20 + [1] * 10, [line["epoch"] for line in steps])
        self.assertEqual([0, 1], [line["epoch"] for line in evaluations])
        self.assertEqual(["step", "epoch", "loss", "loss_unrounded", "lr", "loss_scale", "skipped",
                          "peak_memory_bytes", "promoted"], list(steps[0]))
        for line in steps:
            self.assertTrue(line["skipped"] or math.isfinite(line["loss_unrounded"]), line)
            self.assertGreater(line["peak_memory_bytes"], 0)
        events = self.server.events(job["id"])
        self.assertEqual(list(range(1, job["last_sequence"] + 1)), [e["sequence"] for e in events])
        done = [event["step_done"] for event in events if "step_done" in event]
        for line, event in zip(steps, done, strict=True):
            self.assertEqual(
                (line["step"], line["loss_unrounded"], line["lr"], line["loss_scale"]),
                (event["step"], event["loss_unrounded"], event["learning_rate"],
                 event["loss_scale"]))
        states = [event["state_changed"]["to"][len("JOB_STATE_"):] for event in events
                  if "state_changed" in event]
        self.assertEqual(["PENDING", "PLANNING", "RUNNING", "SUCCEEDED"], states)

    def check_plan(self, job, plan):
        here = harness.mantissa("plan", "--local", "--model", "squeezenet", "--width", "0.1",
                                "--classes", "10", "--batch-size", "16", "-o", "json").json()
        for name, value in here.items():
            self.assertEqual(value, plan[name], name)
        self.assertEqual(plan["bits"], job["plan"]["bits"])
        self.assertEqual(plan["total_elements"], sum(t["elements"] for t in plan["tensors"]))

    def check_weights(self, job, data):
        model = self.server.json("model", "describe", "squeezenet", "--width", "0.1", "--classes",
                                 "10")
        shapes = safetensors.shapes(data)
        parameters = [name for op in model["operators"] for name in op["parameters"]]
        self.assertLessEqual(set(parameters), set(shapes))
        elements = sum(math.prod(shapes[name]) for name in parameters)
        self.assertEqual(model["parameter_elements"], elements)
        for name, values in safetensors.read(data).items():
            self.assertTrue(all(map(math.isfinite, values)), name)

    def test_same_job_twice_gives_equal_weights_bit_for_bit(self):
        one = self.train("--seed", "5", "--augment", "crop", "--rounding", "stochastic")
        two = self.train("--seed", "5", "--augment", "crop", "--rounding", "stochastic")
        self.assertNotEqual(one["id"], two["id"])
        self.assertEqual(weights_sha256(one), weights_sha256(two))
        self.assertEqual(artifact(one, "history.jsonl")["sha256"],
                         artifact(two, "history.jsonl")["sha256"])
        harness.seen("the same job twice", "weights equal bit for bit: SHA-256 %s..." %
                     weights_sha256(one)[:12])

    def test_other_seed_gives_other_weights(self):
        self.assertNotEqual(weights_sha256(self.train("--seed", "5")),
                            weights_sha256(self.train("--seed", "6")))

    def test_job_of_a_file_equals_the_job_of_the_flags(self):
        flags = ["--seed", "9", "--name", "from flags", "--labels", "team=vision,run=1",
                 "--policy", "random", "--low-ratio", "0.3", "--lr", "0.05"]
        path = self.path("job.json", self.server.run("submit", *harness.TINY, *flags,
                                                     "--dry-run").out)
        again = self.server.run("submit", "-f", path, "--dry-run")
        with open(path) as f:
            self.assertEqual(f.read(), again.out)
        by_flags = self.train(*flags)
        by_file = self.server.submit("-f", path, "--wait", base=[])
        self.assertEqual(by_flags["spec"], by_file["spec"])
        self.assertEqual(weights_sha256(by_flags), weights_sha256(by_file))

    def test_training_starts_from_the_weights_of_init(self):
        first = self.train("--seed", "1")
        path = self.path("init.safetensors", self.server.fetch(first["id"], "weights.safetensors"))
        # So small a learning rate changes no parameter.
        second = self.train("--seed", "2", "--steps", "1", "--init", path, "--lr", "1e-30")
        with open(path, "rb") as f:
            before = safetensors.read(f.read())
        after = safetensors.read(self.server.fetch(second["id"], "weights.safetensors"))
        self.assertEqual(set(before), set(after))
        parameters = [name for name in before if "running_" not in name]
        self.assertGreater(len(parameters), 50)
        for name in parameters:
            self.assertEqual(before[name].tobytes(), after[name].tobytes(), name)

    def test_list_finds_jobs_by_state_label_and_name(self):
        job = self.train("--name", "alpha one", "--labels", "kind=listed,n=1")
        self.train("--name", "alpha two", "--labels", "kind=listed,n=2")
        by_label = self.server.json("list", "--label", "kind=listed")["jobs"]
        self.assertEqual(["alpha two", "alpha one"], [entry["spec"]["name"] for entry in by_label])
        both = self.server.json("list", "--label", "kind=listed,n=1")["jobs"]
        self.assertEqual([job["id"]], [entry["id"] for entry in both])
        by_name = self.server.json("list", "--name", "alpha t")["jobs"]
        self.assertEqual(["alpha two"], [entry["spec"]["name"] for entry in by_name])
        self.assertEqual([], self.server.json("list", "--state", "failed,cancelled", "--label",
                                              "kind=listed")["jobs"])
        self.assertEqual(2, len(self.server.json("list", "--state", "succeeded", "--label",
                                                 "kind=listed")["jobs"]))
        limited = self.server.json("list", "--limit", "1")
        self.assertEqual((1, True), (len(limited["jobs"]), limited["next_page_token"] != ""))
        table = self.server.run("list", "--label", "kind=listed").out
        self.assertIn("alpha one", table)
        self.assertIn("SUCCEEDED", table)

    def test_get_shows_what_wait_returned(self):
        job = self.train()
        self.assertEqual(job, self.server.get(job["id"]))
        text = self.server.run("get", job["id"]).out
        for words in [job["id"], "SUCCEEDED", "demotion 0.5", "weights.safetensors"]:
            self.assertIn(words, text)

    def test_logs_are_printed_followed_and_taken_up_by_offset(self):
        job = self.server.submit()
        followed = self.server.run("logs", "-f", job["id"]).out
        self.assertIn("attempt 1", followed)
        self.assertEqual("JOB_STATE_SUCCEEDED", self.server.get(job["id"])["state"])
        self.assertTrue(self.server.run("logs", job["id"]).out.startswith(followed))
        self.assertEqual(followed[10:], self.server.run("logs", job["id"], "--offset", "10").out
                         [:len(followed) - 10])

    def test_fetch_writes_whole_files_and_names_those_there_are(self):
        job = self.train()
        folder = self.path("fetched")
        os.mkdir(folder)
        self.server.run("fetch", job["id"], "report.json", "--to", folder)
        with open(os.path.join(folder, "report.json")) as f:
            on_disk = f.read()
        self.assertEqual(on_disk, self.server.run("fetch", job["id"], "report.json", "--to",
                                                  "-").out)
        self.assertEqual(["report.json"], os.listdir(folder))

    def test_interrupt_leaves_the_job_running_and_says_how_to_come_back(self):
        waiting = self.server.spawn("submit", "--wait", *harness.TINY, "--steps", "100000")
        job = waiting.stderr.readline().split()[-1]
        self.server.wait_for_step(job, 1)
        waiting.send_signal(signal.SIGINT)
        _, err = waiting.communicate(timeout=harness.SOON)
        self.assertEqual(130, waiting.returncode)
        self.assertIn("mantissa watch " + job, err)
        self.assertEqual("JOB_STATE_RUNNING", self.server.get(job)["state"])
        self.server.run("cancel", job)
        self.server.wait_until(job, "CANCELLED")

    def test_watch_on_a_terminal_shows_a_live_view(self):
        job = self.server.submit("--steps", "40", "--epochs", "2")["id"]
        terminal, inside = os.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        watch = subprocess.Popen([harness.MANTISSA, "watch", job, *self.server.flags_to()],
                                 env=harness.environment(TERM="xterm-256color"),
                                 stdin=subprocess.DEVNULL, stdout=inside, stderr=inside)
        os.close(inside)
        shown = b""
        try:
            while chunk := os.read(terminal, 1 << 16):
                shown += chunk
        except OSError:  # the other end is closed
            pass
        os.close(terminal)
        self.assertEqual(0, watch.wait(harness.SOON))
        text = shown.decode()
        self.assertIn("\x1b[", text)
        for words in ["RUNNING", "40/40", "SUCCEEDED", "accuracy"]:
            self.assertIn(words, text)

    def test_jobs_wait_for_their_turn_in_order(self):
        first = self.server.submit("--steps", "100000")["id"]
        second = self.server.submit()["id"]
        self.server.wait_until(first, "RUNNING")
        waiting = self.server.get(second)
        self.assertEqual("JOB_STATE_PENDING", waiting["state"])
        self.assertNotEqual("", waiting["pending_reason"])
        info = self.server.json("server", "info")
        self.assertEqual((1, 1), (info["running_jobs"], info["queued_jobs"]))
        self.server.run("cancel", first)
        self.server.wait_until(second, "SUCCEEDED")
        self.assertEqual("JOB_STATE_CANCELLED", self.server.get(first)["state"])


if __name__ == "__main__":
    cases.main()

"""The memory of a job's steps: measured, told, kept, drawn, and set against the baselines."""

import json

from tests import cases
from tests.e2e import harness

# Large enough that activations outweigh what LibTorch takes for itself.
JOB = ["--dataset", "digits", "--model", "resnet18", "--width", "0.1", "--batch-size", "32",
       "--steps", "4", "--threads", "1", "--loss-scale", "1024"]
LOW = ["--low-ratio", "1"]
KINDS = ["masters", "weights", "activations", "gradients", "optimizer", "workspace"]


class JobMemoryTest(harness.ServerTest):

    def train(self, *flags):
        job = self.server.submit("--wait", *(flags or LOW), base=JOB)
        self.assertEqual("JOB_STATE_SUCCEEDED", job["state"])
        return job

    def check_points(self, points):
        for point in points:
            kinds = point["bytes"]
            self.assertEqual(kinds["total"], sum(kinds[kind] for kind in KINDS), point)
            self.assertGreaterEqual(min(kinds.values()), 0, point)
        phases = [point["phase"] for point in points]
        self.assertEqual("STEP_PHASE_UPDATE", phases[-1])
        middle = phases.index("STEP_PHASE_BACKWARD")
        self.assertEqual({"STEP_PHASE_FORWARD"}, set(phases[:middle]))

    def test_timeline_has_the_operators_that_were_predicted_and_adds_up(self):
        job = self.train()
        memory = self.server.json("memory", job["id"])
        measured, predicted = memory["measured"], memory["predicted"]
        self.check_points(measured["timeline"])
        self.check_points(predicted["timeline"])
        self.assertEqual([(point["phase"], point["operator"]) for point in predicted["timeline"]],
                         [(point["phase"], point["operator"]) for point in measured["timeline"]])
        self.assertEqual(measured["peak_bytes"],
                         max(point["bytes"]["total"] for point in measured["timeline"]))
        self.assertEqual(predicted["saved_for_backward_bytes"],
                         measured["saved_for_backward_bytes"])
        self.assertEqual("cpu", memory["device"])
        self.assertEqual(job["progress"]["peak_memory_bytes"], measured["peak_bytes"])
        # The job has the same without the timelines.
        for part in ("measured", "predicted"):
            memory[part]["timeline"] = []
        self.assertEqual(memory, self.server.get(job["id"])["memory"])
        harness.seen("resnet18, width 0.1, batch 32, low ratio 1",
                     "peak %d measured, %d predicted (%+.1f %%); saved for backward to the byte" % (
                         measured["peak_bytes"], predicted["peak_bytes"],
                         100 * (predicted["peak_bytes"] / measured["peak_bytes"] - 1)))

    def test_baselines_are_measured_when_the_job_has_ended(self):
        job = self.train()
        report = json.loads(self.server.fetch(job["id"], "report.json"))["memory"]
        peak = report["measured"]["peak_bytes"]
        self.assertEqual(["fp32", "16-bit", "operator"],
                         [baseline["name"] for baseline in report["baselines"]])
        for baseline in report["baselines"]:
            self.assertTrue(baseline["measured"], baseline)
            self.assertEqual(baseline["peak_bytes"] - peak, baseline["saved_bytes"])
            self.assertGreater(baseline["saved_bytes"], 0, baseline)
        # A training in fp32 needs what was said of it.
        fp32 = self.train("--policy", "none")
        self.assertEqual(report["baselines"][0]["peak_bytes"],
                         fp32["memory"]["measured"]["peak_bytes"])
        in_job = [(baseline["name"], baseline["peak_bytes"])
                  for baseline in self.server.get(job["id"])["memory"]["baselines"]]
        self.assertEqual([(baseline["name"], baseline["peak_bytes"])
                          for baseline in report["baselines"]], in_job)
        harness.seen("the same job against " + ", ".join(name for name, _ in in_job),
                     ", ".join("%.2f" % baseline["ratio"] for baseline in report["baselines"]) +
                     " of their peaks, measured")

    def test_history_has_the_peak_of_every_step(self):
        job = self.train()
        peaks = [line["peak_memory_bytes"] for line in self.server.history(job["id"])
                 if "skipped" in line]
        self.assertEqual(4, len(peaks))
        self.assertEqual(1, len(set(peaks)), "equal batches need equal memory")
        self.assertEqual(job["progress"]["peak_memory_bytes"], peaks[0])

    def test_memory_is_drawn_and_shown(self):
        job = self.train("--memory", "1GiB")
        text = self.server.run("memory", job["id"]).out
        for words in ("forward", "backward", "A activations", "+ predicted", "fp32", "16-bit",
                      "operator", "measured in:", "peak memory:"):
            self.assertIn(words, text)
        self.assertLessEqual(max(len(line) for line in text.splitlines()), 80)
        shown = self.server.run("get", job["id"]).out
        self.assertIn("peak memory:", shown)
        self.assertIn("saved for backward:", shown)
        self.assertIn("budget:", shown)

    def test_memory_survives_a_restart_of_the_server(self):
        job = self.train()
        before = self.server.json("memory", job["id"])
        self.server.kill()
        self.server.start()
        self.assertEqual(before, self.server.json("memory", job["id"]))

    def test_memory_of_a_job_without_steps_is_refused(self):
        result = self.server.run("memory", "job-none", code=4)
        self.assertIn("job-none", result.err)
        job = self.server.submit("--steps", "1000000", "--epochs", "100000")["id"]
        self.server.run("cancel", job)
        self.server.wait_until(job, "CANCELLED")
        if "memory" not in self.server.get(job):
            self.assertIn("was not measured", self.server.run("memory", job, code=4).err)


if __name__ == "__main__":
    cases.main()

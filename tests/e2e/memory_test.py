"""Memory by the command line: budgets that are met when measured, storage that changes no bit."""

import json

from tests import cases
from tests.e2e import harness

SMALL = ["--width", "0.1", "--batch-size", "32"]
BUDGETED = ("resnet18", "mobilenet_v2", "shufflenet_v2", "squeezenet")


def weights_sha256(job):
    return [entry["sha256"] for entry in job["artifacts"]
            if entry["name"] == "weights.safetensors"][0]


class MemoryTest(harness.ServerTest):

    def plan(self, model, *flags):
        return harness.mantissa("plan", "--local", "--model", model, "--classes", "10", *flags,
                                "-o", "json").json()

    def train(self, *flags):
        """The job, ended."""
        job = self.server.submit("--wait", *flags)
        self.assertEqual("JOB_STATE_SUCCEEDED", job["state"])
        return job

    def test_measured_peaks_stay_within_their_budgets(self):
        for model in BUDGETED:
            low, high = [self.plan(model, *SMALL, "--low-ratio", ratio)["memory"]["peak_bytes"]
                         for ratio in ("1", "0")]
            self.assertLess(low, high)
            for share in (0.15, 0.5, 0.85):
                with self.subTest(model, share=share):
                    self.check_budget(model, int(low + share * (high - low)))

    def check_budget(self, model, budget):
        job = self.train("--model", model, *SMALL, "--memory", budget, "--steps", "4")
        self.assertEqual(budget, job["spec"]["precision"]["memory_bytes"])
        self.assertNotIn("low_ratio", job["spec"]["precision"])
        memory = job["memory"]
        self.assertEqual(budget, memory["budget_bytes"])
        measured = memory["measured"]["peak_bytes"]
        self.assertGreater(measured, 0)
        self.assertLessEqual(measured, budget)
        self.assertLessEqual(job["plan"]["memory"]["peak_bytes"], budget)
        ratio = job["plan"]["ratio_low_groups"]
        self.assertTrue(0 < ratio < 1, ratio)
        report = json.loads(self.server.fetch(job["id"], "report.json"))
        self.assertEqual(measured, report["memory"]["measured"]["peak_bytes"])
        self.assertIn("budget:", self.server.run("get", job["id"]).out)
        harness.seen("%s %s --memory %d" % (model, " ".join(SMALL), budget),
                     "ratio %.2f, peak %d measured, %d predicted: %.1f %% of the budget" % (
                         ratio, measured, job["plan"]["memory"]["peak_bytes"],
                         100 * measured / budget))

    def test_budget_below_the_lowest_precision_is_met_by_recomputing(self):
        low = self.plan("mobilenet_v2", *SMALL, "--low-ratio", "1")["memory"]["peak_bytes"]
        budget = int(0.97 * low)
        job = self.train("--model", "mobilenet_v2", *SMALL, "--memory", budget, "--steps", "3")
        self.assertGreater(len(job["plan"]["recompute"]), 0)
        self.assertLessEqual(job["memory"]["measured"]["peak_bytes"], budget)

    def test_plan_of_a_job_predicts_what_plan_predicts(self):
        job = self.train("--model", "resnet18", *SMALL, "--steps", "2", "--optimizer", "adamw",
                         "--optimizer-state", "int8")
        plan = self.plan("resnet18", *SMALL, "--optimizer", "adamw", "--optimizer-state", "int8")
        self.assertEqual(plan["memory"]["peak_bytes"], job["plan"]["memory"]["peak_bytes"])
        self.assertEqual([], job["plan"]["memory"]["timeline"])
        self.assertEqual([], job["plan"]["tensors"])
        in_file = json.loads(self.server.fetch(job["id"], "plan.json"))
        self.assertEqual(plan["memory"], in_file["memory"])
        self.assertEqual(plan["baselines"], in_file["baselines"])
        self.assertEqual("update", in_file["timeline"][-1]["phase"])

    def test_budget_that_cannot_be_met_says_what_would_and_stores_nothing(self):
        before = len(self.server.json("list", "--limit", "0")["jobs"])
        result = self.server.run("submit", *harness.TINY, "--memory", "100KiB", code=4)
        self.assertIn("batch", result.err)
        self.assertEqual(before, len(self.server.json("list", "--limit", "0")["jobs"]))
        local = harness.mantissa("plan", "--model", "squeezenet", "--width", "0.1", "--classes",
                                 "10", "--batch-size", "16", "--memory", "100KiB", code=4)
        self.assertEqual(local.err, result.err)

    def test_storage_changes_no_bit_of_the_weights(self):
        for flags in (["--low-ratio", "0.5"], ["--low-ratio", "1", "--rounding", "stochastic"],
                      ["--policy", "operator"], ["--low-ratio", "0.7", "--recipe", "bf16"]):
            with self.subTest(" ".join(flags)):
                packed, emulated = [self.train("--steps", "8", "--seed", "4", *flags, "--storage",
                                               storage) for storage in ("packed", "emulated")]
                self.assertEqual(weights_sha256(packed), weights_sha256(emulated))
                self.assertLess(packed["memory"]["measured"]["saved_for_backward_bytes"],
                                emulated["memory"]["measured"]["saved_for_backward_bytes"])
                harness.seen("packed and emulated storage, " + " ".join(flags),
                             "weights equal bit for bit: SHA-256 %s..." %
                             weights_sha256(packed)[:12])

    def test_recomputing_changes_no_bit_of_the_weights(self):
        for model in ("squeezenet", "mobilenet_v2"):
            flags = ["--model", model, *SMALL, "--steps", "4", "--seed", "4", "--low-ratio", "0.5",
                     "--rounding", "stochastic"]
            kept = self.train(*flags, "--recompute", "none")
            again = self.train(*flags, "--recompute", "cheap")
            self.assertGreater(len(again["plan"]["recompute"]), 0)
            self.assertEqual(weights_sha256(kept), weights_sha256(again))
            self.assertLess(again["memory"]["measured"]["saved_for_backward_bytes"],
                            kept["memory"]["measured"]["saved_for_backward_bytes"])

    def test_bf16_recipe_and_narrow_moments_train(self):
        base = ["--model", "resnet18", "--steps", "20"]  # has parameters that int8 moments pay for
        usual = self.train(*base)
        for flags in (["--recipe", "bf16"], ["--optimizer-state", "bf16"],
                      ["--optimizer-state", "int8"],
                      ["--recipe", "bf16", "--optimizer-state", "int8", "--optimizer", "adamw"]):
            with self.subTest(" ".join(flags)):
                job = self.train(*base, *flags)
                self.assertNotEqual(weights_sha256(usual), weights_sha256(job))
                losses = [line["loss_unrounded"] for line in self.server.history(job["id"])
                          if "skipped" in line]
                self.assertEqual(20, len(losses))
                self.assertLess(min(losses[-5:]), losses[0])


if __name__ == "__main__":
    cases.main()

"""What precision does to a training: promotion, the loss scale, every policy and rounding mode."""

import math

from tests import cases
from tests.e2e import harness, safetensors

POLICIES = {
    "none": [], "demotion": ["--low-ratio", "0.5"], "uniform": ["--low-ratio", "1.0"],
    "operator": [], "autocast": [], "increasing": ["--low-ratio", "0.4"],
    "random": ["--low-ratio", "0.4", "--policy-seed", "3"], "explicit": ["--low-groups", "1,4,7"],
}


class PrecisionTest(harness.ServerTest):

    def train(self, *args, **kwargs):
        job = self.server.submit("--wait", *args, **kwargs)
        self.assertEqual("JOB_STATE_SUCCEEDED", job["state"])
        return job

    def steps(self, job):
        return [line for line in self.server.history(job["id"]) if "lr" in line]

    def boosted_weights(self):
        """Path of weights whose first batch norm multiplies by 64: what follows overflows."""
        job = self.train("--policy", "none", "--seed", "1", "--steps", "1", "--lr", "1e-30")
        data = self.server.fetch(job["id"], "weights.safetensors")
        model = self.server.json("model", "describe", "squeezenet", "--width", "0.1")
        scale = [name for op in model["operators"] if op["op"] == "aten::batch_norm"
                 for name in op["parameters"] if name.endswith(".weight")][0]
        tensors = safetensors.read(data)
        for i, value in enumerate(tensors[scale]):
            tensors[scale][i] = 64 * value
        return self.path("boosted.safetensors", safetensors.write(data, tensors)), scale

    def test_overflowing_tensors_are_promoted_for_good(self):
        path, scale = self.boosted_weights()
        low = ["--policy", "uniform", "--init", path, "--lr", "0.001"]
        job = self.train(*low)
        history = self.steps(job)
        promoted = [(name["name"] if isinstance(name, dict) else name, line["step"])
                    for line in history for name in line["promoted"]]
        # The scale itself (64 > 31) and what it makes overflow; each only once.
        names = [name for name, _ in promoted]
        self.assertTrue(any(scale in str(name) for name in names), names)
        self.assertGreaterEqual(len(names), 2)
        self.assertEqual(1, promoted[0][1])
        events = [event for event in self.server.events(job["id"]) if "tensors_promoted" in event]
        told = [(t["name"], t["kind"]) for event in events
                for t in event["tensors_promoted"]["tensors"]]
        self.assertEqual(len(set(told)), len(told))
        self.assertEqual(len(promoted), len(told))
        self.assertIn((scale, "TENSOR_KIND_PARAMETER"), told)
        self.assertTrue(any(kind == "TENSOR_KIND_ACTIVATION" for _, kind in told))
        progress, plan = job["progress"], job["plan"]
        self.assertEqual(len(told), progress["promoted_tensors"])
        self.assertGreater(progress["bits"], plan["bits"])
        self.assertLess(progress["ratio_low_bits"], plan["ratio_low_bits"])
        harness.seen("first batch norm times 64, all groups low",
                     "%d tensors promoted from step 1 on, first %s; low ratio %.4f -> %.4f" % (
                         len(told), told[0][0], plan["ratio_low_bits"],
                         progress["ratio_low_bits"]))

    def test_threshold_above_one_promotes_nothing(self):
        path, _ = self.boosted_weights()
        job = self.train("--policy", "uniform", "--init", path, "--lr", "0.001",
                         "--promotion-threshold", "2")
        self.assertEqual((0, job["plan"]["bits"]),
                         (job["progress"]["promoted_tensors"], job["progress"]["bits"]))
        self.assertTrue(all(line["promoted"] == [] for line in self.steps(job)))

    def test_loss_scale_backs_off_at_skips_and_recovers_after_good_steps(self):
        job = self.train("--policy", "uniform", "--loss-scale", 2**30, "--batch-size", "80",
                         "--steps", "40", "--lr", "0.01")
        history = self.steps(job)
        scales = [line["loss_scale"] for line in history]
        self.assertTrue(history[0]["skipped"])
        scale, good, doublings = 2.0**30, 0, 0
        for line in history:
            self.assertEqual(scale, line["loss_scale"], line)
            good = 0 if line["skipped"] else good + 1
            if line["skipped"]:
                scale /= 2
            elif good == 4:  # the steps of an epoch
                scale, good, doublings = 2 * scale, 0, doublings + 1
        skipped = sum(line["skipped"] for line in history)
        self.assertGreater(skipped, 1)
        self.assertGreater(doublings, 0)
        self.assertEqual(skipped, job["progress"]["skipped_steps"])
        harness.seen("loss scale started at 2^30",
                     "%d steps skipped, down to 2^%d, doubled %d times after 4 good steps in a "
                     "row, 2^%d at the end" % (skipped, math.log2(min(scales)), doublings,
                                               math.log2(scales[-1])))

    def test_fixed_loss_scale_stays(self):
        job = self.train("--loss-scale", "1024", "--dynamic-loss-scale", "false", "--batch-size",
                         "80", "--steps", "9")
        self.assertEqual({1024.0}, {line["loss_scale"] for line in self.steps(job)})

    def test_every_policy_trains_with_the_bits_it_plans(self):
        for policy, flags in POLICIES.items():
            with self.subTest(policy):
                job = self.train("--policy", policy, *flags, "--steps", "3")
                plan = harness.mantissa("plan", "--model", "squeezenet", "--width", "0.1",
                                        "--classes", "10", "--batch-size", "16", "--policy", policy,
                                        *flags, "-o", "json").json()
                self.assertEqual(plan["bits"], job["plan"]["bits"])
                self.assertEqual(plan["ratio_low_bits"], job["plan"]["ratio_low_bits"])
                self.assertEqual(3, job["progress"]["step"])
                self.assertTrue(math.isfinite(job["progress"]["loss_unrounded"]))
                # The loss is a tensor too: on a grid in all policies but none.
                line = self.steps(job)[0]
                self.assertEqual(policy == "none", line["loss"] == line["loss_unrounded"])

    def test_every_rounding_mode_trains_in_its_own_way(self):
        losses = {}
        for rounding in ["nearest-even", "nearest-away", "stochastic", "reference"]:
            job = self.train("--policy", "uniform", "--rounding", rounding, "--steps", "4")
            losses[rounding] = [line["loss_unrounded"] for line in self.steps(job)]
        self.assertNotEqual(losses["stochastic"], losses["nearest-even"])
        self.assertNotEqual(losses["stochastic"], losses["nearest-away"])
        # These differ at ties, which are rare, and later in what follows from them.
        self.assertAlmostEqual(losses["nearest-even"][0], losses["nearest-away"][0], delta=0.2)
        self.assertAlmostEqual(losses["nearest-away"][0], losses["reference"][0], delta=0.2)

    def test_every_network_trains(self):
        for model in ["squeezenet", "shufflenet_v2", "mobilenet_v2", "resnet18"]:
            with self.subTest(model):
                job = self.train("--model", model, "--steps", "2")
                self.assertEqual("builtin:" + model, job["spec"]["model"]["model"])
                self.assertEqual(2, len(self.steps(job)))

    def test_optimizers_and_schedules_follow_their_rules(self):
        base = ["--batch-size", "80", "--steps", "16", "--epochs", "4", "--policy", "none"]
        rates = {}
        for schedule, flags in {"cosine": [], "constant": [],
                                "step": ["--step-epochs", "2", "--step-gamma", "0.5"]}.items():
            job = self.train(*base, "--optimizer", "adamw", "--lr", "0.004", "--schedule",
                             schedule, *flags)
            rates[schedule] = [line["lr"] for line in self.steps(job)][::4]
        for epoch, rate in enumerate(rates["cosine"]):
            self.assertAlmostEqual(0.002 * (1 + math.cos(math.pi * epoch / 4)), rate, places=12)
        self.assertEqual([0.004] * 4, rates["constant"])
        self.assertEqual([0.004, 0.004, 0.002, 0.002], rates["step"])

    def test_digits_are_learnt_in_fp32_and_at_half_low_precision(self):
        train = ["--model", "resnet18", "--epochs", "5", "--steps", "100", "--lr", "0.05",
                 "--seed", "2"]
        for policy in ["none", "demotion"]:
            job = self.train(*train, "--policy", policy)
            evaluation = job["progress"]["evaluation"]
            self.assertGreater(evaluation["accuracy"], 0.6, policy)
            harness.seen("ResNet-18 (width 0.1), 320 digits, 5 epochs, policy %s" % policy,
                         "accuracy %.1f %% on 80 others" % (100 * evaluation["accuracy"]))


if __name__ == "__main__":
    cases.main()

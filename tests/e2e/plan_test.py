"""`mantissa plan -o json`, which other programs rely on: with a server, with --local, with neither."""

import json
import os

from tests import cases
from tests.e2e import harness
from tests.planner import oracle

# Exactly so.
CALL = ("plan --model builtin:mobilenet_v2 --width 0.5 --classes 100 --input 3x32x32 "
        "--batch-size 128 --policy demotion --low-ratio 0.5 -o json").split()
GOLDEN = "tests/planner/golden"


class PlanTest(harness.ServerTest):

    def everywhere(self, args):
        """The same answer from this program, from this program asked to, and from the server."""
        unset = harness.mantissa(*args)
        local = harness.mantissa(*args, "--local", MANTISSA_SERVER="127.0.0.1:1")
        flag = self.server.run(*args)
        variable = harness.mantissa(*args, MANTISSA_SERVER=self.server.address)
        for other in (local, flag, variable):
            self.assertEqual(unset.out, other.out)
        return unset.json()

    def test_call_that_programs_rely_on_equals_an_independent_planner(self):
        plan = self.everywhere(CALL)
        expected = oracle.case("mobilenet_v2", oracle.mobilenet_v2, 0.5, 100, [3, 32, 32], 128)
        at_half = expected["demotion"][5]
        self.assertEqual(sum(expected["by_kind"]), plan["total_elements"])
        self.assertEqual(expected["groups"], [group["elements"] for group in plan["groups"]])
        self.assertEqual(list(range(len(plan["groups"]))), [g["id"] for g in plan["groups"]])
        self.assertEqual(at_half["low"], [g["id"] for g in plan["groups"] if g["low"]])
        self.assertEqual(at_half["bits"], plan["bits"])
        self.assertEqual(16 * plan["total_elements"], plan["bits_high"])
        self.assertEqual(2 * (plan["bits_high"] - plan["bits"]) / plan["bits_high"],
                         plan["ratio_low_bits"])
        low = sum(group["elements"] for group in plan["groups"] if group["low"])
        self.assertAlmostEqual(low / plan["total_elements"], plan["ratio_low_groups"], places=12)

    def test_operator_policy_equals_an_independent_planner(self):
        call = " ".join(CALL).replace("demotion --low-ratio 0.5", "operator").split()
        plan = self.everywhere(call)
        expected = oracle.case("mobilenet_v2", oracle.mobilenet_v2, 0.5, 100, [3, 32, 32], 128)
        self.assertEqual(expected["operator"], plan["bits"])

    def test_plans_equal_those_of_the_published_program(self):
        for name in sorted(os.listdir(GOLDEN)):
            with open(os.path.join(GOLDEN, name)) as f:
                golden = json.load(f)
            args = ["plan", "--model", "builtin:" + golden["model"], "--width", golden["width"],
                    "--classes", golden["classes"], "--batch-size", golden["batch"], "-o", "json"]
            for ratio, expected in golden["plans"].items():
                with self.subTest(name, ratio=ratio):
                    plan = self.server.run(*args, "--low-ratio", ratio).json()
                    self.assertEqual(golden["total_elements"], plan["total_elements"])
                    self.assertEqual([group["elements"] for group in golden["groups"]],
                                     [group["elements"] for group in plan["groups"]])
                    self.assertEqual(sorted(expected["groups_low"]),
                                     [group["id"] for group in plan["groups"] if group["low"]])
                    for field in ("bits", "bits_high", "ratio_low_bits", "ratio_low_groups"):
                        self.assertEqual(expected[field], plan[field], field)
            operator = self.server.run(*args, "--policy", "operator").json()
            for field, value in golden["operator_based"].items():
                self.assertEqual(value, operator[field], field)

    def test_explain_gives_every_tensor_a_reason(self):
        args = ["explain", "--model", "resnet18", "--width", "0.25", "--classes", "10"]
        here = harness.mantissa(*args, "-o", "json")
        self.assertEqual(here.out, self.server.run(*args, "-o", "json").out)
        tensors = here.json()["tensors"]
        self.assertGreater(len(tensors), 200)
        self.assertTrue(all(len(entry["reason"]) > 20 for entry in tensors))
        self.assertEqual(here.json()["plan"]["total_elements"],
                         sum(entry["tensor"]["elements"] for entry in tensors))
        self.assertIn("layer1.0.conv1", harness.mantissa(*args).out)

    def test_models_are_the_same_with_and_without_a_server(self):
        for args in [["model", "list"], ["model", "describe", "shufflenet_v2", "--width", "0.25"]]:
            self.assertEqual(harness.mantissa(*args, "-o", "json").out,
                             self.server.run(*args, "-o", "json").out)


if __name__ == "__main__":
    cases.main()

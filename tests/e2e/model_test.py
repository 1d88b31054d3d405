"""Models of one's own by the command line: pushed, described, planned, trained, fetched, removed."""

import os
import random
import shutil
import signal
import struct

from tests import cases
from tests.e2e import harness, npz, safetensors

# Tokens [N, 2] to logits [N, 2, 10]: its embedding is its head, `scale` is frozen in the file and
# `unused` is read by nothing.
TIED = os.path.abspath("tests/server/models/testdata/tied.pt2")
# [N, 2, 3] to [N, 2, 4]: an LSTM.
RECURRENT = os.path.abspath("tests/server/models/testdata/recurrent.pt2")
SAMPLES = 64

LANGUAGE = ["--model", "lm", "--dataset", "text", "--batch-size", "8", "--threads", "1", "--lr", "0.5"]


def ints(values):
    return struct.pack("<%dq" % len(values), *values)


def floats(count, seed):
    numbers = random.Random(seed)
    return struct.pack("<%df" % count, *(numbers.uniform(-1, 1) for _ in range(count)))


class ModelTest(harness.ServerTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.server.folder
        numbers = random.Random(1)
        tokens = [numbers.randrange(10) for _ in range(2 * SAMPLES)]
        text = os.path.join(folder, "text.npz")
        npz.write(text, {"x": npz.Array("<i8", (SAMPLES, 2), ints(tokens)),
                         "y": npz.Array("<i8", (SAMPLES, 2), ints([(t + 1) % 10 for t in tokens]))})
        cls.server.json("dataset", "push", "text", text, "--inputs", "x", "--target", "y")
        curves = os.path.join(folder, "curves.npz")
        npz.write(curves, {"x": npz.Array("<f4", (SAMPLES, 2, 3), floats(SAMPLES * 6, 2)),
                           "y": npz.Array("<f4", (SAMPLES, 2, 4), floats(SAMPLES * 8, 3))})
        cls.server.json("dataset", "push", "curves", curves, "--inputs", "x", "--target", "y")
        cls.pushed = cls.server.json("model", "push", "lm", TIED)

    def test_pushed_model_is_listed_and_described(self):
        self.assertEqual("MODEL_SOURCE_PT2", self.pushed["source"])
        self.assertEqual("tied.pt2", self.pushed["file_name"])
        self.assertTrue(self.pushed["producer"].startswith("torch 2."), self.pushed)
        names = [model["name"] for model in self.server.json("model", "list")["models"]]
        self.assertEqual(sorted(names), names)
        self.assertLess({"lm", "builtin:resnet18"}, set(names))
        described = self.server.json("model", "describe", "lm")
        tensors = {tensor["name"]: tensor for tensor in described["parameters"]}
        self.assertEqual({"embedding.weight", "scale"}, set(tensors))
        self.assertEqual(["head.weight"], tensors["embedding.weight"]["other_names"])
        self.assertTrue(tensors["scale"]["frozen"])
        self.assertFalse(tensors["embedding.weight"].get("frozen"))
        self.assertIn("aten::embedding", [op["op"] for op in described["operators"]])
        self.assertEqual([], described.get("unknown_operators", []))
        text = self.server.run("model", "describe", "lm").out
        self.assertIn("tokens: int64 [batch, 2]", text)
        self.assertIn("head.weight", text)

    def test_same_file_again_uploads_nothing_and_another_is_refused(self):
        again = self.server.run("model", "push", "lm", TIED, "-o", "json")
        self.assertIn("nothing sent", again.err)
        self.assertEqual(self.pushed, again.json())
        other = self.server.run("model", "push", "lm", RECURRENT, code=4)
        self.assertIn("`lm` has another file", other.err)

    def test_plan_of_an_uploaded_model_knows_loss_and_frozen_parameters(self):
        plan = self.server.json("plan", "--model", "lm", "--batch-size", "8", "--low-ratio", "1")
        self.assertEqual("lm", plan["model"])
        self.assertEqual(1.0, plan["ratio_low_groups"])
        self.assertGreater(plan["memory"]["peak_bytes"], 0)
        reasons = self.server.json("explain", "--model", "lm", "--batch-size", "8")["tensors"]
        kinds = [(entry["tensor"]["name"], entry["tensor"]["kind"]) for entry in reasons]
        self.assertIn(("embedding.weight", "TENSOR_KIND_PARAMETER_GRADIENT"), kinds)
        self.assertNotIn(("scale", "TENSOR_KIND_PARAMETER_GRADIENT"), kinds)
        missing = self.server.run("plan", "--model", "lm", "--freeze", "decoder.*", code=4)
        self.assertIn("decoder.*", missing.err)
        width = self.server.run("plan", "--model", "lm", "--width", "0.5", code=4)
        self.assertIn("model.width is 0.5", width.err)

    def test_trained_weights_have_every_name_of_the_state_dict(self):
        job = self.server.json("submit", *LANGUAGE, "--epochs", "3", "--ema", "0.5", "--clip-norm",
                               "1", "--accumulate", "2", "--wait")
        self.assertEqual("JOB_STATE_SUCCEEDED", job["state"])
        self.assertEqual(self.pushed["sha256"], job["spec"]["model"]["sha256"])
        self.assertIn("accuracy", job["progress"]["evaluation"])
        data = self.server.fetch(job["id"], "weights.safetensors")
        names = set(safetensors.shapes(data))
        self.assertEqual({"embedding.weight", "head.weight", "scale", "unused", "offset"}, names)
        weights = safetensors.read(data)
        self.assertEqual(weights["embedding.weight"], weights["head.weight"])
        self.assertEqual([2.0] * 4, list(weights["scale"]))
        self.assertEqual([1.0] * 3, list(weights["unused"]))
        average = safetensors.read(self.server.fetch(job["id"], "weights_ema.safetensors"))
        self.assertNotEqual(weights["embedding.weight"], average["embedding.weight"])
        harness.seen("a language model with tied weights, %d steps" % job["progress"]["step"],
                     "all %d names of its state dict in weights.safetensors" % len(names))

    def test_file_in_place_of_a_name_is_uploaded_once(self):
        copy = self.path("My Net.pt2")
        shutil.copy(RECURRENT, copy)
        args = ["submit", "--model", copy, "--dataset", "curves", "--loss", "mse", "--batch-size",
                "16", "--epochs", "2", "--threads", "1", "--wait"]
        first = self.server.run(*args, "-o", "json")
        self.assertIn("uploaded ", first.err)
        job = first.json()
        self.assertEqual("JOB_STATE_SUCCEEDED", job["state"])
        self.assertRegex(job["spec"]["model"]["model"], "^my-net-[0-9a-f]{8}$")
        self.assertNotIn("accuracy", job["progress"]["evaluation"])
        self.assertGreater(job["progress"]["evaluation"]["loss"], 0)
        second = self.server.run(*args, "-o", "json")
        self.assertNotIn("uploaded ", second.err)
        self.assertEqual(job["spec"]["model"], second.json()["spec"]["model"])
        self.assertIn("test loss", self.server.run("get", job["id"]).out)

    def test_model_and_data_that_do_not_fit_are_refused_by_name(self):
        digits = self.server.run("submit", "--model", "lm", "--dataset", "digits", code=4)
        for word in ["`digits`", "float32 [3, 32, 32]", "int64 [2]"]:
            self.assertIn(word, digits.err)
        loss = self.server.run("submit", *LANGUAGE, "--loss", "mse", code=4)
        self.assertIn("mse", loss.err)
        builtin = self.server.run("submit", "--model", "resnet18", "--dataset", "text", code=4)
        self.assertIn("`text`", builtin.err)
        harness.seen("images for a language model", digits.err[len("mantissa: refused: "):])

    def test_names_that_are_none_are_refused(self):
        unknown = self.server.run("submit", "--model", "nobody", "--dataset", "text", code=4)
        self.assertIn("no model `nobody`", unknown.err)
        self.assertIn("no file", self.server.run("plan", "--model", "./nobody.pt2", code=2).err)
        taken = self.server.run("model", "push", "resnet18", TIED, code=4)
        self.assertIn("resnet18", taken.err)
        harmful = self.path("a\x1b[31mb.pt2")
        shutil.copy(TIED, harmful)
        shown = self.server.run("model", "push", "harmful", harmful)
        self.assertNotIn("\x1b", shown.out + shown.err)
        self.assertEqual(4, self.server.run("model", "rm", "\x1b[31m", code=None).code)
        self.server.run("model", "rm", "harmful")

    def test_model_in_use_stays_until_its_job_has_ended(self):
        self.server.json("model", "push", "busy", RECURRENT)
        job = self.server.json("submit", "--model", "busy", "--dataset", "curves", "--loss", "mse",
                               "--batch-size", "16", "--epochs", "100000", "--threads", "1")["id"]
        refused = self.server.run("model", "rm", "busy", code=4)
        self.assertIn(job, refused.err)
        self.server.run("cancel", job)
        self.server.wait_until(job, "CANCELLED")
        self.server.run("model", "rm", "busy")
        self.assertEqual(4, self.server.run("model", "describe", "busy", code=None).code)
        # Its file went with it, unless another model has it.
        self.server.json("model", "push", "busy", RECURRENT)
        self.server.run("model", "rm", "busy")

    def test_models_and_their_jobs_outlive_a_killed_server(self):
        job = self.server.json("submit", *LANGUAGE, "--epochs", "4000", "--seed", "3")["id"]
        self.server.wait_for_step(job, 10)
        self.server.kill(signal.SIGKILL)
        self.server.start()
        self.assertEqual(self.pushed["sha256"],
                         self.server.json("model", "describe", "lm")["model"]["sha256"])
        before = self.server.get(job)["progress"]["step"]
        self.server.wait_for_step(job, before + 10)
        self.server.run("cancel", job)


if __name__ == "__main__":
    cases.main()

"""Modules of PyTorch on the real server: uploaded, planned, trained, and loaded back."""

import os
import pathlib
import unittest

import torch
from torch import nn

import mantissa
from tests import cases
from tests.e2e import harness


class Language(nn.Module):
    """A little of a language model: tied weights, a fixed mask, a buffer that nothing reads."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 8)
        self.norm = nn.LayerNorm(8)
        self.mix = nn.Linear(8, 8)
        self.head = nn.Linear(8, 11, bias=False)
        self.head.weight = self.embed.weight
        self.register_buffer("mask", torch.ones(8), persistent=False)
        self.register_buffer("version", torch.tensor(3))

    def forward(self, tokens):
        x = self.embed(tokens) * self.mask
        return self.head(x + torch.tanh(self.mix(self.norm(x))))


class Regression(nn.Module):
    """Two inputs, values as the target."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(4, 6), nn.Linear(3, 6)
        self.out = nn.Linear(6, 2)

    def forward(self, a, b):
        return self.out(torch.relu(self.left(a) + self.right(b)))


class ModelTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        torch.manual_seed(0)
        cls.server = harness.Server()
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.client = mantissa.Client(cls.server.address)
        cls.addClassCleanup(cls.client.close)
        tokens = torch.randint(11, (64, 5))
        # The next token is known: the training can do something.
        cls.client.push_dataset("tokens", {"x": tokens, "y": (tokens + 1) % 11})
        a, b = torch.randn(80, 4), torch.randn(80, 3)
        cls.client.push_dataset("values", {"a": a, "b": b, "sums": a[:, :2] + b[:, 1:]},
                                inputs=["a", "b"], target="sums")

    def export(self, module, example, name="net.pt2"):
        return mantissa.export(module, example, pathlib.Path(self.server.folder) / name)

    def language(self, name="net.pt2"):
        net = Language()
        return net, self.export(net, torch.zeros(2, 5, dtype=torch.long), name)

    def test_model_with_tied_weights_learns_and_loads_back_as_it_is(self):
        net, path = self.language("tied.pt2")
        job = self.client.submit(path, "tokens", policy="none", steps=60, epochs=60, batch_size=16,
                                 optimizer="adamw", learning_rate=0.02, threads=1).wait()
        trained = job.state_dict()
        self.assertEqual(set(net.state_dict()), set(trained))
        self.assertEqual(3, trained["version"].item())
        self.assertTrue(torch.equal(trained["head.weight"], trained["embed.weight"]))
        net.load_state_dict(trained)
        with torch.no_grad():
            tokens = torch.arange(11)[None]
            right = net(tokens).argmax(-1) == (tokens + 1) % 11
        self.assertGreater(right.float().mean().item(), 0.9)

    def test_job_starts_from_the_weights_of_the_archive(self):
        net, path = self.language("start.pt2")
        job = self.client.submit(path, "tokens", policy="none", steps=1, batch_size=16,
                                 learning_rate=1e-30, weight_decay=0.0, threads=1).wait()
        torch.testing.assert_close(job.state_dict(), dict(net.state_dict()), rtol=0, atol=1e-20)

    def test_frozen_parameters_stay_and_the_others_move(self):
        net, path = self.language("frozen.pt2")
        job = self.client.submit(path, "tokens", steps=3, batch_size=16, freeze=["mix.*"],
                                 low_ratio=0.5, threads=1).wait()
        before, after = net.state_dict(), job.state_dict()
        self.assertTrue(torch.equal(before["mix.weight"], after["mix.weight"]))
        self.assertFalse(torch.equal(before["norm.weight"], after["norm.weight"]))

    def test_several_inputs_are_trained_on_values(self):
        net = Regression()
        path = self.export(net, (torch.zeros(2, 4), torch.zeros(2, 3)), "values.pt2")
        job = self.client.submit(path, "values", loss="mse", policy="none", epochs=40,
                                 batch_size=16, learning_rate=0.05, threads=1).wait()
        self.assertFalse(job.progress.evaluation.HasField("accuracy"))
        self.assertLess(job.progress.evaluation.loss, 0.5)
        net.load_state_dict(job.state_dict())

    def test_plan_of_an_archive_has_every_parameter(self):
        net, path = self.language("plan.pt2")
        plan = self.client.plan(path, batch_size=16, low_ratio=0.5, freeze=["mix.*"])
        rows = {row.tensor: row for row in plan.rows if row.kind == "parameter"}
        # One of the two names of a tied weight.
        names = {name for name, _ in net.named_parameters()}
        self.assertEqual(names, set(rows))
        self.assertEqual(64, rows["mix.weight"].elements)
        gradients = {row.tensor for row in plan.rows if row.kind == "parameter_gradient"}
        self.assertEqual({name for name in names if not name.startswith("mix.")}, gradients)

    def test_file_is_uploaded_once_under_the_name_that_the_command_makes(self):
        _, path = self.language("My Net.pt2")
        self.client.plan(path, batch_size=4)
        self.client.plan(str(path), batch_size=8)
        ours = [model for model in self.client.models() if model.name.startswith("my-net-")]
        self.assertEqual(["My Net.pt2"], [model.file_name for model in ours])
        planned = self.server.json("plan", "--model", path, "--batch-size", "4")
        self.assertEqual(ours[0].name, planned["model"])

    def test_model_is_described_replaced_and_deleted(self):
        _, path = self.language("described.pt2")
        told = []
        pushed = self.client.push_model("mine", path, progress=lambda *now: told.append(now))
        size = path.stat().st_size
        self.assertEqual((size, size), told[-1])
        self.assertIn("2.11.0", pushed.producer)
        self.assertEqual(pushed, self.client.push_model("mine", path))
        described = self.client.describe_model("mine")
        self.assertIn("aten::embedding", [operator.op for operator in described.operators])
        self.assertEqual(sum(value.numel() for _, value in Language().named_parameters()),
                         described.parameter_elements)
        _, other = self.language("other.pt2")
        with self.assertRaises(mantissa.AlreadyExists):
            self.client.push_model("mine", other)
        self.client.delete_model("mine")
        with self.assertRaises(mantissa.NotFound):
            self.client.describe_model("mine")

    def test_what_is_no_archive_is_refused_with_the_reason(self):
        _, path = self.language("whole.pt2")
        path.write_bytes(path.read_bytes()[:-100])
        with self.assertRaisesRegex(mantissa.InvalidArgument, "zip"):
            self.client.push_model("torn", path)
        torch.save(Language().state_dict(), path)
        with self.assertRaises(mantissa.InvalidArgument):
            self.client.push_model("pickled", path)

    def test_data_that_do_not_fit_the_model_are_refused_before_the_job(self):
        _, path = self.language("fit.pt2")
        with self.assertRaisesRegex(mantissa.InvalidArgument, "inputs"):
            self.client.submit(path, "values", batch_size=16)
        with self.assertRaisesRegex(mantissa.InvalidArgument, "target"):
            self.client.submit(path, "tokens", loss="mse", batch_size=16)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    cases.main()

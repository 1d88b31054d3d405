"""Modules of PyTorch become archives; weights that come back become state dicts."""

import dataclasses
import logging
import os
import pathlib
import shutil
import tempfile
import unittest
import zipfile

import torch
from torch import nn

import mantissa
from mantissa import _dataset, _safetensors
from tests import cases


class Net(nn.Module):

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.norm = nn.BatchNorm2d(8)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        return self.head(self.drop(torch.relu(self.norm(self.conv(x))).mean((2, 3))))


class FixedBatch(Net):

    def forward(self, x):
        return super().forward(x).view(4, 10)


class Branching(Net):

    def forward(self, x):
        return super().forward(-x if x.sum() > 0 else x)


class Returning(Net):
    """Returns what `make` makes of its logits."""

    def __init__(self, make):
        super().__init__()
        self.make = make

    def forward(self, x):
        return self.make(super().forward(x))


@dataclasses.dataclass
class Output:
    loss: object
    logits: torch.Tensor
    cache: object


class Recurrent(nn.Module):

    def __init__(self):
        super().__init__()
        self.cell = nn.GRU(4, 5)
        self.head = nn.Linear(5, 3)

    def forward(self, x, hidden):
        return self.head(self.cell(x, hidden)[0][-1])


class Tied(nn.Module):

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 6)
        self.head = nn.Linear(6, 11, bias=False)
        self.head.weight = self.embed.weight
        self.register_buffer("mask", torch.ones(6), persistent=False)
        self.register_buffer("steps", torch.tensor(0))

    def forward(self, tokens):
        return self.head(self.embed(tokens) * self.mask)


class Summing(nn.Module):

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(5, 3)

    def forward(self, *inputs):
        return self.head(sum(inputs))


class FolderTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        # What torch.export prints of a model that it refuses.
        logging.disable(logging.ERROR)
        cls.addClassCleanup(logging.disable, logging.NOTSET)

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = self.folder / "net.pt2"
        self.example = torch.randn(4, 3, 8, 8)


class ExportTest(FolderTest):

    def export(self, module, args=None, **kwargs):
        args = self.example if args is None else args
        self.assertEqual(self.path, mantissa.export(module, args, str(self.path), **kwargs))
        return torch.export.load(self.path)

    def test_archive_computes_what_the_module_does_at_any_batch_size(self):
        net = Net()
        # In training mode twice the same numbers need the same dropout.
        net.drop.p = 0.0
        program = self.export(net).module()
        for batch in (1, 2, 7):
            x = torch.randn(batch, 3, 8, 8)
            torch.testing.assert_close(net(x), program(x))

    def test_archive_has_the_weights_under_the_names_of_the_module(self):
        net = Net()
        program = self.export(net)
        self.assertEqual(set(net.state_dict()), set(program.state_dict))
        self.assertTrue(torch.equal(net.head.weight, program.state_dict["head.weight"]))

    def test_archive_trains_and_has_no_pickled_weights(self):
        program = self.export(Net().eval())
        self.assertIn("aten.dropout.default", program.graph_module.code.replace("torch.ops.", ""))
        dropout = [node for node in program.graph.nodes if "dropout" in str(node.target)]
        self.assertEqual([True], [node.args[2] for node in dropout])
        with zipfile.ZipFile(self.path) as archive:
            names = [name.partition("/")[2] for name in archive.namelist()]
        self.assertIn("models/model.json", names)
        self.assertIn("data/weights/weight_0", names)

    def test_archive_tells_nothing_of_the_data_and_files_of_whoever_made_it(self):
        self.export(Net())
        secret = self.example.numpy().tobytes()[:64]
        with zipfile.ZipFile(self.path) as archive:
            for name in archive.namelist():
                content = archive.read(name)
                self.assertNotIn(b"export_test.py", content, name)
                self.assertNotIn(secret, content, name)

    def test_module_stays_as_it_was(self):
        net = Net()
        net.norm.eval()
        before = {name: value.clone() for name, value in net.state_dict().items()}
        self.export(net)
        self.assertEqual((True, False, True), (net.training, net.norm.training, net.drop.training))
        self.assertNotIn("forward", vars(net))
        for name, value in net.state_dict().items():
            self.assertTrue(torch.equal(before[name], value), name)

    def test_example_of_one_sample_does_not_fix_the_batch(self):
        program = self.export(Net(), self.example[:1]).module()
        self.assertEqual((5, 10), program(torch.randn(5, 3, 8, 8)).shape)

    def test_named_tuples_and_data_classes_become_their_tensors(self):
        for make in (lambda y: Output(None, y, object()), lambda y: {"logits": y, "more": [y + 1]},
                     lambda y: y.topk(3)):
            program = self.export(Returning(make)).module()
            self.assertIsInstance(program(self.example)[0], torch.Tensor)

    def test_batch_may_be_another_dimension_and_absent_in_an_argument(self):
        args = torch.randn(7, 2, 4), torch.zeros(1, 2, 5)
        program = self.export(Recurrent(), args, batch=1).module()
        self.assertEqual((6, 3), program(torch.randn(7, 6, 4), torch.zeros(1, 6, 5)).shape)
        program = self.export(Summing(), (torch.randn(4, 5), torch.randn(5)), batch=[0, None])
        self.assertEqual((6, 3), program.module()(torch.randn(6, 5), torch.randn(5)).shape)

    def test_arguments_may_be_given_by_name_and_in_any_number(self):
        program = self.export(Net(), (), example_kwargs={"x": self.example}).module()
        self.assertEqual((3, 10), program(x=torch.randn(3, 3, 8, 8)).shape)
        program = self.export(Summing(), [torch.randn(4, 5)] * 3).module()
        self.assertEqual((2, 3), program(*[torch.randn(2, 5)] * 3).shape)


class RefusalTest(FolderTest):

    def refusal(self, module, args=None, **kwargs):
        with self.assertRaises(mantissa.ExportError) as caught:
            mantissa.export(module, self.example if args is None else args, self.path, **kwargs)
        self.assertFalse(self.path.exists())
        self.assertNotIn("forward", vars(module))
        return str(caught.exception)

    def test_fixed_batch_size_is_told_with_the_remedy(self):
        self.assertEqual(
            "FixedBatch cannot be exported: it computes with the batch size as a fixed number. Use "
            "x.shape[0] where that number stands, and -1 instead of it in view() and reshape().",
            self.refusal(FixedBatch()))

    def test_branch_on_values_is_told_with_the_remedy(self):
        self.assertIn("depends on the values of tensors. Write the branch with torch.where",
                      self.refusal(Branching()))

    def test_module_without_tensors_is_refused(self):
        self.assertIn("it returns no tensor", self.refusal(Returning(lambda y: "text")))
        self.assertIn("must be tensors, and are int", self.refusal(Net(), (3,)))
        self.assertIn("must be tensors, and are none", self.refusal(Net(), ()))

    def test_batch_that_is_not_there_is_refused(self):
        self.assertIn("has no dimension 4", self.refusal(Net(), batch=4))
        self.assertIn("no argument has a batch", self.refusal(Net(), batch=[None]))
        self.assertIn("names 2 dimensions for 1", self.refusal(Net(), batch=[0, 0]))

    def test_what_torch_says_is_told_where_no_remedy_is_known(self):
        self.assertIn("torch.export says", self.refusal(Net(), torch.randn(4, 2, 8, 8)))

    def test_module_is_as_before_after_a_refusal(self):
        net = Branching().eval()
        self.refusal(net)
        self.assertFalse(any(part.training for part in net.modules()))


class StateDictTest(unittest.TestCase):

    def test_every_type_survives_the_way_to_a_file_and_back(self):
        for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64,
                      torch.int32, torch.uint8, torch.bool):
            for shape in ((3, 2), (), (0, 4)):
                value = torch.randint(0, 2, shape).to(dtype)
                data = _safetensors.write({"w": _safetensors.of(value)})
                back = _safetensors.to_torch(_safetensors.read(data)["w"])
                self.assertEqual((dtype, value.shape), (back.dtype, back.shape))
                self.assertTrue(torch.equal(value, back))

    def test_parts_of_tensors_and_transposed_ones_keep_their_values(self):
        value = torch.arange(12.0, requires_grad=True).reshape(3, 4).t()[1:]
        self.assertTrue(torch.equal(value, _safetensors.to_torch(_safetensors.of(value))))

    def test_state_dict_with_tied_names_is_loaded_as_it_is(self):
        tied, other = Tied(), Tied()
        data = _safetensors.write({name: _safetensors.of(value)
                                   for name, value in tied.state_dict().items()})
        other.load_state_dict({name: _safetensors.to_torch(raw)
                               for name, raw in _safetensors.read(data).items()})
        self.assertTrue(torch.equal(tied.head.weight, other.embed.weight))


class ArraysTest(unittest.TestCase):

    def test_tensors_become_arrays_of_a_data_set(self):
        for value in (torch.arange(4, requires_grad=False), torch.ones(2, requires_grad=True),
                      torch.ones(2, dtype=torch.bfloat16)):
            self.assertEqual(value.tolist(), _dataset._array("x", value).tolist())


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    cases.main()

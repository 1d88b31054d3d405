#!/usr/bin/env python3
"""Writes testdata/*.pt2 with real PyTorch: small models, each with something that is hard to read.

    PYTHONPATH=$(third_party/pytorch/install.py) python3.11 tests/server/models/make_testdata.py

Needs filelock and networkx as well. Made with torch 2.11.0; another version gives archives of that
version.
"""

import os
import zipfile

import torch
from torch import nn

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "testdata")


class Views(nn.Module):
    """Writes through views, and reads of views that a write has made stale."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 6)

    def forward(self, x):
        y = self.fc(x).clone()
        row = y[:, 1]
        turned = y.t()
        y[:, 0:2].mul_(2.0)  # row and turned see it
        turned[3].add_(row)
        y.view(-1, 2, 3)[:, 1, 2].fill_(0.5)
        z = torch.zeros_like(y)
        z[:, ::2].copy_(row.unsqueeze(1))
        z[:, 5:].zero_()
        w = torch.ones_like(y)
        w.split(2, dim=1)[1].fill_(3.0)
        w.unbind(1)[0].mul_(5.0)
        return y * w + z * turned.t(), z


class Tied(nn.Module):
    """Tied weights, a frozen parameter, one that nothing reads, buffers of both kinds."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10, 4)
        self.scale = nn.Parameter(torch.full((4,), 2.0), requires_grad=False)
        self.unused = nn.Parameter(torch.ones(3))
        self.head = nn.Linear(4, 10, bias=False)
        self.head.weight = self.embedding.weight
        self.register_buffer("offset", torch.arange(4.0))
        self.register_buffer("mask", torch.tensor([[True, False], [True, True]]), persistent=False)

    def forward(self, tokens):
        x = self.embedding(tokens) * self.scale + self.offset
        scores = (x @ x.transpose(1, 2)).masked_fill(~self.mask, float("-inf"))
        return self.head(scores.softmax(-1) @ x)


class Rotary(nn.Module):
    """Graphs inside the graph: no_grad and autocast that is off."""

    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(4, 4)

    def forward(self, x):
        y = self.proj(x)
        with torch.no_grad():
            norm = y.abs().amax(dim=-1, keepdim=True) + 1.0
            steps = torch.arange(x.shape[1], device=x.device).float()
        with torch.autocast("cpu", enabled=False):
            angle = torch.outer(steps, torch.ones(4))
        return y / norm * angle.cos()


class Recurrent(nn.Module):
    """Several outputs, sizes by the batch, dropout, drop path, state of batch normalisation."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.rnn = nn.LSTM(3, 4, batch_first=True)
        self.drop = nn.Dropout(0.25)

    def forward(self, x):
        x = self.norm(x.flatten(0, 1)).view(x.shape)
        y, _ = self.rnn(x)
        keep = x.new_empty((x.shape[0], 1, 1)).bernoulli_(0.9).div_(0.9)
        return self.drop(y) * keep + y.mean(1, keepdim=True)


class Narrow(nn.Module):
    """bfloat16 parameters, of which one is stored transposed and two share a storage."""

    def __init__(self):
        super().__init__()
        self.turned = nn.Parameter(torch.arange(6.0).view(3, 2).bfloat16().t())
        both = torch.arange(8.0).bfloat16()
        self.low = nn.Parameter(both[:3])
        self.high = nn.Parameter(both[4:6])

    def forward(self, x):
        return (x.to(torch.bfloat16) + self.high) @ self.turned + self.low


class Auxiliary(nn.Module):
    """A head beside the output whose batch norm counts, dropout in place, conversions of no effect."""

    def __init__(self):
        super().__init__()
        self.body = nn.Conv2d(1, 2, 3)
        self.side = nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2), nn.Conv2d(2, 1, 1))
        self.drop = nn.Dropout(0.5, inplace=True)
        self.off = nn.Dropout(0.0, inplace=True)

    def forward(self, x):
        y = self.body(x)
        mean = y.mean((2, 3)).to(dtype=torch.float32, device="cpu")
        return self.off(self.drop(mean)), self.side(y)


def batch(*names):
    return {name: {0: torch.export.Dim.AUTO} for name in names}


MODELS = {
    "views": (Views, lambda: (torch.arange(24.0).view(4, 6) / 7,), batch("x")),
    "tied": (Tied, lambda: (torch.tensor([[1, 2], [3, 4], [9, 0]]),), batch("tokens")),
    "rotary": (Rotary, lambda: (torch.arange(24.0).view(2, 3, 4) / 7,),
               {"x": {0: torch.export.Dim.AUTO, 1: torch.export.Dim.AUTO}}),
    "recurrent": (Recurrent, lambda: (torch.arange(24.0).view(4, 2, 3) / 7,), batch("x")),
    "auxiliary": (Auxiliary, lambda: (torch.arange(50.0).view(2, 1, 5, 5) / 7,), batch("x")),
    "narrow": (Narrow, lambda: (torch.arange(8.0).view(4, 2) / 7,), batch("x")),
}


def shrink(path):
    """Compresses what is worth it and leaves out the pickled inputs, which nobody reads."""
    with zipfile.ZipFile(path) as archive:
        entries = [(info.filename, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries:
            if "sample_inputs" in name:
                continue
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED if len(content) > 512 else zipfile.ZIP_STORED
            archive.writestr(info, content)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for name, (make, inputs, shapes) in MODELS.items():
        torch.manual_seed(20240)
        model = make()
        program = torch.export.export(model, inputs(), dynamic_shapes=shapes)
        # They tell where this was made.
        for module in program.graph_module.modules():
            for node in getattr(module, "graph", program.graph).nodes:
                node.meta.pop("stack_trace", None)
        path = os.path.join(FOLDER, name + ".pt2")
        torch.export.save(program, path)
        shrink(path)


if __name__ == "__main__":
    main()

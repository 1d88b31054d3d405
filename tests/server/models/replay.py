#!/usr/bin/env python3
"""Runs testdata/*.txt, graphs as text, in PyTorch and compares them with the models themselves.

    PYTHONPATH=$(third_party/pytorch/install.py) python3.11 tests/server/models/replay.py

Outputs, and gradients of the sum of their squares, must be those of the model bit for bit: what works
in place there is functional here. (narrow is computed in float32 here and in bfloat16 there.) Run it
when a golden changes.
"""

import os
import re
import sys

import torch

import make_testdata

DTYPES = ("float32", "float64", "float16", "bfloat16", "int64", "int32", "uint8", "bool")


def split(text):
    """Splits at commas outside of brackets and quotes."""
    parts, depth, quoted, current = [], 0, False, ""
    for char in text:
        quoted ^= char == '"'
        depth += 0 if quoted else (char == "[") - (char == "]")
        if char == "," and depth == 0 and not quoted:
            parts.append(current.strip())
            current = ""
        else:
            current += char
    return parts + [current.strip()] if current.strip() else parts


def argument(text, values, batch):
    if text.startswith("["):
        return [argument(part, values, batch) for part in split(text[1:-1])]
    if text.startswith('"'):
        return text[1:-1]
    if text.startswith("f:"):
        return float(text[2:])
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    if re.fullmatch(r"-?\d*N", text):
        return int(text[:-1] or 1) * batch
    if text in DTYPES:
        return getattr(torch, text)
    return {"none": None, "true": True, "false": False}.get(text, values.get(text))


def run(text, inputs, state):
    values, inputs, batch = {}, list(inputs), inputs[0].shape[0]
    for line in text.splitlines():
        kind, name = line.split(" ")[:2]
        if kind == "input":
            values[name] = inputs.pop(0)
        elif kind in ("parameter", "buffer", "constant"):
            values[name] = state[name]
        elif kind == "output":
            return values[name]
        else:
            name, op, args, shown = re.fullmatch(r"(\S+) = aten::([\w.]+)\((.*)\) -> (.*)", line).groups()
            args = dict(part.split("=", 1) for part in split(args))
            packet, _, overload = op.partition(".")
            function = getattr(getattr(torch.ops.aten, packet), overload or "default")
            result = function(**{key: argument(value, values, batch) for key, value in args.items()})
            many = isinstance(result, (list, tuple))
            for i, (tensor, form) in enumerate(zip(result if many else [result], shown.split("; "))):
                if form == "none":
                    continue
                sizes = argument(re.search(r"\[.*?\]", form).group(), values, batch)
                assert list(tensor.shape) == sizes, (line, tensor.shape)
                values[name + ".%d" % i if many else name] = tensor
    return None


def compare(name):
    make, inputs, _ = make_testdata.MODELS[name]
    results = []
    for replayed in (False, True):
        torch.manual_seed(20240)
        model = make()
        torch.manual_seed(1)
        if replayed:
            state = {**model.state_dict(keep_vars=True), **dict(model.named_buffers())}
            state = {key: value.float() if value.dtype == torch.bfloat16 else value
                     for key, value in state.items()}
            with open(os.path.join(make_testdata.FOLDER, name + ".txt")) as file:
                output = run(file.read(), inputs(), state)
        else:
            output = model(*inputs())
            output = output[0] if isinstance(output, tuple) else output
        trained = [p for p in model.parameters() if p.requires_grad]
        gradients = torch.autograd.grad(output.float().square().sum(), trained, allow_unused=True)
        results.append([output] + [p if g is None else g for p, g in zip(trained, gradients)])
    return all(torch.equal(a, b) if name != "narrow" else torch.allclose(a.float(), b.float(), 0.05, 0.5)
               for a, b in zip(*results))


def main():
    wrong = [name for name in make_testdata.MODELS if not compare(name)]
    print("differ: " + ", ".join(wrong) if wrong else "all %d agree" % len(make_testdata.MODELS))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

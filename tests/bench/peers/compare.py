"""Trains a step of a network in PyTorch and with Mantissa and compares memory and time.

    tests/bench/peers/run [--models resnet18,mobilenet_v2] [--batch 128] [--width 1.0]
        [--steps 2] [--threads 1] [--only NAME]... [--write docs/peers.md]

Prints a Markdown table a network; with --write it goes into the file, between the lines that
report.py knows. Each row is a process of its own. PyTorch for Python is downloaded at the first
run (third_party/pytorch).
"""

import argparse
import json
import os
import shutil
import subprocess
import sys

from tests.bench.peers import report

HERE = os.path.join("tests", "bench", "peers")
INSTALL = os.path.join("third_party", "pytorch", "install.py")
NOT_CACHED = 3

# Names in the table, and what the other program is told.
PYTORCH = [
    ("PyTorch fp32", "fp32"),
    ("PyTorch autocast bf16", "bf16"),
    ("PyTorch fp32, checkpointing", "fp32-checkpoint"),
    ("PyTorch autocast bf16, checkpointing", "bf16-checkpoint"),
    ("PyTorch fp32, saved tensors in 8 bits", "fp32-hooks8"),
]
LEAN = ["--recipe", "bf16", "--optimizer-state", "int8"]
CHEAP = ["--recompute", "cheap"]


def at_ratio(ratio, *more):
    return ["--policy", "demotion", "--low-ratio", str(ratio), *more]


MANTISSA = [
    ("Mantissa fp32", ["--policy", "none"]),
    ("Mantissa r = 0", at_ratio(0)),
    ("Mantissa r = 0.5", at_ratio(0.5)),
    ("Mantissa r = 1", at_ratio(1)),
    ("Mantissa r = 1, recomputing", at_ratio(1, *CHEAP)),
    ("Mantissa r = 1, bf16 recipe, int8 momentum", at_ratio(1, *LEAN)),
    ("Mantissa r = 1, bf16 recipe, int8 momentum, recomputing", at_ratio(1, *LEAN, *CHEAP)),
]


class Missing(Exception):
    """PyTorch for Python is not here; says why."""


def find_pytorch(download):
    """(python, environment) in which `import torch` works."""
    python = shutil.which("python3.11")
    if python is None:
        raise Missing("PyTorch 2.11's wheel needs python3.11, which is not installed")
    command = [sys.executable, INSTALL] + ([] if download else ["--cached"])
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode == NOT_CACHED:
        raise Missing(f"PyTorch for Python is not in the cache; {INSTALL} puts it there")
    found.check_returncode()
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([found.stdout.strip(), os.getcwd()]),
                       PYTHONDONTWRITEBYTECODE="1")
    return python, environment


def run_json(command, environment=None):
    result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True,
                            check=False)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with exit code {result.returncode}")
    return json.loads(result.stdout)


class Comparison:
    """Of one network, one row after the other."""

    def __init__(self, args, model, pytorch):
        self.args = args
        self.pytorch = pytorch
        self.common = ["--model", model, "--batch", str(args.batch), "--width", str(args.width),
                       "--steps", str(args.steps), "--threads", str(args.threads)]

    def run_pytorch(self, way):
        python, environment = self.pytorch
        # -S: nothing of the machine's own packages.
        return run_json([python, "-S", "-W", "ignore", os.path.join(HERE, "pytorch_step.py"),
                         "--way", way, "--meter",
                         os.path.join(self.args.binaries, "libmeter.so"), *self.common],
                        environment)

    def run_mantissa(self, flags):
        return run_json([os.path.join(self.args.binaries, "ours"), *self.common, *flags])

    def rows(self):
        ways = [(name, self.run_pytorch, way) for name, way in PYTORCH if self.pytorch]
        ways += [(name, self.run_mantissa, flags) for name, flags in MANTISSA]
        rows = []
        for name, run, argument in ways:
            if self.args.only and name not in self.args.only:
                continue
            row = dict(run(argument), name=name)
            print(f"done: {self.common[1]}: {name}", file=sys.stderr)
            rows.append(row)
        check_same_network(rows)
        return rows


def check_same_network(rows):
    """Both sides must have trained the same parameters."""
    for row in rows[1:]:
        if row["parameters"] != rows[0]["parameters"]:
            sys.exit(f"{row['name']} and {rows[0]['name']} have trained different networks")


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="resnet18,mobilenet_v2")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--steps", type=int, default=2, help="measured ones, after a warm-up")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", action="append", help="name of a row; default: all")
    parser.add_argument("--json", default="", help="where the figures go too")
    parser.add_argument("--write", default="", help="file whose measured part is replaced")
    parser.add_argument("--binaries", required=True, help="folder of ours and libmeter.so")
    return parser.parse_args(arguments)


def main():
    args = parse(sys.argv[1:])
    pytorch = find_pytorch(download=True)
    results = {}
    for model in args.models.split(","):
        results[model] = Comparison(args, model, pytorch).rows()
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump(results, f, indent=1)
    text = report.render(args, results)
    print(text)
    if args.write:
        report.write(args.write, text)


if __name__ == "__main__":
    main()

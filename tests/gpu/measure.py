"""Checks the kernels, measures them, and compares training steps with PyTorch, on a GPU or the CPU.

    python3 -m tests.gpu.measure --binaries DIR [--cpu] [--models resnet18,mobilenet_v2]
        [--batches 128,1024] [--width 1.0] [--steps 20] [--json FILE] [--write docs/gpu.md]

Prints Markdown tables; with --write they go into the file. Ends with 1 if a kernel differs from its
CPU twin, or if there is no GPU and --cpu was not given. Each row is a process of its own, so that
none sees another's memory.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

from tests.gpu import report

PYTORCH_STEP = os.path.join("tests", "bench", "peers", "pytorch_step.py")
RATIOS = ["0", "0.5", "0.9", "1.0"]

PYTORCH = [("PyTorch fp32", "fp32"), ("PyTorch AMP bf16", "bf16")]
MANTISSA = [("Mantissa fp32", ["--policy", "none"])] + [
    (f"Mantissa {recipe}, r = {ratio}",
     ["--policy", "demotion", "--low-ratio", ratio, "--recipe", recipe])
    for recipe in ["paper", "bf16"] for ratio in RATIOS]
LEAN = ("Mantissa bf16, r = 1.0, int8 momentum, recomputing",
        ["--policy", "demotion", "--low-ratio", "1.0", "--recipe", "bf16",
         "--optimizer-state", "int8", "--recompute", "cheap"])


def find_torch(python):
    """(folder of its libraries, version) of the PyTorch of a Python; None if it has none."""
    script = ("import os, torch; "
              "print(os.path.join(os.path.dirname(torch.__file__), 'lib')); print(torch.__version__)")
    found = subprocess.run([python, "-c", script], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, text=True, check=False)
    return tuple(found.stdout.split()) if found.returncode == 0 else None


class Machine:
    """Runs the programs on the device that the arguments name."""

    def __init__(self, args, torch):
        self.args = args
        self.torch = torch
        self.environment = dict(os.environ, PYTHONPATH=os.getcwd(), PYTHONDONTWRITEBYTECODE="1")
        # PyTorch's own libraries serve Mantissa too: the program was built with the same version.
        if not args.cpu and torch:
            self.environment["LD_LIBRARY_PATH"] = torch[0]
            self.environment["MANTISSA_LIBTORCH_CUDA"] = torch[0]

    def binary(self, name):
        return os.path.join(self.args.binaries, name)

    def run(self, command):
        return subprocess.run(command, env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)

    def row(self, name, command):
        result = self.run(command)
        if result.returncode != 0:
            # Batch 1,024 may be more than the device has: that is a result too.
            last = (result.stderr.strip().splitlines() or ["no output"])[-1]
            return {"name": name, "failed": f"exit code {result.returncode}: {last}"}
        return dict(json.loads(result.stdout), name=name)


def check_contracts(machine):
    """[(program, passed, skipped, failed)] of the kernels' contract tests."""
    results = []
    for name in sorted(os.listdir(machine.args.binaries)):
        if not name.endswith("gpu_test"):
            continue
        with tempfile.NamedTemporaryFile() as file:
            ran = machine.run([machine.binary(name), f"--gtest_output=json:{file.name}"])
            text = file.read()
        tests = [test for suite in json.loads(text)["testsuites"] for test in suite["testsuite"]
                 ] if text else []
        failed = sum("failures" in test for test in tests)
        skipped = sum(test["result"] == "SKIPPED" for test in tests)
        # A program that crashed has no list.
        failed = max(failed, 1 if ran.returncode != 0 else 0)
        results.append((name, max(len(tests) - failed - skipped, 0), skipped, failed))
    return results


def measure_kernels(machine):
    size = ["--cpu", "--elements", "100003", "--runs", "1"] if machine.args.cpu else []
    return machine.row("kernels", [machine.binary("kernel_bench"), *size])


def measure_steps(machine, model, batch):
    args = machine.args
    device = "cpu" if args.cpu else "cuda"
    common = ["--model", model, "--batch", str(batch), "--width", str(args.width), "--steps",
              str(args.steps), "--threads", str(args.threads), "--device", device]
    ways = []
    if machine.torch:
        meter = ["--meter", machine.binary("libmeter.so")]
        ways += [(name, [args.python, "-W", "ignore", PYTORCH_STEP, "--way", way, *meter])
                 for name, way in PYTORCH]
    ways += [(name, [machine.binary("ours"), *flags]) for name, flags in [*MANTISSA, LEAN]]
    rows = []
    for name, command in ways:
        rows.append(machine.row(name, command + common))
        print(f"done: {model}, batch {batch}: {name}", file=sys.stderr)
    return rows


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", required=True, help="folder of what tests/gpu/run builds")
    parser.add_argument("--cpu", action="store_true", help="the CPU half, at a small size")
    parser.add_argument("--models", default="resnet18,mobilenet_v2")
    parser.add_argument("--batches", default="", help="default: 128,1024; on the CPU 16")
    parser.add_argument("--width", type=float, default=0, help="default: 1.0; on the CPU 0.25")
    parser.add_argument("--steps", type=int, default=0, help="measured ones; default: 20, CPU: 1")
    parser.add_argument("--threads", type=int, default=2, help="of the CPU")
    parser.add_argument("--python", default=sys.executable, help="that has PyTorch")
    parser.add_argument("--json", default="", help="where the figures go too")
    parser.add_argument("--write", default="", help="file whose measured part is replaced")
    args = parser.parse_args(arguments)
    args.batches = [int(batch) for batch in (args.batches or ("16" if args.cpu else "128,1024"))
                    .split(",")]
    args.width = args.width or (0.25 if args.cpu else 1.0)
    args.steps = args.steps or (1 if args.cpu else 20)
    return args


def measure(args):
    torch = find_torch(args.python)
    machine = Machine(args, torch)
    tested = check_contracts(machine)
    # With a GPU none is skipped; without one, a few that need no device still pass.
    if not args.cpu and any(skipped for _, _, skipped, _ in tested):
        sys.exit("This machine has no GPU that CUDA can use, so nothing was checked or measured. "
                 "Run it on one that has, or with --cpu.")
    if not args.cpu and (torch is None or not torch[1].startswith("2.11.")):
        sys.exit(f"{args.python} has PyTorch {torch[1] if torch else 'not'}; needed is 2.11, whose "
                 "libraries Mantissa uses on the GPU. Give another one with --python.")
    return {
        "command": "tests/gpu/run " + " ".join(
            ["--cpu"] * args.cpu + [f"--models {args.models}", f"--width {args.width}",
                                    f"--steps {args.steps}"]),
        "torch": torch[1] if torch else "",
        "contracts": tested,
        "kernels": measure_kernels(machine),
        "steps": [{"model": model, "batch": batch, "rows": measure_steps(machine, model, batch)}
                  for model in args.models.split(",") for batch in args.batches],
    }


def main(arguments):
    args = parse(arguments)
    results = measure(args)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump(results, f, indent=1)
    text = report.render(results)
    print(text)
    if args.write:
        report.write(args.write, text)
    contracts = results["contracts"]
    return 0 if contracts and not any(failed for _, _, _, failed in contracts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

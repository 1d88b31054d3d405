#!/usr/bin/env python3
"""Accuracy against the low ratio: trains over seeds and ratios and prints a Markdown table.

Usage: tests/bench/accuracy/run.py [--seeds 3] [--ratios 0:1:0.1] [--epochs 6] [--model NAME]
           [--width W] [--batch-size N] [--mantissa PATH] [--dataset NAME]

Needs a running server ($MANTISSA_SERVER) that has the data set. Jobs that an earlier run has made
are used again (same request id), so that an interrupted run goes on where it was.
"""

import argparse
import concurrent.futures
import json
import statistics
import subprocess
import sys


def ratios_of(text):
    first, last, step = (float(part) for part in text.split(":"))
    count = round((last - first) / step)
    return [round(first + i * step, 6) for i in range(count + 1)]


class Bench:
    def __init__(self, args):
        self.args = args

    def job(self, label, seed, precision):
        args = self.args
        key = (f"accuracy-{args.dataset}-{args.model}-{args.width}-{args.batch_size}-{args.epochs}"
               f"-{label}-{seed}")
        command = [
            args.mantissa, "submit", "--name", f"{label}-seed{seed}", "--model",
            f"builtin:{args.model}", "--width", str(args.width), "--dataset", args.dataset,
            "--batch-size", str(args.batch_size), "--epochs", str(args.epochs), "--evaluate-every",
            str(args.epochs), "--seed", str(seed), "--request-id", key] + precision
        submit = subprocess.run(command + ["-o", "json"], check=True, stdout=subprocess.PIPE)
        job = json.loads(submit.stdout)["id"]
        watch = subprocess.run([args.mantissa, "watch", job], stdout=subprocess.DEVNULL, check=False)
        if watch.returncode != 0:
            sys.exit(f"{label}, seed {seed}: {job} ended with exit code {watch.returncode}")
        get = subprocess.run([args.mantissa, "get", job, "-o", "json"], check=True,
                             stdout=subprocess.PIPE)
        return json.loads(get.stdout)

    def row(self, label, shown, precision):
        jobs = [self.job(label, seed, precision) for seed in range(1, self.args.seeds + 1)]
        accuracy = [100 * job["progress"]["evaluation"]["accuracy"] for job in jobs]
        print(f"done: {label}: {accuracy}", file=sys.stderr)
        return {
            "shown": shown,
            "accuracy": accuracy,
            "low": jobs[0]["plan"]["ratio_low_groups"],
            "low_bits": statistics.mean(job["progress"]["ratio_low_bits"] for job in jobs),
            "bits": statistics.mean(int(job["progress"]["bits"]) for job in jobs),
            "promoted": statistics.mean(int(job["progress"]["promoted_tensors"]) for job in jobs),
        }


def print_table(rows):
    fp32 = rows[0]
    print("| precision | accuracy, mean | lowest to highest | against fp32, points | "
          "low, by elements | low, by bits at the end | bits of fp32 | promoted |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        mean = statistics.mean(row["accuracy"])
        print(f"| {row['shown']} | {mean:.2f} % | {min(row['accuracy']):.2f} to "
              f"{max(row['accuracy']):.2f} % | {mean - statistics.mean(fp32['accuracy']):+.2f} | "
              f"{row['low']:.3f} | {row['low_bits']:.3f} | {row['bits'] / fp32['bits']:.3f} | "
              f"{row['promoted']:.1f} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--ratios", default="0:1:0.1")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--width", type=float, default=0.25)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--dataset", default="digits")
    parser.add_argument("--mantissa", default="out/bin/client/cli/mantissa")
    bench = Bench(parser.parse_args())
    rows = [("fp32", "fp32", ["--policy", "none"])]
    for ratio in ratios_of(bench.args.ratios):
        rows.append((f"demotion{ratio}", f"demotion, r = {ratio}",
                     ["--policy", "demotion", "--low-ratio", str(ratio)]))
    rows.append(("operator", "operator-based", ["--policy", "operator"]))
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        print_table(list(pool.map(lambda row: bench.row(*row), rows)))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Prints jobs side by side: accuracy, low ratio, bits, measured memory of a step, time.

Usage: deploy/compare_jobs.py JOB.json...

Each file is what `mantissa get JOB -o json` printed. The first job is what the others' bits and
memory are compared with. Fails if a job did not succeed.
"""

import datetime
import json
import sys


def parse_time(text):
    return datetime.datetime.fromisoformat(text)


def row(job):
    progress = job["progress"]
    evaluation = progress["evaluation"]
    seconds = (parse_time(job["end_time"]) - parse_time(job["start_time"])).total_seconds()
    return {
        "name": job["spec"]["name"],
        "accuracy": evaluation.get("accuracy", 0.0),
        "low": progress.get("ratio_low_bits", 0.0),
        "bits": int(progress["bits"]),
        "peak": int(job["memory"]["measured"]["peak_bytes"]),
        "promoted": int(progress.get("promoted_tensors", 0)),
        "seconds": seconds,
    }


def main(paths):
    if not paths:
        sys.exit(__doc__)
    jobs = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            job = json.load(file)
        if job["state"] != "JOB_STATE_SUCCEEDED":
            sys.exit(f"{path}: the job ended as {job['state']}: {job.get('failure')}")
        jobs.append(row(job))
    bits, peak = jobs[0]["bits"], jobs[0]["peak"]
    of_first = "of " + jobs[0]["name"]
    print(f"{'job':<12}{'accuracy':>10}{'low ratio':>11}{'tensor bits':>15}{of_first:>9}"
          f"{'peak memory':>13}{of_first:>9}{'promoted':>10}{'time':>9}")
    for job in jobs:
        print(f"{job['name']:<12}{job['accuracy']:>10.2%}{job['low']:>11.3f}{job['bits']:>15,}"
              f"{job['bits'] / bits:>9.2f}{job['peak'] / 2**20:>10.1f}MiB"
              f"{job['peak'] / peak:>9.2f}{job['promoted']:>10}{job['seconds']:>8.1f}s")


main(sys.argv[1:])

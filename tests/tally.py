#!/usr/bin/env python3
"""Counts test cases of a `bazel test` by its event file.

    tally.py --bazel-status 0 events.json

Prints what failed and, as the last line, "N passed, N failed". Exits with 0 only if nothing failed.
Bazel's own summary counts targets, and leaves out the cases of cached ones.

A case is a <testcase> of a test.xml. Besides failing cases, these count as one failure each: a test
that ended badly with no failing case in its file (a crash, a time-out), a target that could not be
built, and a failure of Bazel that none of the above explains. Skipped cases count as neither.
"""

import argparse
import collections
import json
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree

Tally = collections.namedtuple("Tally", ["passed", "failed", "skipped", "failures"])


def count_cases(xml_text):
    """(passed, names of failed, skipped) of a test.xml."""
    passed, failed, skipped = 0, [], 0
    for case in ElementTree.fromstring(xml_text).iter("testcase"):
        name = ".".join(filter(None, [case.get("classname"), case.get("name")]))
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def last_results(events):
    """The result of the last attempt of each test shard and run, by (label, run, shard)."""
    results = {}
    for event in events:
        key = event.get("id", {}).get("testResult")
        if key and "testResult" in event:
            results[(key["label"], key.get("run"), key.get("shard"))] = event["testResult"]
    return results


def unbuilt_targets(events):
    """Labels that could not be loaded, analysed or built, sorted."""
    labels = set()
    for event in events:
        for kind, key in event.get("id", {}).items():
            if not isinstance(key, dict):
                continue
            label = key.get("label") or "".join(key.get("pattern", []))
            broken = "aborted" in event and event["aborted"].get("reason") != "SKIPPED"
            if kind == "targetCompleted" and not event.get("completed", {}).get("success") or (
                    broken and label and kind != "testSummary"):
                labels.add(label)
    return sorted(labels)


def tally(events, read, bazel_status):
    """Counts `events`; `read` returns the text of the file at a URI."""
    passed, skipped, failures = 0, 0, []
    for (label, _, _), result in sorted(last_results(events).items(), key=str):
        outputs = {output["name"]: output.get("uri") for output in result.get("testActionOutput", [])}
        names = []
        if outputs.get("test.xml"):
            try:
                ok, names, skips = count_cases(read(outputs["test.xml"]))
                passed += ok
                skipped += skips
            except (ElementTree.ParseError, OSError):
                names = ["unreadable test.xml"]
        if result.get("status") not in ("PASSED", "FLAKY") and not names:
            names = [result.get("status", "no status")]
        failures += ["%s %s" % (label, name) for name in names]
    failures += ["%s could not be built" % label for label in unbuilt_targets(events)]
    if bazel_status != 0 and not failures:
        failures.append("bazel ended with status %d" % bazel_status)
    return Tally(passed, len(failures), skipped, failures)


def read_uri(uri):
    with open(urllib.parse.unquote(urllib.parse.urlparse(uri).path), encoding="utf-8") as f:
        return f.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bazel-status", type=int, required=True)
    parser.add_argument("events")
    args = parser.parse_args()
    with open(args.events, encoding="utf-8") as f:
        events = [json.loads(line) for line in f if line.strip()]
    result = tally(events, read_uri, args.bazel_status)
    for failure in result.failures:
        print("[tests] failed: %s" % failure)
    if result.skipped:
        print("[tests] skipped: %d" % result.skipped)
    print("%d passed, %d failed" % (result.passed, result.failed))
    sys.exit(1 if result.failed else 0)


if __name__ == "__main__":
    main()

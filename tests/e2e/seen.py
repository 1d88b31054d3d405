"""Prints as one Markdown table what the tests of tests/e2e and tests/faults saw when they last ran.

    bazel test //tests/e2e/... //tests/faults/...
    python3 tests/e2e/seen.py                 # or with the folder of test logs: seen.py out/testlogs
"""

import os
import sys
import zipfile


def rows(logs):
    """(test, row) of each line that a test wrote, sorted by test."""
    for room in ("e2e", "faults"):
        folder = os.path.join(logs, "tests", room)
        for test in sorted(os.listdir(folder)):
            path = os.path.join(folder, test, "test.outputs", "outputs.zip")
            if not os.path.exists(path):
                continue
            with zipfile.ZipFile(path) as archive:
                if "seen.md" in archive.namelist():
                    for line in archive.read("seen.md").decode().splitlines():
                        yield "//tests/%s:%s" % (room, test), line


def main(logs="out/testlogs"):
    print("| Test | Case | Seen |\n|---|---|---|")
    for test, row in rows(logs):
        print("| `%s` %s" % (test, row))


if __name__ == "__main__":
    main(*sys.argv[1:])

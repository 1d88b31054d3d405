"""python_test: a unittest file run by the machine's python3.

Bazel 4.2's own py_test starts `python`, which Debian does not have.

    load("//tests:python.bzl", "python_test")

    python_test(
        name = "tally_test",
        size = "small",
        main = "tally_test.py",
        data = ["//tests:tally.py"],
    )

Modules are imported by their path from the top: `from tests import tally`. The file ends with
`cases.main()` (tests/cases.py), which reports each method as a test case.
"""

def python_test(name, main, data = [], **kwargs):
    """Runs `main` with python3.

    Args:
      name: of the test.
      main: the file.
      data: what it imports or reads.
      **kwargs: as of sh_test.
    """
    native.sh_test(
        name = name,
        srcs = ["//tests:python.sh"],
        args = ["$(rootpath %s)" % main],
        data = [main, "//tests:cases.py"] + data,
        **kwargs
    )

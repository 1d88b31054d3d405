"""e2e_test: a unittest file that runs the real programs through harness.py.

    load("//tests/e2e:defs.bzl", "e2e_test")

    e2e_test(name = "job_test")
"""

load("//tests:python.bzl", "python_test")

def e2e_test(name, data = [], size = "medium", **kwargs):
    """Runs NAME.py.

    Args:
      name: of the test and, with .py, of its file.
      data: what it reads besides the programs and the harness.
      size: as of sh_test.
      **kwargs: as of sh_test.
    """
    python_test(
        name = name,
        size = size,
        data = [
            "//client/cli:mantissa",
            "//server/engine:mantissa-worker",
            "//server/main:mantissad",
            "//tests/e2e:harness.py",
            "//tests/e2e:images.py",
            "//tests/e2e:npz.py",
            "//tests/e2e:safetensors.py",
            "//tests/e2e:testdata/digits.npz",
        ] + data,
        main = name + ".py",
        **kwargs
    )

"""installed_sdk: client/python installed by pip. sdk_test: a unittest file that imports it.

    load(":defs.bzl", "installed_sdk", "sdk_test")

    installed_sdk(name = "installed")

    sdk_test(name = "export_test", torch = True)
"""

load("//tests:python.bzl", "python_test")

def _installed_sdk_impl(ctx):
    out = ctx.actions.declare_directory(ctx.label.name)
    ctx.actions.run_shell(
        mnemonic = "PipInstall",
        inputs = ctx.files.srcs + ctx.files.packages,
        outputs = [out],
        arguments = [out.path, ctx.files.packages[0].path],
        use_default_shell_env = True,
        # Nothing is fetched: what is needed to build is in the packages. What pip notes of where
        # the sources were differs from machine to machine.
        command = """
set -eu
export HOME=$(mktemp -d) PYTHONPATH=$PWD/$2 PIP_CONFIG_FILE=/dev/null PIP_DISABLE_PIP_VERSION_CHECK=1
python3 -m pip install --quiet --no-cache-dir --no-index --no-deps --no-build-isolation \
  --check-build-dependencies --no-compile --root-user-action=ignore --target "$1" ./client/python
rm -f "$1"/*.dist-info/direct_url.json
""",
    )
    return [DefaultInfo(files = depset([out]), runfiles = ctx.runfiles([out]))]

_installed_sdk = rule(
    implementation = _installed_sdk_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = True),
        "packages": attr.label(allow_single_file = True),
    },
)

def installed_sdk(name):
    """A folder for PYTHONPATH.

    Args:
      name: of the folder.
    """
    _installed_sdk(
        name = name,
        srcs = [
            "//client/python:sources",
            "//proto/mantissa/v1:sources",
            "//third_party/googleapis/google/rpc:sources",
        ],
        packages = "@python_sdk//:packages",
    )

_SERVER = [
    "//client/cli:mantissa",
    "//server/engine:mantissa-worker",
    "//server/main:mantissad",
    "//tests/e2e:certificates.py",
    "//tests/e2e:harness.py",
    "//tests/e2e:npz.py",
    "//tests/e2e:testdata/digits.npz",
]

def sdk_test(name, torch = False, server = False, data = [], size = "medium", **kwargs):
    """Runs NAME.py with the package, and what it needs, to be imported.

    Args:
      name: of the test and, with .py, of its file.
      torch: whether it uses PyTorch.
      server: whether it starts the real programs (tests/e2e/harness.py).
      data: what it reads besides.
      size: as of sh_test.
      **kwargs: as of sh_test.
    """
    folders = [":installed", "@python_sdk//:packages"] + (["@pytorch//:packages"] if torch else [])
    python_test(
        name = name,
        size = size,
        data = folders + (_SERVER if server else []) + data,
        env = {"PYTHONPATH": ":".join(["$(rootpath %s)" % folder for folder in folders])},
        main = name + ".py",
        **kwargs
    )

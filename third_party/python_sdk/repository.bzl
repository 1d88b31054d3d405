"""What the Python SDK is built with, needs, and is tested with.

to build    grpcio-tools 1.76.0 (its protoc and plug-in), hatchling 1.33.0 with packaging, pathspec,
            pluggy, tomlkit and trove-classifiers
to run      grpcio 1.85.3, protobuf 6.33.6, numpy 2.4.6, typing-extensions 4.16.0;
            for torch.export filelock 4.2.12, networkx 3.6.1, jinja2 3.1.6 with markupsafe 3.0.4,
            fsspec 2026.9.0
to test     pandas 3.1.1 with python-dateutil and tzdata; mypy 2.4.1 with mypy-extensions, librt,
            ast-serialize and types-protobuf

From:    PyPI; SHA-256 of each in requirements.lock
Licence: Apache-2.0 (grpcio, grpcio-tools, packaging, trove-classifiers, tzdata, types-protobuf),
         BSD-3-Clause (protobuf, numpy, pandas, python-dateutil, networkx, jinja2, markupsafe,
         fsspec), MIT (hatchling, pluggy, tomlkit, mypy, mypy-extensions, librt, ast-serialize,
         filelock), MPL-2.0 (pathspec), PSF-2.0 (typing-extensions)
Why:     client/python is installed and tested with these. Its users have their own: pip takes what
         client/python/pyproject.toml allows.
"""

load("//third_party/wheels:defs.bzl", "CACHE_ENVIRON", "compile_modules", "fetch_wheels")

def _python_sdk_impl(ctx):
    root = fetch_wheels(ctx, Label("//third_party/python_sdk:requirements.lock"), ["**=./"])
    compile_modules(ctx, root)
    ctx.symlink(root, "packages")
    ctx.file("BUILD", """package(default_visibility = ["//visibility:public"])

# A folder for PYTHONPATH; it stands for its 5,500 files.
exports_files(["packages"])
""")

python_sdk_repository = repository_rule(
    implementation = _python_sdk_impl,
    environ = CACHE_ENVIRON,
)

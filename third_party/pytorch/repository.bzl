"""PyTorch for Python as a folder for PYTHONPATH: @pytorch//:packages. See README.md."""

load("//third_party/wheels:defs.bzl", "CACHE_ENVIRON", "compile_modules")

def _pytorch_impl(ctx):
    # Named here, so that a change of one makes the folder anew.
    for name in ["requirements.lock", "standins.py"]:
        ctx.path(Label("//third_party/pytorch:" + name))
    result = ctx.execute(
        [ctx.which("python3"), ctx.path(Label("//third_party/pytorch:install.py"))],
        timeout = 3600,
    )
    if result.return_code != 0:
        fail("PyTorch cannot be installed for tests; is PyPI reachable and python3-pip installed?\n" +
             result.stderr)
    compile_modules(ctx, result.stdout.strip())
    ctx.symlink(result.stdout.strip(), "packages")
    ctx.file("BUILD", """package(default_visibility = ["//visibility:public"])

# It stands for its 4,000 files.
exports_files(["packages"])
""")

pytorch_repository = repository_rule(
    implementation = _pytorch_impl,
    environ = CACHE_ENVIRON,
)

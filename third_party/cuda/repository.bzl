"""nvcc and the CUDA runtime.

From:    a CUDA toolkit of at least 12.8 in $CUDA_HOME or /usr/local/cuda; else PyPI wheels of CUDA
         13.0, SHA-256 in requirements.lock
Licence: NVIDIA's CUDA Toolkit End User License Agreement
Why:     compiles kernels/**/*.cu (defs.bzl). Needs no GPU and no driver.
"""

load("//third_party/wheels:defs.bzl", "CACHE_ENVIRON", "fetch_wheels")

_MINIMUM = [12, 8]

def _toolkit_version(ctx, home):
    # "Cuda compilation tools, release 13.0, V13.0.88" -> [13, 0]
    nvcc = ctx.path(home + "/bin/nvcc")
    if not nvcc.exists:
        return None
    result = ctx.execute([nvcc, "--version"])
    if result.return_code != 0 or "release " not in result.stdout:
        return None
    release = result.stdout.split("release ")[1].split(",")[0]
    return [int(part) for part in release.split(".")]

def _cuda_impl(ctx):
    home, libraries, version = None, None, None
    for candidate in [ctx.os.environ.get("CUDA_HOME", ""), "/usr/local/cuda"]:
        if candidate:
            found = _toolkit_version(ctx, candidate)
            if found and found >= _MINIMUM:
                version = found
                home = str(ctx.path(candidate).realpath)
                libraries = home + "/lib64"
                break
    if not home:
        root = fetch_wheels(
            ctx,
            Label("//third_party/cuda:requirements.lock"),
            ["nvidia/cu13/**=cuda/"],
        )
        home = root + "/cuda"
        libraries = home + "/lib"
        version = [13, 0]

    ctx.symlink(home + "/include", "include")
    ctx.symlink(libraries + "/libcudart_static.a", "libcudart_static.a")
    ctx.file("config.bzl", """\"\"\"Where CUDA is on this machine.\"\"\"

CUDA_HOME = "%s"
CUDA_VERSION = "%s"
""" % (home, ".".join([str(part) for part in version])))
    ctx.symlink(Label("//third_party/cuda:cuda.BUILD"), "BUILD")

cuda_repository = repository_rule(
    implementation = _cuda_impl,
    environ = CACHE_ENVIRON + ["CUDA_HOME"],
)

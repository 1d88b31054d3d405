"""LibTorch from its PyPI wheel.

From:    PyPI, torch 2.11.0, nvidia-cuda-runtime 13.0.96, nvidia-cuda-cupti 13.0.85; SHA-256 in
         requirements.lock
Licence: BSD-3-Clause (torch); NVIDIA's CUDA licence for the two libraries that it loads
Why:     the operators, autograd and their CPU and GPU kernels, in server/engine only.

Left out on purpose: include/google (protobuf 3.13, which would shadow the system's) and pybind11.
libtorch.so is left out too: it drags in libtorch_cuda.so and with it a driver.
"""

load("//third_party/wheels:defs.bzl", "CACHE_ENVIRON", "fetch_wheels")

_KEEP = [
    "torch/include/google/**=",
    "torch/include/pybind11/**=",
    "torch/include/**=include/",
    "torch/lib/libtorch_cpu.so=lib/",
    "torch/lib/libc10.so=lib/",
    "torch/lib/libgomp.so.1=lib/",
    "nvidia/cu13/lib/libcudart.so.13=lib/",
    "nvidia/cu13/lib/libcupti.so.13=lib/",
]

def _libtorch_impl(ctx):
    root = fetch_wheels(ctx, Label("//third_party/libtorch:requirements.lock"), _KEEP)
    ctx.symlink(root + "/include", "include")
    ctx.symlink(root + "/lib", "lib")
    ctx.symlink(Label("//third_party/libtorch:libtorch.BUILD"), "BUILD")

libtorch_repository = repository_rule(
    implementation = _libtorch_impl,
    environ = CACHE_ENVIRON,
)

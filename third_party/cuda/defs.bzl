"""cuda_library: .cu files compiled by nvcc, as a dependency of cc_library and cc_binary.

    load("//third_party/cuda:defs.bzl", "cuda_library")

    cuda_library(
        name = "cuda",
        srcs = ["pack.cu"],
        deps = [":pack"],
    )

Each file is one nvcc action and yields machine code for sm_80, sm_90 and sm_100, and PTX of the
last for what comes after. Builds and links with no GPU and no driver; CUDA calls then return
cudaErrorInsufficientDriver.
"""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")
load("@cuda//:config.bzl", "CUDA_HOME", "CUDA_VERSION")

_ARCHITECTURES = ["80", "90", "100"]

_COPTS = [
    "-c",
    "-std=c++20",
    "-O3",
    "--compiler-bindir=/usr/bin/g++",
    "--expt-relaxed-constexpr",
    "-Xcompiler=-Wall,-Wextra,-fPIC",
    "-Werror=all-warnings",
    # Identical kernels for identical sources: no hash of the absolute path.
    "--objdir-as-tempdir",
]

def _cuda_library_impl(ctx):
    cc_toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = cc_toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )
    deps = [d[CcInfo] for d in ctx.attr.deps + [ctx.attr._runtime]]
    own = CcInfo(compilation_context = cc_common.create_compilation_context(
        headers = depset(ctx.files.hdrs),
        quote_includes = depset([".", ctx.genfiles_dir.path]),
    ))
    compilation = cc_common.merge_cc_infos(cc_infos = [own] + deps).compilation_context
    headers = compilation.headers

    objects = []
    for src in ctx.files.srcs:
        obj = ctx.actions.declare_file("%s_objs/%s.o" % (ctx.label.name, src.basename))
        objects.append(obj)
        args = ctx.actions.args()
        args.add(obj)
        args.add(CUDA_HOME + "/bin/nvcc")
        args.add_all(_COPTS)
        for arch in _ARCHITECTURES:
            args.add("-gencode=arch=compute_%s,code=sm_%s" % (arch, arch))
        args.add("-gencode=arch=compute_{a},code=compute_{a}".format(a = _ARCHITECTURES[-1]))
        args.add_all(compilation.quote_includes, format_each = "-I%s")
        args.add_all(compilation.includes, format_each = "-I%s")
        args.add_all(compilation.system_includes, before_each = "-isystem")
        args.add_all(compilation.defines, format_each = "-D%s")
        args.add_all(ctx.attr.copts)
        args.add(src)
        ctx.actions.run(
            executable = ctx.executable._compile,
            arguments = [args],
            inputs = depset([src], transitive = [headers]),
            outputs = [obj],
            # The version is part of the key of the result: nvcc itself is outside the tree.
            env = {"CUDA_VERSION": CUDA_VERSION, "PATH": "/usr/bin:/bin"},
            mnemonic = "CudaCompile",
            progress_message = "Compiling %s with nvcc" % src.short_path,
        )

    linking, _ = cc_common.create_linking_context_from_compilation_outputs(
        actions = ctx.actions,
        name = ctx.label.name,
        feature_configuration = features,
        cc_toolchain = cc_toolchain,
        compilation_outputs = cc_common.create_compilation_outputs(
            objects = depset(objects),
            pic_objects = depset(objects),
        ),
        linking_contexts = [d.linking_context for d in deps],
        alwayslink = True,
        disallow_dynamic_library = True,
    )
    return [
        DefaultInfo(files = depset(objects)),
        CcInfo(compilation_context = compilation, linking_context = linking),
    ]

cuda_library = rule(
    implementation = _cuda_library_impl,
    attrs = {
        "copts": attr.string_list(doc = "More arguments for nvcc."),
        "deps": attr.label_list(providers = [CcInfo]),
        "hdrs": attr.label_list(allow_files = [".h", ".cuh"]),
        "srcs": attr.label_list(allow_files = [".cu"]),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
        "_compile": attr.label(
            default = "//third_party/cuda:compile",
            executable = True,
            cfg = "exec",
        ),
        "_runtime": attr.label(default = "@cuda//:runtime"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)

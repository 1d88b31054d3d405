"""cc_library, cc_test and cc_binary for code that includes LibTorch.

    load("//third_party/libtorch:defs.bzl", "torch_library")

    torch_library(
        name = "rounding",
        srcs = ["rounding.cc"],
        hdrs = ["rounding.h"],
        deps = ["//base:status"],
    )

They depend on @libtorch//:cpu and read its headers precompiled, which takes a fifth of the time.
"""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "CPP_COMPILE_ACTION_NAME")
load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

def _precompiled_header_impl(ctx):
    cc_toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = cc_toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )
    context = cc_common.merge_cc_infos(cc_infos = [d[CcInfo] for d in ctx.attr.deps]).compilation_context

    # g++ looks for X.gch beside X, so the header is copied to where the output can be.
    header = ctx.actions.declare_file("precompiled/" + ctx.file.hdr.basename)
    ctx.actions.symlink(output = header, target_file = ctx.file.hdr)
    precompiled = ctx.actions.declare_file(header.basename + ".gch", sibling = header)

    # Exactly the flags of the files that will read it, or g++ ignores it.
    variables = cc_common.create_compile_variables(
        feature_configuration = features,
        cc_toolchain = cc_toolchain,
        source_file = header.path,
        output_file = precompiled.path,
        user_compile_flags = ctx.fragments.cpp.copts + ctx.fragments.cpp.cxxopts,
        include_directories = context.includes,
        quote_include_directories = context.quote_includes,
        system_include_directories = context.system_includes,
        preprocessor_defines = context.defines,
        use_pic = True,
    )
    flags = cc_common.get_memory_inefficient_command_line(
        feature_configuration = features,
        action_name = CPP_COMPILE_ACTION_NAME,
        variables = variables,
    )
    ctx.actions.run(
        executable = cc_common.get_tool_for_action(
            feature_configuration = features,
            action_name = CPP_COMPILE_ACTION_NAME,
        ),
        arguments = ["-x", "c++-header"] + flags,
        env = {"PATH": "/usr/bin:/bin"},
        inputs = depset([header], transitive = [context.headers, cc_toolchain.all_files]),
        outputs = [precompiled],
        mnemonic = "PrecompileHeader",
        progress_message = "Precompiling %s" % ctx.label,
    )
    own = CcInfo(compilation_context = cc_common.create_compilation_context(
        headers = depset([header, precompiled]),
    ))
    return [
        DefaultInfo(files = depset([precompiled])),
        cc_common.merge_cc_infos(cc_infos = [own] + [d[CcInfo] for d in ctx.attr.deps]),
    ]

precompiled_header = rule(
    implementation = _precompiled_header_impl,
    attrs = {
        "deps": attr.label_list(providers = [CcInfo]),
        "hdr": attr.label(allow_single_file = [".h"]),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)

_COPTS = ["-include", "$(BINDIR)/third_party/libtorch/precompiled/precompiled.h"]
_DEPS = ["//third_party/libtorch:precompiled", "@libtorch//:cpu"]

def torch_library(name, deps = [], copts = [], **kwargs):
    """cc_library with LibTorch."""
    native.cc_library(name = name, deps = deps + _DEPS, copts = _COPTS + copts, **kwargs)

def torch_test(name, deps = [], copts = [], **kwargs):
    """cc_test with LibTorch."""
    native.cc_test(name = name, deps = deps + _DEPS, copts = _COPTS + copts, **kwargs)

def torch_binary(name, deps = [], copts = [], **kwargs):
    """cc_binary with LibTorch."""
    native.cc_binary(name = name, deps = deps + _DEPS, copts = _COPTS + copts, **kwargs)

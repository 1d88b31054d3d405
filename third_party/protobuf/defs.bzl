"""C++ code from .proto files, made by the system's protoc and grpc_cpp_plugin.

    load("//third_party/protobuf:defs.bzl", "mantissa_cc_grpc", "mantissa_cc_proto")

    mantissa_cc_proto(
        name = "messages",
        srcs = ["job.proto"],
        root = "proto",
    )

    mantissa_cc_grpc(
        name = "grpc",
        srcs = ["job.proto"],
        messages = ":messages",
        root = "proto",
    )

`root` is the folder (from the top) that imports and includes start at: proto/mantissa/v1/job.proto
is imported as "mantissa/v1/job.proto" and included as "mantissa/v1/job.pb.h". Messages and gRPC
stubs are two targets, since most rooms may see the messages only. `<name>_descriptors` is the
FileDescriptorSet with all imports and comments, for lint and generated documents. The package at
`root` has a cc_library "include_root" that puts it on the include path.
"""

MantissaProtoInfo = provider(
    doc = "Proto files and their import roots.",
    fields = {
        "roots": "depset of import roots, from the top of the tree",
        "sources": "depset of .proto files, own and imported",
    },
)

def _proto_files_impl(ctx):
    return [MantissaProtoInfo(
        sources = depset(ctx.files.srcs, transitive = [d[MantissaProtoInfo].sources for d in ctx.attr.deps]),
        roots = depset([ctx.attr.root], transitive = [d[MantissaProtoInfo].roots for d in ctx.attr.deps]),
    ), DefaultInfo(files = depset(ctx.files.srcs))]

_proto_files = rule(
    implementation = _proto_files_impl,
    attrs = {
        "deps": attr.label_list(providers = [MantissaProtoInfo]),
        "root": attr.string(mandatory = True),
        "srcs": attr.label_list(allow_files = [".proto"]),
    },
)

def _run_protoc(ctx, srcs, outputs, arguments, mnemonic):
    info = ctx.attr.protos[MantissaProtoInfo]
    ctx.actions.run(
        executable = "/usr/bin/protoc",
        arguments = ["-I" + root for root in info.roots.to_list()] + arguments + [f.path for f in srcs],
        inputs = info.sources,
        outputs = outputs,
        mnemonic = mnemonic,
        progress_message = "Generating code from %s" % ctx.label,
    )

def _generate_impl(ctx):
    outputs = []
    stems = []
    for src in ctx.files.srcs:
        stem = src.basename[:-len(".proto")]
        stems.append(stem)
        outputs += [ctx.actions.declare_file(stem + suffix) for suffix in ctx.attr.suffixes]
    folder = "%s/%s" % (ctx.bin_dir.path, ctx.attr.root)
    if ctx.attr.grpc:
        arguments = [
            "--plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin",
            "--grpc_out=" + folder,
        ]
    else:
        arguments = ["--cpp_out=" + folder]
    _run_protoc(ctx, ctx.files.srcs, outputs, arguments, "MantissaProtoc")
    headers = [f for f in outputs if f.basename.endswith(".h")]
    return [
        DefaultInfo(files = depset(outputs)),
        OutputGroupInfo(
            headers = depset(headers),
            sources = depset([f for f in outputs if f not in headers]),
        ),
    ]

_generate = rule(
    implementation = _generate_impl,
    attrs = {
        "grpc": attr.bool(),
        "protos": attr.label(providers = [MantissaProtoInfo]),
        "root": attr.string(mandatory = True),
        "srcs": attr.label_list(allow_files = [".proto"]),
        "suffixes": attr.string_list(),
    },
)

def _descriptors_impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name + ".bin")
    srcs = ctx.attr.protos[DefaultInfo].files.to_list()
    _run_protoc(
        ctx,
        srcs,
        [out],
        ["--include_imports", "--include_source_info", "--descriptor_set_out=" + out.path],
        "MantissaDescriptors",
    )
    return [DefaultInfo(files = depset([out]), runfiles = ctx.runfiles([out]))]

_descriptors = rule(
    implementation = _descriptors_impl,
    attrs = {"protos": attr.label(providers = [MantissaProtoInfo])},
)

def _cc_from_protos(name, srcs, protos, root, grpc, deps, visibility):
    suffix = ".grpc.pb" if grpc else ".pb"
    _generate(
        name = name + "_generated",
        srcs = srcs,
        grpc = grpc,
        protos = protos,
        root = root,
        suffixes = [suffix + ".h", suffix + ".cc"],
    )
    for kind in ["headers", "sources"]:
        native.filegroup(
            name = "%s_%s" % (name, kind),
            srcs = [":%s_generated" % name],
            output_group = kind,
        )

    native.cc_library(
        name = name,
        srcs = [":%s_sources" % name],
        hdrs = [":%s_headers" % name],
        copts = ["-w"],
        visibility = visibility,
        deps = deps + ["//%s:include_root" % root],
    )

def mantissa_cc_proto(name, srcs, root, deps = [], visibility = None):
    """A cc_library of the messages in `srcs`.

    Args:
      name: of the library; `<name>_protos` and `<name>_descriptors` are made too.
      srcs: .proto files of this package; they may import each other.
      root: folder that imports start at, from the top of the tree.
      deps: other mantissa_cc_proto targets whose files are imported.
      visibility: of all of them.
    """
    _proto_files(
        name = name + "_protos",
        srcs = srcs,
        root = root,
        visibility = visibility,
        deps = [_relative(d) for d in deps],
    )
    _descriptors(
        name = name + "_descriptors",
        protos = ":%s_protos" % name,
        visibility = visibility,
    )
    _cc_from_protos(
        name,
        srcs,
        ":%s_protos" % name,
        root,
        False,
        deps + ["//third_party/protobuf"],
        visibility,
    )

def mantissa_cc_grpc(name, srcs, messages, root, visibility = None):
    """A cc_library of the gRPC stubs of the services in `srcs`.

    Args:
      name: of the library.
      srcs: .proto files with services.
      messages: the mantissa_cc_proto target of this package with the same files.
      root: as there.
      visibility: of the library.
    """
    _cc_from_protos(
        name,
        srcs,
        messages + "_protos",
        root,
        True,
        [messages, "//third_party/grpc"],
        visibility,
    )

def _relative(label):
    # "//a/b" means "//a/b:b".
    if ":" not in label:
        label = "%s:%s" % (label, label.split("/")[-1])
    return label + "_protos"

"""Fuzz tests that run in every `bazel test`.

  mantissa_fuzz_test(
      name = "npz_fuzz_test",
      srcs = ["npz_fuzz.cc"],       # has LLVMFuzzerTestOneInput, as libFuzzer wants it
      corpus = glob(["corpus/npz/**"]),
      deps = ["//server/data:npz"],
  )

Replays the corpus, then a fixed number of random changes of it; the same every time. With clang the
same source links with -fsanitize=fuzzer instead of fuzz_main. An input that crashed becomes a named
file of the corpus.
"""

def mantissa_fuzz_test(name, srcs, corpus, deps, mutations = 3000, **kwargs):
    native.cc_test(
        name = name,
        srcs = srcs,
        args = ["--mutations=%d" % mutations] + ["$(location %s)" % file for file in corpus],
        data = corpus,
        deps = deps + ["//tests:fuzz_main"],
        **kwargs
    )

"""Linters that Debian does not package, for tests/lint only.

buf
  From:    PyPI, buf-bin 1.75.0, SHA-256 in requirements.lock
  Licence: Apache-2.0
  Why:     lint of proto/
buildifier
  From:    npm, @bazel/buildifier 8.2.1, SHA-256 below
  Licence: Apache-2.0
  Why:     format and lint of BUILD and .bzl files
"""

load("//third_party/wheels:defs.bzl", "CACHE_ENVIRON", "fetch_wheels")

_BUILDIFIER = "@bazel/buildifier@8.2.1"
_BUILDIFIER_SHA256 = "b96ea9b13003036c801f52bee6f9b0314738f8432e5cb9d814c89f59292604ee"

def _lint_tools_impl(ctx):
    buf = fetch_wheels(
        ctx,
        Label("//third_party/lint_tools:requirements.lock"),
        ["*.data/scripts/buf=bin/buf"],
    )
    ctx.symlink(buf + "/bin/buf", "buf")

    npm = ctx.which("npm")
    if not npm:
        fail("npm is not installed; run deploy/setup.sh --tests.")
    packed = ctx.execute([npm, "pack", "--silent", _BUILDIFIER])
    if packed.return_code != 0:
        fail("Cannot download %s; is the npm registry reachable?\n%s" % (_BUILDIFIER, packed.stderr))
    archive = packed.stdout.strip()
    digest = ctx.execute(["sha256sum", archive]).stdout.split(" ")[0]
    if digest != _BUILDIFIER_SHA256:
        fail("SHA-256 of %s is %s, expected %s" % (archive, digest, _BUILDIFIER_SHA256))
    ctx.extract(archive, stripPrefix = "package")
    ctx.symlink("buildifier-linux_amd64", "buildifier")
    ctx.execute(["chmod", "+x", "buildifier-linux_amd64"])
    ctx.file("BUILD", """package(default_visibility = ["@mantissa//tests/lint:__pkg__"])

exports_files(["buf", "buildifier"])
""")

lint_tools_repository = repository_rule(
    implementation = _lint_tools_impl,
    environ = CACHE_ENVIRON,
)

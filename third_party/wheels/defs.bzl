"""For repository rules that unpack pinned PyPI wheels; see fetch.py."""

# Everything that decides where the cache is. PATH is not among them: Bazel would fetch anew with
# each change of it.
CACHE_ENVIRON = ["MANTISSA_CACHE", "HOME"]

def fetch_wheels(ctx, lock, keep):
    """Downloads and unpacks wheels, unless that was done before.

    Args:
      ctx: of the repository rule.
      lock: label of a requirements file with hashes.
      keep: list of "PATTERN=PLACE" rules, the first match wins (fetch.py).

    Returns:
      The absolute path of the folder with the unpacked files.
    """
    cache = ctx.os.environ.get("MANTISSA_CACHE", "")
    if not cache:
        cache = ctx.os.environ.get("HOME", "/tmp") + "/.cache/mantissa"
    arguments = [
        ctx.which("python3"),
        ctx.path(Label("//third_party/wheels:fetch.py")),
        "--lock",
        ctx.path(lock),
        "--cache",
        cache,
    ]
    for rule in keep:
        arguments += ["--keep", rule]
    result = ctx.execute(arguments, timeout = 3600)
    if result.return_code != 0:
        fail("Cannot fetch the wheels of %s into %s; is PyPI reachable and python3-pip installed?\n%s" %
             (lock, cache, result.stderr))
    return result.stdout.strip()

def compile_modules(ctx, folder):
    """Compiles Python modules once, as pip would: tests cannot write beside them.

    Args:
      ctx: of the repository rule.
      folder: with the modules.
    """
    ctx.execute([ctx.which("python3"), "-m", "compileall", "-q", "-j", "2", folder], timeout = 3600)

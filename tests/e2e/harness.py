"""Runs the real programs for end-to-end tests: a mantissad with a folder of its own, the command
mantissa, the digits to train on.

    with harness.Server() as server:
        server.run("dataset", "push", "digits", harness.digits(folder), "--split-seed", "1")
        job = server.json("submit", "--wait", *harness.TINY)
        self.assertEqual("JOB_STATE_SUCCEEDED", job["state"])

Standard library only. Processes are found and ended by the folder that they were started for.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from tests.e2e import npz

# From the top of the runfiles, where tests start, or from the folder of built programs.
_BUILT = os.environ.get("MANTISSA_BUILT", ".")
MANTISSA = os.path.abspath(os.path.join(_BUILT, "client/cli/mantissa"))
MANTISSAD = os.path.abspath(os.path.join(_BUILT, "server/main/mantissad"))
WORKER = os.path.abspath(os.path.join(_BUILT, "server/engine/mantissa-worker"))
DIGITS = os.path.abspath("tests/e2e/testdata/digits.npz")

# Seconds for anything that should happen soon, on a busy machine.
SOON = 60

# The smallest job there is: a step takes milliseconds.
TINY = ["--model", "builtin:squeezenet", "--width", "0.1", "--dataset", "digits",
        "--batch-size", "16", "--steps", "6", "--threads", "1"]

_RESULT_CODES = {0: "succeeded", 1: "job failed", 2: "usage", 3: "not reachable", 4: "refused",
                 5: "cancelled"}


class Result:
    """What a finished command said."""

    def __init__(self, args, code, out, err):
        self.args, self.code, self.out, self.err = args, code, out, err

    def json(self):
        return json.loads(self.out)

    def lines(self):
        """Objects of a JSON-lines output."""
        return [json.loads(line) for line in self.out.splitlines()]

    def __str__(self):
        return "%s\nexit code %d (%s)\nstdout: %s\nstderr: %s" % (
            " ".join(self.args), self.code, _RESULT_CODES.get(self.code), self.out[-2000:],
            self.err[-2000:])


def environment(**more):
    """Without settings of whoever runs the test."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("MANTISSA", "XDG_")) and not name.lower().endswith("_proxy")}
    return dict(kept, HOME="/nonexistent", NO_COLOR="1", **more)


def mantissa(*args, code=0, timeout=SOON, stdin=None, **env):
    """Runs the command to its end; fails if it returns another exit code. `code` None: any."""
    command = [MANTISSA] + [str(arg) for arg in args]
    done = subprocess.run(command, env=environment(**env), timeout=timeout, input=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors="replace")
    result = Result(command, done.returncode, done.stdout, done.stderr)
    if code is not None and result.code != code:
        raise AssertionError("expected exit code %d of %s" % (code, result))
    return result


def wait_for(what, condition, seconds=SOON):
    """Returns the first true result of condition(); fails, saying what was waited for, else."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError("not within %d s: %s" % (seconds, what))
        time.sleep(0.02)


def temp_folder():
    """A short path: Unix sockets have at most 107 bytes. The caller removes it."""
    return tempfile.mkdtemp(prefix="mantissa-", dir="/tmp")


def digits(folder, samples=400, classes=10, side=32, channels=3, name="digits.npz"):
    """Writes real handwritten digits, scaled up by repeating pixels; returns the path. Keeps those
    with labels below `classes`."""
    arrays = npz.read(DIGITS)
    pixels, labels = arrays["images"].data, arrays["labels"].data
    chosen = [i for i in range(len(labels)) if labels[i] < classes][:samples]
    images = bytearray()
    for i in chosen:
        rows = [bytes(min(255, pixels[64 * i + 8 * (y * 8 // side) + x * 8 // side] * 16)
                      for x in range(side)) for y in range(side)]
        images += b"".join(rows) * channels
    path = os.path.join(folder, name)
    npz.write(path, {
        "images": npz.Array("|u1", (len(chosen), channels, side, side), bytes(images)),
        "labels": npz.Array("|u1", (len(chosen),), bytes(labels[i] for i in chosen)),
    })
    return path


def processes_of(folder, program):
    """Ids of the processes of `program` that were started for `folder`."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                words = f.read().decode(errors="replace").split("\0")
            with open("/proc/%s/stat" % pid) as f:
                state = f.read().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if os.path.basename(words[0]) == program and folder in " ".join(words) and state != "Z":
            found.append(int(pid))
    return found


class Server:
    """A mantissad with an empty data folder. Free ports at the first start, the same at later ones."""

    def __init__(self, *flags, folder=None, worker=WORKER, **env):
        self.folder = folder or temp_folder()
        self.data_dir = os.path.join(self.folder, "data")
        self.flags, self.env, self.worker = list(flags), env, worker
        self.address, self.metrics = "127.0.0.1:0", "127.0.0.1:0"
        self.process = None
        # More flags for each mantissa, for instance --tls-ca.
        self.client_flags = []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self.close()

    def command(self):
        return [MANTISSAD, "--data-dir", self.data_dir, "--listen", self.address,
                "--metrics-listen", self.metrics, "--worker", self.worker] + self.flags

    def start(self):
        out = os.path.join(self.folder, "mantissad.out")
        with open(out, "w") as stdout, open(self.log_path(), "a") as stderr:
            self.process = subprocess.Popen(self.command(), env=environment(**self.env),
                                            stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)
        self.address = self._announced(out, "listening on ")
        self.metrics = self._announced(out, "metrics on ")

    def _announced(self, path, words):
        def find():
            with open(path) as f:
                for line in f:
                    if line.startswith(words) and line.endswith("\n"):
                        return line[len(words):].strip()
            if self.process.poll() is not None:
                raise AssertionError("mantissad ended with %d:\n%s" % (self.process.returncode,
                                                                       self.log()))
            return None
        return wait_for("mantissad prints `%sHOST:PORT`" % words, find)

    def log_path(self):
        return os.path.join(self.folder, "mantissad.log")

    def log(self):
        with open(self.log_path(), errors="replace") as f:
            return f.read()

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self, number=signal.SIGKILL):
        """Returns the exit status (minus the signal's number) once it has ended."""
        self.process.send_signal(number)
        return self.process.wait(SOON)

    def close(self):
        if self.alive():
            self.process.kill()
            self.process.wait(SOON)
        for pid in processes_of(self.folder, "mantissa-worker"):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.folder, ignore_errors=True)

    # The command mantissa against this server.
    def flags_to(self):
        return ["--server", self.address] + self.client_flags

    def run(self, *args, **kwargs):
        return mantissa(*args, *self.flags_to(), **kwargs)

    def json(self, *args, **kwargs):
        return self.run(*args, "-o", "json", **kwargs).json()

    def spawn(self, *args):
        """Starts the command; the test reads its stdout and waits for it."""
        return subprocess.Popen([MANTISSA] + [str(arg) for arg in args] + self.flags_to(),
                                env=environment(), stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def push_digits(self, name="digits", **kwargs):
        return self.json("dataset", "push", name, digits(self.folder, **kwargs))

    def submit(self, *args, base=None, **kwargs):
        return self.json("submit", *(TINY if base is None else base), *args, **kwargs)

    def get(self, job):
        return self.json("get", job)

    def wait_until(self, job, *states, seconds=SOON):
        """The job once it is in one of the states ("RUNNING")."""
        def find():
            now = self.get(job)
            return now if now["state"][len("JOB_STATE_"):] in states else None
        return wait_for("%s is %s" % (job, " or ".join(states)), find, seconds)

    def wait_for_step(self, job, step, seconds=SOON):
        return wait_for("%s reaches step %d" % (job, step),
                        lambda: self.progress_past(job, step), seconds)

    def progress_past(self, job, step):
        now = self.get(job)
        return now if now.get("progress", {}).get("step", 0) >= step else None

    def events(self, job, after=0, code=None):
        return self.run("watch", job, "--after", after, "-o", "json", code=code).lines()

    def fetch(self, job, artifact):
        """Bytes of an artifact."""
        path = os.path.join(self.folder, "%s-%s" % (job, artifact))
        self.run("fetch", job, artifact, "--to", path)
        with open(path, "rb") as f:
            return f.read()

    def history(self, job):
        return [json.loads(line) for line in self.fetch(job, "history.jsonl").splitlines()]

    def cancel_all(self):
        """Cancels every job that has not ended, if the server is up."""
        if not self.alive():
            return
        for job in self.json("list", "--state", "pending,planning,running")["jobs"]:
            self.run("cancel", job["id"], code=None)
            self.wait_until(job["id"], "SUCCEEDED", "FAILED", "CANCELLED")

    def workers(self):
        return processes_of(self.folder, "mantissa-worker")


def seen(case, what):
    """Writes a line of the table of what the tests saw: seen.py prints the tables of all tests."""
    row = "| %s | %s |" % (case, " ".join(what.split()).replace("|", "\\|"))
    print(row)
    folder = os.environ.get("TEST_UNDECLARED_OUTPUTS_DIR")
    if folder:
        with open(os.path.join(folder, "seen.md"), "a") as f:
            f.write(row + "\n")


class ServerTest(unittest.TestCase):
    """Tests that share a server with the digits, one a class."""

    SERVER_FLAGS = []
    server = None

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.SERVER_FLAGS)
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.server.push_digits()

    def tearDown(self):
        # A job that a failed test leaves behind would hold up the next one.
        self.server.cancel_all()

    def path(self, name, content=None):
        """A file of this test, written if there is content."""
        path = os.path.join(self.server.folder, name)
        if content is not None:
            with open(path, "wb" if isinstance(content, bytes) else "w") as f:
                f.write(content)
        return path


class FolderTest(unittest.TestCase):
    """Tests that make what they need in a folder of their own."""

    def setUp(self):
        self.folder = temp_folder()
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

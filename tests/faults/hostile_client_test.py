"""Clients that are many, that never read, or that do not speak gRPC at all."""

import os
import socket
import struct
import time

from tests import cases
from tests.e2e import harness

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(
        ">I", stream) + payload


def literal(name, value):
    """A header, neither indexed nor compressed."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


def watch_and_never_read(address, job):
    """A connection that asks for all events of a job and leaves the answer where it is."""
    host, port = address.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)), timeout=10)
    headers = b"".join(literal(name, value) for name, value in [
        (b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"localhost"),
        (b":path", b"/mantissa.v1.JobService/WatchJob"), (b"content-type", b"application/grpc"),
        (b"te", b"trailers")])
    request = b"\x0a" + bytes([len(job)]) + job.encode()  # WatchJobRequest.id
    settings = struct.pack(">HI", 4, 1)  # INITIAL_WINDOW_SIZE: a byte may be sent
    connection.sendall(PREFACE + frame(4, 0, 0, settings) + frame(1, 4, 1, headers) +
                       frame(0, 1, 1, b"\x00" + struct.pack(">I", len(request)) + request))
    return connection


def resident_mebibytes(pid):
    with open("/proc/%d/status" % pid) as f:
        (line,) = [line for line in f if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


class HostileClientTest(harness.ServerTest):

    def tearDown(self):
        self.assertTrue(self.server.alive(), "the server is down")
        super().tearDown()
        self.assertEqual("JOB_STATE_SUCCEEDED", self.server.submit("--wait")["state"])

    def test_twenty_watchers_see_the_same_events(self):
        job = self.server.submit("--steps", "40", "--epochs", "2")["id"]
        watchers = [self.server.spawn("watch", job, "-o", "json") for _ in range(20)]
        outputs = [watcher.communicate(timeout=harness.SOON)[0] for watcher in watchers]
        self.assertEqual([0] * 20, [watcher.returncode for watcher in watchers])
        self.assertEqual(1, len(set(outputs)))
        self.assertEqual(40, outputs[0].count('"step_done"'))
        harness.seen("20 watchers of one job", "all got the same %d events, exit code 0" %
                     len(outputs[0].splitlines()))

    def test_clients_that_never_read_hold_up_nobody(self):
        job = self.server.submit("--steps", "60", "--epochs", "3")["id"]
        deaf = [watch_and_never_read(self.server.address, job) for _ in range(50)]
        before = resident_mebibytes(self.server.process.pid)
        started = time.monotonic()
        self.server.run("watch", job, code=0)
        took = time.monotonic() - started
        grown = resident_mebibytes(self.server.process.pid) - before
        self.assertLess(grown, 100)
        for connection in deaf:
            connection.close()
        harness.seen("50 clients that watch a job and never read",
                     "another watch ended after %.1f s, the server grew by %.1f MiB" % (took,
                                                                                       grown))

    def test_garbage_on_the_port_is_shrugged_off(self):
        host, port = self.server.address.rsplit(":", 1)
        for garbage in [os.urandom(100000), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01",
                        PREFACE + os.urandom(5000), PREFACE + frame(0, 0, 7, bytes(16000)),
                        PREFACE + frame(1, 4, 1, b"\xff" * 2000), b""]:
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                try:
                    connection.sendall(garbage)
                except OSError:
                    pass  # closed already: fine
        harness.seen("random bytes, HTTP/1.1, half a TLS hello, broken HTTP/2 frames on the port",
                     "the next job succeeds")

    def test_connections_that_only_stay_open_hold_up_nobody(self):
        host, port = self.server.address.rsplit(":", 1)
        idle = [socket.create_connection((host, int(port)), timeout=10) for _ in range(200)]
        started = time.monotonic()
        self.server.run("server", "info")
        self.assertLess(time.monotonic() - started, 10)
        for connection in idle:
            connection.close()
        harness.seen("200 connections that say nothing", "calls are answered")

    def test_garbage_on_the_metrics_port_and_the_workers_socket_is_shrugged_off(self):
        host, port = self.server.metrics.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(os.urandom(10000))
        path = os.path.join(self.server.data_dir, "worker.sock")
        self.assertEqual(0o600, os.stat(path).st_mode & 0o777)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            connection.sendall(PREFACE + os.urandom(5000))

    def test_cancelled_watch_leaves_nothing_behind(self):
        job = self.server.submit("--steps", "100000")["id"]
        self.server.wait_for_step(job, 1)
        threads = len(os.listdir("/proc/%d/task" % self.server.process.pid))
        for _ in range(20):
            watch = self.server.spawn("watch", job, "-o", "json")
            watch.stdout.readline()
            watch.kill()
            watch.communicate()
        files = "/proc/%d/fd" % self.server.process.pid
        harness.wait_for("the connections are closed", lambda: len(os.listdir(files)) < 60)
        self.assertLess(len(os.listdir("/proc/%d/task" % self.server.process.pid)), threads + 20)
        self.server.run("cancel", job)
        self.server.wait_until(job, "CANCELLED")


if __name__ == "__main__":
    cases.main()

"""Lost connections, errors and transfers, against a server that fails as it is told to."""

import hashlib
import os
import pathlib
import shutil
import tempfile
import unittest

import grpc
from google.protobuf import any_pb2

import mantissa
from mantissa import _channel, _errors, _retry, _transfer
from mantissa.v1 import dataset_pb2, job_pb2
from tests import cases
from tests.client.python.fake_server import Broken, FakeServer

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
QUICK = mantissa.Retry(first_wait=0.001, longest_wait=0.002, patience=0.5)


def event(sequence, to=job_pb2.JOB_STATE_RUNNING):
    return job_pb2.JobEvent(sequence=sequence, state_changed=job_pb2.StateChanged(to=to))


def rich_status(*details):
    """Bytes of a google.rpc.Status, written with the classes that errors are read with."""
    status = _errors._details()["google.rpc.Status"](code=3)
    for name, fields in details:
        message = _errors._details()["google.rpc." + name](**fields)
        packed = any_pb2.Any(type_url="type.googleapis.com/google.rpc." + name,
                             value=message.SerializeToString())
        status.details.add().ParseFromString(packed.SerializeToString())
    return status.SerializeToString()


class FakeTest(unittest.TestCase):

    def setUp(self):
        self.server = self.enterContext(FakeServer())
        self.client = self.enterContext(mantissa.Client(self.server.address, retry=QUICK))
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.server.answer("GetJob", lambda request: job_pb2.Job(id=request.id))
        self.job = self.client.job("job-1")


class CallsTest(FakeTest):

    def test_call_is_repeated_while_the_server_is_unavailable(self):
        self.server.fail("GetJob", UNAVAILABLE, times=3)
        self.assertEqual("job-1", self.job.refresh().id)
        self.assertEqual(5, len(self.server.named("GetJob")))

    def test_attempts_come_to_an_end(self):
        self.server.fail("GetJob", UNAVAILABLE, times=9)
        with self.assertRaisesRegex(mantissa.Unavailable, "no server answers at 127.0.0.1"):
            self.job.refresh()
        self.assertEqual(1 + QUICK.attempts, len(self.server.named("GetJob")))

    def test_repeated_submission_has_the_same_request_id(self):
        self.server.fail("SubmitJob", UNAVAILABLE, times=2)
        self.server.answer("SubmitJob", lambda request: job_pb2.Job(id=request.request_id))
        self.client.submit("builtin:resnet18", "digits")
        self.client.submit("builtin:resnet18", "digits")
        ids = [request.request_id for request in self.server.named("SubmitJob")]
        self.assertEqual([True, True, False], [ids[0] == other for other in ids[1:]])
        self.assertEqual("mine", self.client.submit("m", "d", request_id="mine").id)

    def test_deletion_is_never_repeated(self):
        self.server.fail("DeleteDataset", UNAVAILABLE)
        with self.assertRaises(mantissa.Unavailable):
            self.client.delete_dataset("digits")
        self.assertEqual(1, len(self.server.named("DeleteDataset")))

    def test_token_is_shown_at_each_call(self):
        with mantissa.Client(self.server.address, token="secret") as client:
            client.job("job-2")
        self.assertEqual("Bearer secret", self.server.metadata[-1]["authorization"])

    def test_waits_grow_up_to_the_longest(self):
        waits = _retry.waits(mantissa.Retry(first_wait=1.0, longest_wait=4.0))
        for nominal in (1, 2, 4, 4, 4):
            self.assertTrue(nominal / 2 <= next(waits) <= nominal)


class AddressTest(unittest.TestCase):

    def test_token_never_travels_unencrypted_to_another_machine(self):
        for address in ("10.0.0.1:7070", "127.example.com:7070", "localhost.example.com:1"):
            with self.assertRaisesRegex(mantissa.FailedPrecondition, "unencrypted"):
                mantissa.Client(address, token="secret")
            mantissa.Client(address, token="secret", tls=True).close()
        for address in ("127.0.0.1:7070", "localhost:7070", "[::1]:7070", "unix:/tmp/socket"):
            mantissa.Client(address, token="secret").close()
            self.assertTrue(_channel.is_this_machine(address))

    def test_what_is_no_address_is_refused(self):
        for address in ("", "host", ":7070", "host:", "host:0", "host:65536", "host:http"):
            with self.assertRaises(mantissa.InvalidArgument, msg=address):
                mantissa.Client(address)

    def test_environment_fills_in_what_is_not_given(self):
        self.addCleanup(os.environ.pop, "MANTISSA_SERVER")
        os.environ["MANTISSA_SERVER"] = "127.0.0.1:1234"
        self.assertIn("127.0.0.1:1234", repr(mantissa.Client()))


class ErrorsTest(FakeTest):

    def refusal(self, code, details=b"", text="told to fail"):
        self.server.fail("GetJob", code, text, details)
        with self.assertRaises(mantissa.MantissaError) as caught:
            self.job.refresh()
        return caught.exception

    def test_every_code_has_a_class_of_the_family(self):
        for code, kind in [(grpc.StatusCode.NOT_FOUND, mantissa.NotFound),
                           (grpc.StatusCode.DATA_LOSS, mantissa.DataLoss),
                           (grpc.StatusCode.UNAUTHENTICATED, mantissa.Unauthenticated),
                           (grpc.StatusCode.PERMISSION_DENIED, mantissa.MantissaError)]:
            error = self.refusal(code)
            self.assertIs(kind, type(error))
            self.assertEqual((code.name, "told to fail"), (error.code, str(error)))

    def test_details_tell_field_resource_and_reason(self):
        error = self.refusal(grpc.StatusCode.INVALID_ARGUMENT, rich_status(
            ("BadRequest", {"field_violations": [{"field": "precision.low_ratio",
                                                  "description": "is 1.5"}]}),
            ("QuotaFailure", {"violations": [{"subject": "queue", "description": "full"}]}),
            ("ErrorInfo", {"reason": "QUEUE_FULL"}),
            ("ResourceInfo", {"resource_type": "dataset", "resource_name": "digits"})))
        self.assertEqual("precision.low_ratio", error.field)
        self.assertEqual([("precision.low_ratio", "is 1.5"), ("queue", "full")],
                         [(violation.subject, violation.description)
                          for violation in error.violations])
        self.assertEqual(("QUEUE_FULL", ("dataset", "digits")), (error.reason, error.resource))

    def test_details_that_cannot_be_decoded_are_left_out(self):
        for details in (b"\xff\xff\xff", b"\x1a\x05abc"):
            error = self.refusal(grpc.StatusCode.INVALID_ARGUMENT, details)
            self.assertEqual(((), None), (error.violations, error.field))


class WatchTest(FakeTest):

    def watch_broken(self, *streams):
        """Sequence numbers that a watch sees when the server gives one stream after the other."""
        waiting = list(streams)
        self.server.answer("WatchJob", lambda request: waiting.pop(0))
        return [event.sequence for event in self.job.watch()]

    def stream(self, *events, broken=None):
        yield from events
        if broken:
            raise Broken(broken)

    def test_broken_stream_is_taken_up_without_gap_or_repeat(self):
        seen = self.watch_broken(
            self.stream(event(1), event(2), broken=UNAVAILABLE), self.stream(broken=UNAVAILABLE),
            self.stream(event(2), event(3), broken=grpc.StatusCode.CANCELLED),
            self.stream(event(4, job_pb2.JOB_STATE_SUCCEEDED)))
        self.assertEqual([1, 2, 3, 4], seen)
        self.assertEqual([0, 2, 2, 3], [request.after_sequence
                                        for request in self.server.named("WatchJob")])

    def test_stream_that_ends_early_is_taken_up_again(self):
        self.assertEqual([1, 2], self.watch_broken(
            self.stream(event(1)), self.stream(event(2, job_pb2.JOB_STATE_FAILED))))

    def test_stream_of_an_ended_job_ends(self):
        self.server.answer("GetJob", lambda request: job_pb2.Job(
            id="job-1", state=job_pb2.JOB_STATE_SUCCEEDED, last_sequence=1))
        self.assertEqual([1], self.watch_broken(self.stream(event(1))))

    def test_missing_event_is_data_loss(self):
        with self.assertRaisesRegex(mantissa.DataLoss, "left out the events 2 to 4 of job-1"):
            self.watch_broken(self.stream(event(1), event(5)))

    def test_refusal_ends_the_watch(self):
        with self.assertRaises(mantissa.NotFound):
            self.watch_broken(self.stream(event(1), broken=grpc.StatusCode.NOT_FOUND))

    def test_patience_runs_out_without_progress(self):
        self.server.fail("WatchJob", UNAVAILABLE, times=10_000)
        with self.assertRaises(mantissa.Unavailable):
            next(self.job.watch())
        self.assertGreater(len(self.server.named("WatchJob")), 10)

    def test_log_goes_on_where_it_broke_off(self):
        parts = [self.stream(job_pb2.LogChunk(data=b"one\x1b\n", next_offset=5),
                             broken=UNAVAILABLE),
                 self.stream(job_pb2.LogChunk(data=b"two\n", next_offset=9))]
        self.server.answer("GetLogs", lambda request: parts.pop(0))
        self.assertEqual("one\\x1b\ntwo\n", self.job.logs())
        self.assertEqual([0, 5], [request.offset for request in self.server.named("GetLogs")])


class WaitTest(FakeTest):

    def ended(self, **fields):
        self.server.answer("GetJob", lambda request: job_pb2.Job(id="job-1", **fields))

    def test_failed_job_raises_its_failure(self):
        self.ended(state=job_pb2.JOB_STATE_FAILED, failure=job_pb2.Failure(
            cause=job_pb2.FAILURE_CAUSE_DIVERGED, message="gradients stayed\x1b not finite"))
        with self.assertRaisesRegex(mantissa.JobFailed, r"job-1 failed: .*\\x1b not") as caught:
            self.job.wait()
        self.assertEqual("DIVERGED", caught.exception.cause)

    def test_cancelled_job_raises_that(self):
        self.ended(state=job_pb2.JOB_STATE_CANCELLED)
        self.assertRaises(mantissa.JobCancelled, self.job.wait)

    def test_timeout_leaves_the_job_alone(self):
        self.ended(state=job_pb2.JOB_STATE_RUNNING)
        with self.assertRaisesRegex(TimeoutError, "job-1 is running after 0.1 s"):
            self.job.wait(timeout=0.1)


class UploadTest(FakeTest):

    SIZE = (5 << 20) + 17

    def setUp(self):
        super().setUp()
        self.path = self.folder / "data.bin"
        self.path.write_bytes(os.urandom(self.SIZE))
        self.stored, self.breaks = bytearray(), []
        self.server.answer("QueryBlob", self.query)
        self.server.answer("UploadBlob", self.upload)

    def query(self, unused):
        return dataset_pb2.QueryBlobResponse(committed_bytes=len(self.stored),
                                             complete=len(self.stored) == self.SIZE)

    def upload(self, requests):
        first = next(requests)
        if first.header.offset != len(self.stored):
            raise Broken(grpc.StatusCode.OUT_OF_RANGE)
        for request in requests:
            self.stored += request.chunk
            if self.breaks and len(self.stored) >= self.breaks[0]:
                self.breaks.pop(0)
                raise Broken(UNAVAILABLE)
        return dataset_pb2.UploadBlobResponse(committed_bytes=len(self.stored),
                                              complete=len(self.stored) == self.SIZE)

    def push(self):
        told = []
        sent = _transfer.upload(self.client._calls, _transfer.hash_file(self.path),
                                lambda *progress: told.append(progress))
        return sent, told

    def test_upload_goes_on_at_the_offset_that_the_server_tells(self):
        self.breaks = [1 << 20, 3 << 20]
        _, told = self.push()
        self.assertEqual(self.path.read_bytes(), bytes(self.stored))
        self.assertEqual(3, len(self.server.named("UploadBlob")))
        self.assertEqual((self.SIZE, self.SIZE), told[-1])

    def test_bytes_that_are_there_are_not_sent(self):
        self.push()
        self.assertEqual((0, [(self.SIZE, self.SIZE)]), self.push())
        self.assertEqual(1, len(self.server.named("UploadBlob")))

    def test_offset_that_another_upload_took_is_asked_for_again(self):
        self.server.fail("UploadBlob", grpc.StatusCode.OUT_OF_RANGE)
        self.push()
        self.assertEqual(self.path.read_bytes(), bytes(self.stored))

    def test_wrong_hash_is_told_and_not_tried_again(self):
        self.server.fail("UploadBlob", grpc.StatusCode.DATA_LOSS)
        self.assertRaises(mantissa.DataLoss, self.push)

    def test_file_that_becomes_shorter_is_told_as_that(self):
        blob = _transfer.hash_file(self.path)
        os.truncate(self.path, 1 << 20)
        with self.assertRaisesRegex(mantissa.DataLoss, "became shorter"):
            _transfer.upload(self.client._calls, blob)


class FetchTest(FakeTest):

    CONTENT = os.urandom(3000)

    def setUp(self):
        super().setUp()
        self.sha256 = hashlib.sha256(self.CONTENT).hexdigest()
        self.server.answer("GetJob", lambda request: job_pb2.Job(id="job-1", artifacts=[
            job_pb2.Artifact(name="w", size_bytes=len(self.CONTENT), sha256=self.sha256)]))
        self.server.answer("FetchArtifact", self.fetch)
        self.breaks = 0

    def fetch(self, request):
        for at in range(request.offset, len(self.CONTENT), 1000):
            yield job_pb2.ArtifactChunk(data=self.CONTENT[at:at + 1000])
            if self.breaks:
                self.breaks -= 1
                raise Broken(UNAVAILABLE)

    def test_fetch_goes_on_where_it_broke_off(self):
        self.breaks = 2
        path = self.job.fetch("w", self.folder / "copy")
        self.assertEqual(self.CONTENT, path.read_bytes())
        self.assertEqual([0, 1000, 2000], [request.offset for request in
                                           self.server.named("FetchArtifact")])
        self.assertEqual([path], list(self.folder.iterdir()))

    def test_part_of_an_earlier_fetch_is_taken_up(self):
        (self.folder / f"w.{self.sha256[:12]}.part").write_bytes(self.CONTENT[:2500])
        self.assertEqual(self.CONTENT, self.job.fetch("w", self.folder).read_bytes())
        self.assertEqual(2500, self.server.named("FetchArtifact")[0].offset)

    def test_other_bytes_than_declared_are_never_put_in_place(self):
        (self.folder / "w").write_bytes(b"before")
        self.sha256 = "0" * 64
        with self.assertRaisesRegex(mantissa.DataLoss, "other bytes"):
            self.job.fetch("w", self.folder)
        self.assertEqual(b"before", (self.folder / "w").read_bytes())
        self.assertEqual(1, len(list(self.folder.iterdir())))

    def test_missing_artifact_names_those_there_are(self):
        with self.assertRaisesRegex(mantissa.NotFound, "has no artifact v; it has w."):
            self.job.read("v")


if __name__ == "__main__":
    cases.main()

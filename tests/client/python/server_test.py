"""The package against the real server."""

import contextlib
import os
import signal
import threading
import unittest

import numpy as np

import mantissa
from mantissa import _safetensors
from tests import cases
from tests.e2e import certificates, harness, npz

TINY = {"width": 0.1, "steps": 6, "batch_size": 16, "threads": 1}
LONG = dict(TINY, steps=100_000, epochs=100_000)


def digits():
    """Handwritten digits, [400, 3, 32, 32], and their labels."""
    arrays = npz.read(harness.DIGITS)
    pixels = np.frombuffer(arrays["images"].data, np.uint8).reshape(-1, 1, 8, 8)[:400] * 16
    labels = np.frombuffer(arrays["labels"].data, np.uint8)[:400]
    return pixels.repeat(4, axis=2).repeat(4, axis=3).repeat(3, axis=1), labels


class ServerTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.server = harness.Server()
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.client = mantissa.Client(cls.server.address)
        cls.addClassCleanup(cls.client.close)
        images, labels = digits()
        cls.digits = {"images": images, "labels": labels}
        cls.dataset = cls.client.push_dataset("digits", cls.digits, test_fraction=0.25)

    def tearDown(self):
        # A job that a failed test leaves behind would hold up the next one.
        for job in self.client.jobs(states=("pending", "planning", "running")):
            with contextlib.suppress(mantissa.FailedPrecondition):
                job.cancel()
            with contextlib.suppress(mantissa.JobCancelled):
                job.wait(harness.SOON)

    def submit(self, **options):
        return self.client.submit("builtin:squeezenet", "digits", **{**TINY, **options})


class PlanTest(ServerTest):

    def test_rows_add_up_to_the_plan_of_the_command(self):
        plan = self.client.plan("builtin:squeezenet", classes=10, low_ratio=0.5, batch_size=64)
        expected = harness.mantissa("plan", "--model", "squeezenet", "--classes", "10", "-r", "0.5",
                                    "--batch-size", "64", "-o", "json").json()
        self.assertEqual(expected["memory"]["peak_bytes"], plan.peak_bytes)
        self.assertEqual({group["id"] for group in expected["groups"] if group["low"]},
                         {row.group for row in plan.rows if row.low})
        self.assertEqual(plan.proto.total_elements, sum(row.elements for row in plan.rows))
        self.assertTrue(0.5 <= plan.low_ratio < 0.7)
        self.assertLess(plan.peak_bytes, plan.baselines["fp32"])

    def test_plan_is_shown_as_a_table_and_as_pandas_have_it(self):
        plan = self.client.plan("builtin:squeezenet", classes=10)
        lines = str(plan).splitlines()
        self.assertEqual(["GROUP", "TENSOR", "KIND", "ELEMENTS", "FORMAT"], lines[0].split())
        self.assertEqual(len(plan.rows), lines.index("") - 1)
        self.assertIn("predicted peak", lines[-1])
        frame = plan.to_pandas()
        self.assertEqual(list(mantissa.PlanRow._fields), list(frame.columns))
        self.assertEqual(plan.proto.total_elements, frame.elements.sum())
        self.assertEqual({"fp(4,3,4)", "fp(5,2,0)", "fp(6,9,0)"}, set(frame.format))
        timeline = plan.memory.to_pandas()
        self.assertEqual(plan.peak_bytes, timeline.total.max())

    def test_reasons_stand_beside_their_tensors(self):
        plan = self.client.plan("builtin:squeezenet", classes=10, reasons=True)
        self.assertEqual("REASON", str(plan).splitlines()[0].split()[-1])
        self.assertTrue(all(f"{row.elements:,} elements" in row.reason for row in plan.rows))

    def test_budget_chooses_the_ratio_or_says_what_would_fit(self):
        plan = self.client.plan("builtin:squeezenet", classes=10, memory="150MiB")
        self.assertTrue(0 < plan.low_ratio < 1)
        self.assertLessEqual(plan.peak_bytes, 150 << 20)
        with self.assertRaisesRegex(mantissa.FailedPrecondition, "1.0 MiB"):
            self.client.plan("builtin:squeezenet", classes=10, memory="1MiB")

    def test_wrong_value_is_refused_with_its_field(self):
        with self.assertRaises(mantissa.InvalidArgument) as caught:
            self.client.plan("builtin:squeezenet", classes=10, low_ratio=1.5)
        self.assertEqual("precision.low_ratio", caught.exception.field)
        self.assertIn("is 1.5; allowed 0.0 to 1.0", str(caught.exception))

    def test_models_are_listed_and_described(self):
        self.assertIn("builtin:resnet18", [model.name for model in self.client.models()])
        described = self.client.describe_model("builtin:resnet18", classes=7)
        self.assertEqual(7, described.spec.classes)
        self.assertEqual("0.1.0", self.client.info().version)


class DatasetTest(ServerTest):

    def test_arrays_become_a_data_set_once(self):
        self.assertEqual((300, 100, 10), (self.dataset.train_samples, self.dataset.test_samples,
                                          self.dataset.classes))
        told = []
        again = self.client.push_dataset("digits", self.digits, test_fraction=0.25,
                                         progress=lambda *progress: told.append(progress))
        self.assertEqual(self.dataset, again)
        # Nothing but what was there already.
        self.assertEqual(1, len(told))
        self.assertEqual(["digits"], [dataset.name for dataset in self.client.datasets()])

    def test_name_of_other_data_is_refused(self):
        with self.assertRaises(mantissa.AlreadyExists):
            self.client.push_dataset("digits", self.digits)

    def test_files_are_pushed_and_deleted(self):
        path = harness.digits(self.server.folder)
        self.client.push_dataset("from-a-file", path)
        self.assertEqual("npz", self.client.dataset("from-a-file").format)
        self.client.delete_dataset("from-a-file")
        with self.assertRaises(mantissa.NotFound) as caught:
            self.client.dataset("from-a-file")
        self.assertEqual(("dataset", "from-a-file"), caught.exception.resource)

    def test_data_that_cannot_be_read_are_refused_with_the_file(self):
        with self.assertRaisesRegex(mantissa.InvalidArgument, "arrays.npz"):
            self.client.push_dataset("bad", {"labels": np.zeros(5)})


class JobTest(ServerTest):

    def test_job_is_watched_and_its_results_are_there(self):
        job = self.submit(name="first", labels={"team": "a"}, low_ratio=0.5)
        self.assertFalse(job.ended)
        events = list(job.watch())
        self.assertEqual(list(range(1, len(events) + 1)), [event.sequence for event in events])
        steps = [event for event in events if event.kind == "step_done"]
        self.assertEqual(6, len(steps))
        self.assertRegex(str(steps[0]), r"^step 1/6, epoch 0: loss [0-9.]+, lr 0\.1")
        self.assertTrue(events[-1].ends_job)
        self.assertEqual("succeeded", job.wait().state)
        self.assertEqual(events[3:], list(job.watch(after=3)))
        self.assertEqual([step.detail.loss_unrounded for step in steps],
                         [line["loss_unrounded"] for line in job.history() if "lr" in line])
        self.assertIn("training starts at step 1", job.logs())
        self.assertEqual(("first", {"team": "a"}), (job.proto.spec.name,
                                                    dict(job.proto.spec.labels)))
        self.assertEqual([job.id], [found.id for found in self.client.jobs(
            states=("succeeded",), labels={"team": "a"}, name_prefix="fi")])

    def test_memory_is_measured_and_predicted(self):
        memory = self.submit().wait().memory()
        self.assertLess(abs(memory.measured.peak_bytes / memory.predicted.peak_bytes - 1), 0.1)
        self.assertEqual("update", memory.measured.timeline[-1].phase)
        self.assertIn("fp32", memory.baselines)
        self.assertRegex(str(memory), r"(?m)^measured +[0-9.]+ MiB$")

    def test_weights_go_on_where_a_job_ended(self):
        first = self.submit(epochs=1, steps=3).wait()
        path = first.fetch("weights.safetensors", self.server.folder)
        # From these weights, with a step too small to change one.
        second = self.submit(init=path, steps=1, learning_rate=1e-30, weight_decay=0.0,
                             policy="none").wait()
        before, after = (_safetensors.read(job.read(path.name)) for job in (first, second))
        self.assertEqual(list(before), list(after))
        for name, raw in before.items():
            if "running" not in name and "num_batches" not in name:
                self.assertEqual(bytes(raw.data), bytes(after[name].data), name)

    def test_cancelled_job_ends_as_that(self):
        job = self.submit(**LONG)
        next(event for event in job.watch() if event.kind == "step_done")
        job.cancel()
        with self.assertRaises(mantissa.JobCancelled):
            job.wait(harness.SOON)
        self.assertTrue(list(job.watch())[-1].ends_job)

    def test_same_request_id_is_the_same_job(self):
        first = self.submit(request_id="once", **{"steps": 2})
        self.assertEqual(first.id, self.submit(request_id="once", **{"steps": 2}).id)
        with self.assertRaises(mantissa.AlreadyExists):
            self.submit(request_id="once", **{"steps": 3})

    def test_wrong_job_is_refused_before_it_starts(self):
        with self.assertRaises(mantissa.NotFound):
            self.client.submit("builtin:squeezenet", "nothing")
        with self.assertRaises(mantissa.InvalidArgument) as caught:
            self.submit(momentum=1.0)
        self.assertEqual("training.momentum", caught.exception.field.removeprefix("spec."))
        with self.assertRaises(mantissa.NotFound):
            self.client.job("job-nothing")


class OutageTest(ServerTest):

    def test_watch_survives_a_restart_of_the_server(self):
        job = self.submit(steps=60, epochs=20)
        seen, restarted = [], threading.Event()

        def restart():
            self.server.kill(signal.SIGKILL)
            self.server.start()
            restarted.set()

        for event in job.watch():
            seen.append(event.sequence)
            if event.kind == "step_done" and event.detail.step == 3:
                threading.Thread(target=restart).start()
        self.assertTrue(restarted.is_set())
        self.assertEqual(list(range(1, len(seen) + 1)), seen)
        self.assertEqual("succeeded", job.wait().state)


class SecureTest(harness.FolderTest):

    TOKEN = "a-token-for-the-package"

    def test_tls_server_wants_its_certificate_and_token(self):
        certificate, key = certificates.make(self.folder)
        with harness.Server("--tls-cert", certificate, "--tls-key", key,
                            MANTISSA_TOKEN=self.TOKEN) as server:
            quick = mantissa.Retry(first_wait=0.01, attempts=2)
            with mantissa.Client(server.address, token=self.TOKEN, tls_ca=certificate) as client:
                self.assertEqual([], list(client.jobs()))
            with open(certificate, "rb") as file, mantissa.Client(
                    server.address, token="wrong", tls_ca=file.read()) as client:
                self.assertRaises(mantissa.Unauthenticated, client.info)
            for wrong in ({"tls": True}, {}):
                with mantissa.Client(server.address, retry=quick, **wrong) as client:
                    self.assertRaises(mantissa.Unavailable, client.info)


if __name__ == "__main__":
    os.environ.pop("MANTISSA_TOKEN", None)
    cases.main()

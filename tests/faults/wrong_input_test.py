"""Wrong requests: each is refused with what was given, what is allowed and what to do."""

import json
import os
import re
import subprocess
import unittest
import urllib.request

from tests import cases
from tests.e2e import harness

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
GRPCURL = os.environ.get("MANTISSA_GRPCURL", "")


class WrongInputTest(harness.ServerTest):

    def tearDown(self):
        self.assertTrue(self.server.alive(), "the server is down")
        super().tearDown()
        self.server.run("server", "info")

    def handled(self, method, code):
        """How many calls of the method ended with the gRPC code, as the server counts them."""
        with _OPENER.open("http://%s/metrics" % self.server.metrics, timeout=10) as answer:
            text = answer.read().decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if line.startswith("mantissa_rpc_handled_total{") and
                   re.search(r"%s\b" % method, line) and '"%s"' % code in line)

    def refused(self, case, method, code, words, *args):
        """The command is refused by that call with that code, and says the words."""
        before = self.handled(method, code)
        result = self.server.run(*args, code=4)
        for word in words:
            self.assertIn(word, result.err, case)
        harness.wait_for("%s counted as %s" % (method, code),
                         lambda: self.handled(method, code) == before + 1)
        harness.seen(case, "%s: %s" % (code, result.err[len("mantissa: refused: "):]))
        return result

    def submit_refused(self, case, words, *flags, code="INVALID_ARGUMENT"):
        self.refused(case, "SubmitJob", code, words, "submit", *harness.TINY, *flags)

    def test_unknown_model_is_refused_with_those_there_are(self):
        self.submit_refused("unknown model", ["vgg16", "builtin:resnet18"], "--model",
                            "builtin:vgg16", code="NOT_FOUND")

    def test_width_not_offered_is_refused_with_those_on_offer(self):
        self.submit_refused("width not offered", ["0.3", "0.1, 0.15, 0.2, 0.25, 0.5, 1"],
                            "--width", "0.3")

    def test_label_beyond_the_classes_is_refused(self):
        self.submit_refused("label out of range: data of 10 classes, --classes 5",
                            ["classes", "5", "10"], "--classes", "5")

    def test_batch_larger_than_the_data_is_refused(self):
        self.submit_refused("batch larger than the data", ["batch_size", "1000", "320"],
                            "--batch-size", "1000")

    def test_ratio_above_one_is_refused(self):
        self.submit_refused("ratio 1.5", ["low_ratio", "1.5", "0.0 to 1.0"], "--low-ratio", "1.5")
        local = harness.mantissa("plan", "--model", "resnet18", "--classes", "10", "--low-ratio",
                                 "1.5", code=4)
        self.assertIn("0.0 to 1.0", local.err)

    def test_learning_rate_that_is_no_number_is_refused(self):
        self.submit_refused("learning rate NaN", ["learning_rate", "nan", "finite"], "--lr", "nan")
        self.submit_refused("learning rate -1", ["learning_rate", "-1"], "--lr", "-1")
        self.submit_refused("learning rate infinite", ["learning_rate", "inf"], "--lr", "inf")

    def test_other_numbers_out_of_range_are_refused(self):
        for flag, value, field in [("--momentum", "1", "momentum"), ("--loss-scale", "3",
                                                                     "loss_scale"),
                                   ("--weight-decay", "nan", "weight_decay"),
                                   ("--label-smoothing", "1", "label_smoothing"),
                                   ("--promotion-threshold", "0", "promotion_threshold"),
                                   ("--steps", "-1", "steps"), ("--epochs", "100001", "epochs"),
                                   ("--max-retries", "101", "max_retries"),
                                   ("--threads", "5000", "threads"),
                                   ("--input", "3x8x8", "input")]:
            with self.subTest(flag):
                self.submit_refused("%s %s" % (flag, value), [field], flag, value)

    def job_file(self, **changes):
        """A job as a file, with fields that no flag would let through."""
        spec = {"model": {"model": "builtin:squeezenet", "width": 0.1}, "dataset": "digits",
                "training": {"batch_size": 16, "steps": 6}, "precision": {}}
        for field, value in changes.items():
            part, _, name = field.partition("__")
            spec[part][name] = value
        return self.path("wrong.json", json.dumps(spec))

    def test_memory_budgets_that_make_no_sense_are_refused(self):
        self.submit_refused("--memory 1KiB", ["1.0 KiB", "batch"], "--memory", "1KiB",
                            code="FAILED_PRECONDITION")
        self.submit_refused("--memory and --low-ratio", ["low_ratio", "memory_bytes"],
                            "--memory", "1GiB", "--low-ratio", "0.5")
        for value in (-1, -(1 << 63)):
            self.refused("memory_bytes %d" % value, "SubmitJob", "INVALID_ARGUMENT",
                         ["precision.memory_bytes", str(value)], "submit", "-f",
                         self.job_file(precision__memory_bytes=value))
        for text in ("8 potatoes", "-1GiB", "0", "1e9", "9999999999TiB"):
            with self.subTest(text):
                result = self.server.run("submit", *harness.TINY, "--memory=" + text, code=2)
                self.assertIn("--memory is '%s'; allowed: a size above 0 such as 8GiB" % text,
                              result.err)
        harness.seen("--memory 9999999999TiB", result.err[len("mantissa: "):])

    def test_choices_that_there_are_not_are_refused_with_those_there_are(self):
        for field, words in [("precision__storage", "packed, emulated"),
                             ("precision__recipe", "paper, bf16"),
                             ("precision__recompute", "auto, none, cheap"),
                             ("training__optimizer_state", "a value that the API names")]:
            with self.subTest(field):
                self.refused("%s 77" % field.replace("__", "."), "SubmitJob", "INVALID_ARGUMENT",
                             [field.replace("__", "."), "77", words], "submit", "-f",
                             self.job_file(**{field: 77}))
        self.submit_refused("--recipe bf16 with --policy none", ["recipe", "policy none"],
                            "--recipe", "bf16", "--policy", "none")
        for flag, choices in [("--storage", "packed, emulated"), ("--recipe", "paper, bf16"),
                              ("--recompute", "auto, none, cheap"),
                              ("--optimizer-state", "fp32, bf16, int8")]:
            for command in (["submit", *harness.TINY], ["plan", "--model", "squeezenet"]):
                result = self.server.run(*command, flag, "tape", code=2)
                self.assertIn("tape", result.err)
                self.assertIn(choices, result.err)

    def test_plans_refuse_what_jobs_refuse(self):
        plan = ["plan", "--model", "squeezenet", "--classes", "10"]
        self.refused("plan --memory 1KiB", "/Plan", "FAILED_PRECONDITION", ["1.0 KiB", "batch"],
                     *plan, "--memory", "1KiB")
        self.refused("plan --memory and --low-ratio", "/Plan", "INVALID_ARGUMENT",
                     ["precision.low_ratio"], *plan, "--memory", "1GiB", "--low-ratio", "0.5")

    def test_data_set_that_is_not_there_is_refused(self):
        self.submit_refused("no such data set", ["nowhere", "mantissa dataset push"], "--dataset",
                            "nowhere", code="NOT_FOUND")

    def test_weights_of_another_model_fail_the_job_with_their_names(self):
        path = self.path("zeros.safetensors",
                         b"\x46" + bytes(7) +
                         b'{"conv":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'.ljust(0x46)
                         + bytes(4))
        result = self.server.run("submit", "--wait", *harness.TINY, "--init", path, code=1)
        self.assertIn("BAD_REQUEST", result.out)
        harness.seen("--init with weights of another model", result.out.splitlines()[-1])

    def test_control_characters_in_names_are_refused_and_not_echoed(self):
        for flag, text in [("--name", "red \x1b[31m"), ("--name", "two\nlines"),
                           ("--labels", "k=v\x07")]:
            with self.subTest(repr(text)):
                before = self.handled("SubmitJob", "INVALID_ARGUMENT")
                result = self.server.run("submit", *harness.TINY, flag, text, code=4)
                self.assertNotIn("\x1b", result.err)
                self.assertNotIn("\x07", result.err)
                self.assertEqual(before + 1, self.handled("SubmitJob", "INVALID_ARGUMENT"))
        harness.seen("control characters in a name", result.err)

    def test_names_that_would_leave_their_folder_are_refused(self):
        path = harness.digits(self.server.folder, samples=20, name="few.npz")
        for name in ["../up", "a/b", ".hidden", "UPPER", "x" * 65]:
            with self.subTest(name):
                self.assertIn("name", self.server.run("dataset", "push", name, path, code=4).err)
        self.server.run("get", "../../etc/passwd", code=4)

    def test_same_key_returns_the_first_job_and_other_job_is_refused(self):
        key = ["--request-id", "once"]
        first = self.server.submit(*key)
        again = self.server.submit(*key)
        self.assertEqual((first["id"], first["create_time"]), (again["id"], again["create_time"]))
        harness.seen("second submit with the same key, same job", "the first job, " + again["id"])
        self.submit_refused("second submit with the same key, other job", ["once", first["id"]],
                            *key, "--seed", "8", code="ALREADY_EXISTS")

    def test_cancelled_job_stays_cancelled(self):
        job = self.server.submit("--steps", "100000")["id"]
        self.server.wait_for_step(job, 1)
        self.server.run("cancel", job)
        self.server.wait_until(job, "CANCELLED")
        self.server.run("cancel", job, code=0)
        self.assertEqual(5, self.server.run("watch", job, code=5).code)
        missing = self.server.run("fetch", job, "weights.safetensors", "--to", self.path("none"),
                                  code=4)
        self.assertIn("it has history.jsonl, plan.json, report.json", missing.err)
        self.assertFalse(os.path.exists(self.path("none")))
        harness.seen("weights of a cancelled job", missing.err)
        done = self.server.submit("--wait")["id"]
        self.refused("cancelling what has ended", "CancelJob", "FAILED_PRECONDITION",
                     [done, "SUCCEEDED"], "cancel", done)

    def test_waiting_job_is_cancelled_at_once(self):
        first = self.server.submit("--steps", "100000")["id"]
        second = self.server.submit()["id"]
        self.assertEqual("JOB_STATE_CANCELLED",
                         self.server.json("cancel", second)["state"])
        self.server.run("cancel", first)
        self.server.wait_until(first, "CANCELLED")

    def test_watch_and_logs_beyond_the_end_say_so(self):
        job = self.server.submit("--wait")["id"]
        self.assertEqual(4, self.server.run("logs", job, "--offset", "1000000", code=None).code)
        self.server.run("watch", "job-none", code=4)

    def test_page_token_that_is_none_is_refused(self):
        if not GRPCURL:
            self.skipTest("grpcurl is not installed; run deploy/setup.sh --tests")
        done = self.call("JobService/ListJobs", {"page_token": "made up"})
        self.assertIn("Code: InvalidArgument", done.stderr)

    def call(self, method, *messages):
        return subprocess.run([GRPCURL, "-plaintext", "-d", "@", self.server.address,
                               "mantissa.v1." + method], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=harness.SOON, text=True,
                              input="".join(json.dumps(message) for message in messages))

    @unittest.skipUnless(GRPCURL, "grpcurl is not installed; run deploy/setup.sh --tests")
    def test_declared_ten_gigabytes_are_refused_before_a_byte_is_sent(self):
        blob = {"sha256": "ab" * 32, "size_bytes": 10 << 30}
        for method, message in [("QueryBlob", blob), ("UploadBlob", {"header": blob})]:
            done = self.call("DatasetService/" + method, message)
            self.assertIn("Code: ResourceExhausted", done.stderr)
            self.assertIn("8589934592", done.stderr.replace(",", "").replace("8 GiB", "8589934592"))
        harness.seen("a 10 GB declared upload", "RESOURCE_EXHAUSTED: " + re.search(
            r"Message: (.*)", done.stderr).group(1))

    @unittest.skipUnless(GRPCURL, "grpcurl is not installed; run deploy/setup.sh --tests")
    def test_message_over_four_mebibytes_is_refused(self):
        done = self.call("JobService/SubmitJob", {"spec": {"name": "x" * (5 << 20)}})
        self.assertIn("Code: ResourceExhausted", done.stderr)
        harness.seen("a message of 5 MiB", "RESOURCE_EXHAUSTED: " + re.search(
            r"Message: (.*)", done.stderr).group(1))

    @unittest.skipUnless(GRPCURL, "grpcurl is not installed; run deploy/setup.sh --tests")
    def test_bytes_that_do_not_have_their_hash_are_refused(self):
        header = {"header": {"sha256": "cd" * 32, "size_bytes": 3}}
        done = self.call("DatasetService/UploadBlob", header, {"chunk": "AAAA"})
        self.assertIn("Code: DataLoss", done.stderr)
        too_many = self.call("DatasetService/UploadBlob", header, {"chunk": "AAAAAAAA"})
        self.assertNotEqual(0, too_many.returncode)
        harness.seen("bytes that do not have the declared hash", "DATA_LOSS: " + re.search(
            r"Message: (.*)", done.stderr).group(1))


if __name__ == "__main__":
    cases.main()

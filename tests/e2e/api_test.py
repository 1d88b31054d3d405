"""A stranger's client: grpcurl runs the commands of docs/api.md as they stand there."""

import json
import os
import re
import shutil
import subprocess
import unittest

from tests import cases
from tests.e2e import certificates, harness

GRPCURL = os.environ.get("MANTISSA_GRPCURL") or shutil.which("grpcurl") or ""
MODEL = os.path.abspath("tests/server/models/testdata/tied.pt2")
TOKEN = "a-token-for-the-documentation"
MARK = "=== end of command ==="


def commands():
    """The commands of docs/api.md, in order."""
    with open("docs/api.md") as f:
        return re.findall(r"^```sh\n(.*?)^```$", f.read(), re.MULTILINE | re.DOTALL)


def objects(text):
    """JSON objects that follow each other."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        found.append(value)
    return found


@unittest.skipUnless(os.access(GRPCURL, os.X_OK), "grpcurl is not installed: it needs Go of 1.21 or "
                     "newer; run deploy/setup.sh --tests")
class ApiTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.server = harness.Server()
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        folder = cls.server.folder
        certificate, key = certificates.make(folder, "ca.pem")
        cls.secure = harness.Server("--tls-cert", certificate, "--tls-key", key,
                                    MANTISSA_TOKEN=TOKEN)
        cls.addClassCleanup(cls.secure.close)
        cls.secure.start()
        harness.digits(folder)
        shutil.copy(MODEL, os.path.join(folder, "model.pt2"))
        cls.outputs = cls.run_all(folder)

    @classmethod
    def run_all(cls, folder):
        """What each command printed, in one shell; a failure of any ends it."""
        script = "set -euo pipefail\n" + "".join(
            "%s\necho '%s'\n" % (command.strip(), MARK) for command in commands())
        environment = harness.environment(
            SERVER=cls.server.address, SECURE_SERVER=cls.secure.address, TOKEN=TOKEN,
            PATH=os.path.dirname(GRPCURL) + ":" + os.environ["PATH"])
        done = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        if done.returncode:
            raise AssertionError("a command of docs/api.md failed with %d: %s\n%s" % (
                done.returncode, done.stderr, done.stdout[-2000:]))
        cls.errors = done.stderr
        return done.stdout.split(MARK + "\n")[:-1]

    def output(self, words):
        """Of the one command that has the words."""
        found = [output for command, output in zip(commands(), self.outputs, strict=True)
                 if words in command]
        self.assertEqual(1, len(found), words)
        return found[0]

    def test_services_are_listed_and_described_by_reflection(self):
        listed = self.output("$SERVER list\n").split()
        for service in ["Server", "Model", "Dataset", "Planner", "Job"]:
            self.assertIn("mantissa.v1.%sService" % service, listed)
        self.assertFalse([name for name in listed if "internal" in name])
        self.assertIn("rpc WatchJob ( .mantissa.v1.WatchJobRequest ) returns ( stream "
                      ".mantissa.v1.JobEvent )", self.output("describe mantissa.v1.JobService"))
        self.assertIn("optional double learning_rate = 5",
                      self.output("describe mantissa.v1.TrainingSpec"))
        described = self.output("describe $service")
        for service in listed:
            self.assertIn(service + " is a service:", described)
        harness.seen("grpcurl lists by reflection", ", ".join(listed))

    def test_health_limits_and_models_are_told(self):
        self.assertEqual({"status": "SERVING"}, json.loads(self.output("-plaintext $SERVER grpc.")))
        info = json.loads(self.output("GetServerInfo"))
        self.assertEqual(str(4 << 20), info["max_message_bytes"])
        self.assertEqual(4, len(json.loads(self.output("ListModels"))["models"]))

    def test_plan_by_json_equals_the_command_line(self):
        plan = json.loads(self.output('"batch_size": 64'))["plan"]
        expected = harness.mantissa("plan", "--model", "resnet18", "--width", "0.25", "--classes",
                                    "10", "--batch-size", "64", "-o", "json").json()
        self.assertEqual(str(expected["bits"]), plan["bits"])
        self.assertEqual([group["id"] for group in expected["groups"] if group["low"]],
                         [group.get("id", 0) for group in plan["groups"] if group.get("low")])

    def test_budget_by_json_chooses_the_ratio(self):
        ratio, peak = map(float, self.output('"memory_bytes"').split())
        self.assertTrue(0 < ratio < 1, ratio)
        self.assertLessEqual(peak, 629145600)
        self.assertGreater(peak, 0.9 * 629145600)

    def test_memory_of_the_job_is_measured_and_predicted(self):
        memory = json.loads(self.output("GetJobMemory"))
        for what in ("measured", "predicted"):
            self.assertGreater(int(memory[what]["peak_bytes"]), 0)
            self.assertGreater(len(memory[what]["timeline"]), 100)
            self.assertEqual("STEP_PHASE_UPDATE", memory[what]["timeline"][-1]["phase"])

    def test_data_are_uploaded_by_json(self):
        self.assertEqual({}, json.loads(self.output("QueryBlob")))
        self.assertTrue(json.loads(self.output("base64 -w 1000000 digits.npz"))["complete"])
        dataset = json.loads(self.output("CreateDataset"))
        self.assertEqual(("320", 10), (dataset["train_samples"], dataset["classes"]))

    def test_model_is_uploaded_described_and_deleted_by_json(self):
        self.assertTrue(json.loads(self.output("base64 -w 1000000 model.pt2"))["complete"])
        model = json.loads(self.output("CreateModel"))
        self.assertEqual(("mine", "MODEL_SOURCE_PT2"), (model["name"], model["source"]))
        described = json.loads(self.output("ModelService/GetModel"))
        self.assertEqual(model, described["model"])
        self.assertEqual("tokens", described["inputs"][0]["name"])
        self.assertEqual({}, json.loads(self.output("DeleteModel")))

    def test_job_by_json_is_submitted_watched_and_fetched(self):
        submitted = json.loads(self.output("SubmitJob"))
        self.assertIn(submitted["state"], ("JOB_STATE_PENDING", "JOB_STATE_PLANNING"))
        events = objects(self.output("\"}' $SERVER mantissa.v1.JobService/WatchJob"))
        self.assertEqual([str(n) for n in range(1, len(events) + 1)],
                         [event["sequence"] for event in events])
        self.assertEqual(20, sum("step_done" in event for event in events))
        self.assertEqual("JOB_STATE_SUCCEEDED", events[-1]["state_changed"]["to"])
        self.assertEqual(events[20:], objects(self.output("after_sequence")))
        job = json.loads(self.output("JobService/GetJob\n"))
        self.assertEqual(("JOB_STATE_SUCCEEDED", submitted["id"]), (job["state"], job["id"]))
        self.assertEqual([job["id"]], [entry["id"] for entry in
                                       json.loads(self.output("page_size"))["jobs"]])
        self.assertEqual(job["id"], json.loads(self.output("FetchArtifact"))["job"])
        self.assertIn("data", json.loads(self.output("GetLogs")))
        harness.seen("a job by grpcurl", "%d events, ended %s" % (len(events), job["state"]))

    def test_refusal_names_field_and_limit(self):
        self.assertIn("Code: InvalidArgument", self.errors)
        self.assertIn("precision.low_ratio", self.errors)
        self.assertIn("google.rpc.BadRequest", self.errors)

    def test_server_with_tls_wants_its_token(self):
        self.assertEqual({}, json.loads(self.output("$SECURE_SERVER mantissa")))
        health = self.ask_without_token("-import-path", "third_party/grpc_health", "-proto",
                                        "grpc/health/v1/health.proto",
                                        method="grpc.health.v1.Health/Check")
        self.assertEqual({"status": "SERVING"}, json.loads(health.stdout))
        refused = self.ask_without_token(method="mantissa.v1.JobService/ListJobs")
        self.assertNotEqual(0, refused.returncode)
        self.assertIn("authorization: Bearer TOKEN", refused.stderr)

    def ask_without_token(self, *flags, method):
        return subprocess.run([GRPCURL, "-cacert", os.path.join(self.server.folder, "ca.pem"),
                               *flags, self.secure.address, method], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=60)


if __name__ == "__main__":
    cases.main()

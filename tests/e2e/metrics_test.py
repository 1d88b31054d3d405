"""What a real Prometheus sees of a server."""

import json
import os
import shutil
import socket
import subprocess
import unittest
import urllib.parse
import urllib.request

from tests import cases
from tests.e2e import harness

# No proxy of the environment.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

CONFIG = """global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- job_name: mantissad
  static_configs: [{targets: ["%s"]}]
"""


def get(url):
    with _OPENER.open(url, timeout=10) as answer:
        return answer.read().decode()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Prometheus:
    """Scrapes one address once a second."""

    def __init__(self, folder, target):
        config = os.path.join(folder, "prometheus.yml")
        with open(config, "w") as f:
            f.write(CONFIG % target)
        self.url = "http://127.0.0.1:%d" % free_port()
        self.log = open(os.path.join(folder, "prometheus.log"), "w")
        self.process = subprocess.Popen(
            ["prometheus", "--config.file", config, "--storage.tsdb.path",
             os.path.join(folder, "tsdb"), "--web.listen-address", self.url[len("http://"):]],
            stdout=self.log, stderr=self.log)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def query(self, expression):
        """[(labels, value)] now; nothing while Prometheus starts."""
        try:
            answer = json.loads(get(self.url + "/api/v1/query?" +
                                    urllib.parse.urlencode({"query": expression})))
        except OSError:
            return []
        return [(series["metric"], float(series["value"][1]))
                for series in answer["data"]["result"]]


def documented():
    """name -> (kind, labels) of docs/metrics.md."""
    rows = {}
    with open("docs/metrics.md") as f:
        for line in f:
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if cells[0].startswith("`mantissa_"):
                rows[cells[0].strip("`")] = (cells[1], set(filter(None, cells[2].split(", "))))
    return rows


class MetricsTest(harness.ServerTest):

    def start_job(self, *flags):
        job = self.server.submit("--steps", "100000", "--epochs", "5000", "--evaluate-every", "1",
                                 *flags)["id"]
        harness.wait_for("an evaluation", lambda: self.server.get(job).get("progress", {}).get(
            "evaluation"))
        return job

    @unittest.skipUnless(shutil.which("prometheus"), "prometheus is not installed; run "
                         "deploy/setup.sh --tests")
    def test_prometheus_sees_a_job_while_it_runs_and_no_longer(self):
        prometheus = Prometheus(self.server.folder, self.server.metrics)
        self.addCleanup(prometheus.close)
        job = self.start_job()
        mine = '{job="mantissad"}'
        up = harness.wait_for("a scrape", lambda: prometheus.query("up" + mine))
        self.assertEqual(1, up[0][1])
        # Prometheus has a label `job` of its own: ours becomes exported_job.
        series = '{exported_job="%s"}' % job
        loss = harness.wait_for("the loss", lambda: prometheus.query("mantissa_job_loss" + series))
        self.assertEqual(1, len(loss))
        scale = prometheus.query("mantissa_job_loss_scale" + series)
        self.assertGreaterEqual(scale[0][1], 1)
        low = prometheus.query("mantissa_job_low_ratio" + series)
        self.assertAlmostEqual(self.server.get(job)["progress"]["ratio_low_bits"], low[0][1])
        precision = {labels["precision"] for labels, _ in
                     prometheus.query("mantissa_job_accuracy_ratio" + series)}
        self.assertEqual({"assigned", "fp32"}, precision)
        rate = harness.wait_for("two scrapes of the steps", lambda: [
            value for _, value in prometheus.query("rate(mantissa_steps_total[10s])") if value > 0])
        p99 = "histogram_quantile(0.99, rate(mantissa_step_duration_seconds_bucket[10s]))"
        self.assertGreater(prometheus.query(p99)[0][1], 0)
        running = prometheus.query('mantissa_jobs{state="RUNNING"}')
        self.assertEqual([1], [value for _, value in running])
        count = len(prometheus.query('count by (__name__) ({exported_job="%s"})' % job))
        self.server.run("cancel", job)
        self.server.wait_until(job, "CANCELLED")
        harness.wait_for("the series of the job are gone",
                         lambda: prometheus.query("mantissa_steps_total") and
                         not prometheus.query(series.replace("{", '{__name__=~"mantissa_.*",')))
        cancelled = len(self.server.json("list", "--state", "cancelled")["jobs"])
        harness.wait_for("the cancelled job is counted", lambda: [cancelled] == [
            value for _, value in prometheus.query('mantissa_jobs{state="CANCELLED"}')])
        harness.seen("Prometheus %s, a job of %.0f steps/s" % ("2.42", rate[0]),
                     "%d metrics of the job while it ran, none after it was cancelled" % count)

    def scrape(self):
        """name -> kind, and name -> sets of label names, of /metrics."""
        kinds, labels = {}, {}
        for line in get("http://%s/metrics" % self.server.metrics).splitlines():
            if line.startswith("# TYPE mantissa_"):
                _, _, name, kind = line.split()
                kinds[name] = kind
            elif line.startswith("mantissa_"):
                name, _, rest = line.partition("{")
                names = {part.split("=")[0] for part in rest.rpartition("}")[0].split(",") if part}
                labels.setdefault(name.split(" ")[0], set()).update(names)
        return kinds, labels

    def test_names_kinds_and_labels_are_those_of_the_documentation(self):
        job = self.start_job("--memory", "1GiB")
        kinds, labels = self.scrape()
        self.server.run("cancel", job)
        rows = documented()
        self.assertGreater(len(rows), 15)
        self.assertEqual({name: kind for name, (kind, _) in rows.items()}, kinds)
        for name, (kind, expected) in rows.items():
            suffix = "_bucket" if kind == "histogram" else ""
            more = {"le"} if kind == "histogram" else set()
            self.assertEqual(expected | more, labels.get(name + suffix, set()), name)
            self.assertTrue(kind != "counter" or name.endswith("_total"), name)

    def test_calls_are_counted_by_method_and_code(self):
        self.server.run("get", "job-none", code=4)
        text = get("http://%s/metrics" % self.server.metrics)
        lines = [line for line in text.splitlines() if
                 line.startswith("mantissa_rpc_handled_total") and "GetJob" in line]
        self.assertTrue(any("NOT_FOUND" in line for line in lines), lines)


if __name__ == "__main__":
    cases.main()

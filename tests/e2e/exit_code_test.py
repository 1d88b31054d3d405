"""What the command mantissa returns to scripts."""

from tests import cases
from tests.e2e import harness


class ExitCodeTest(harness.ServerTest):

    def test_job_that_succeeds_returns_zero(self):
        self.server.run("submit", "--wait", *harness.TINY, code=0)

    def test_job_that_fails_returns_one_and_its_cause(self):
        result = self.server.run("submit", "--wait", *harness.TINY, "--steps", "200", "--lr",
                                 "1e30", "--policy", "none", "--max-retries", "0", code=1)
        self.assertIn("FAILED", result.out)
        self.assertIn("DIVERGED", result.out)

    def test_unusable_command_line_returns_two(self):
        for args in [["submit", "--no-such-flag"], ["no-such-command"], ["get"],
                     ["submit", "--dataset", "digits"], ["list", "--limit", "many"],
                     ["submit", "-f", "/nonexistent/job.json"]]:
            result = self.server.run(*args, code=2)
            self.assertEqual("", result.out, result)
            self.assertIn("mantissa: ", result.err)

    def test_absent_server_returns_three(self):
        result = harness.mantissa("list", "--server", "127.0.0.1:1", "--timeout", "5s", code=3)
        self.assertIn("no server answers at 127.0.0.1:1: ", result.err)
        self.assertTrue(result.err.isascii() and result.err.replace("\n", "").isprintable(),
                        repr(result.err))

    def test_refused_request_returns_four(self):
        self.assertIn("job-none", self.server.run("get", "job-none", code=4).err)
        result = self.server.run("submit", *harness.TINY, "--dataset", "nowhere", code=4)
        self.assertIn("mantissa dataset push nowhere PATH", result.err)

    def test_cancelled_job_returns_five(self):
        job = self.server.submit("--steps", "100000")["id"]
        waiting = self.server.spawn("watch", job)
        self.server.wait_for_step(job, 1)
        self.server.run("cancel", job, code=0)
        out, err = waiting.communicate(timeout=harness.SOON)
        self.assertEqual(5, waiting.returncode, err)
        self.assertIn("CANCELLED", out)


if __name__ == "__main__":
    cases.main()

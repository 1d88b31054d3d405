"""TLS and the token: a server that others could reach asks for both."""

import os
import subprocess

from tests import cases
from tests.e2e import certificates, harness

TOKEN = "correct-horse-battery-staple"


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text)
    return path


class ExposureTest(harness.FolderTest):

    def refused_start(self, *flags, **env):
        """What mantissad says that does not start."""
        command = [harness.MANTISSAD, "--data-dir", os.path.join(self.folder, "data"),
                   "--metrics-listen", "127.0.0.1:0", "--worker", harness.WORKER, *flags]
        done = subprocess.run(command, env=harness.environment(**env), timeout=harness.SOON,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertNotEqual(0, done.returncode)
        self.assertNotIn("listening", done.stdout)
        return done.stderr

    def test_start_beyond_loopback_is_refused_without_tls_and_token(self):
        cert, key = certificates.make(self.folder)
        token = write(self.folder, "token", TOKEN)
        for flags in [[], ["--token-file", token], ["--tls-cert", cert, "--tls-key", key]]:
            said = self.refused_start("--listen", "0.0.0.0:0", *flags)
            for words in ["0.0.0.0:0", "TLS", "token", "--tls-cert", "127.0.0.1"]:
                self.assertIn(words, said)
        harness.seen("mantissad --listen 0.0.0.0 without TLS and a token", said)

    def test_start_is_refused_where_files_are_missing_or_empty(self):
        cert, _ = certificates.make(self.folder)
        self.assertIn("--tls-key", self.refused_start("--listen", "127.0.0.1:0", "--tls-cert", cert))
        self.assertIn("/nonexistent", self.refused_start("--listen", "127.0.0.1:0", "--token-file",
                                                         "/nonexistent"))
        empty = write(self.folder, "empty", "\n")
        self.assertIn("empty", self.refused_start("--listen", "127.0.0.1:0", "--token-file", empty))


class TokenTest(harness.FolderTest):

    def test_server_with_tls_and_token_serves_only_those_who_have_both(self):
        cert, key = certificates.make(self.folder)
        token = write(self.folder, "token", TOKEN + "\n")
        wrong = write(self.folder, "wrong", "wrong")
        server = harness.Server("--tls-cert", cert, "--tls-key", key, "--token-file", token)
        server.address = "0.0.0.0:0"
        self.addCleanup(server.close)
        server.start()
        address = "127.0.0.1:" + server.address.rsplit(":", 1)[1]
        ask = ["server", "info", "--server", address, "--timeout", "10s"]
        info = harness.mantissa(*ask, "--tls-ca", cert, "--token-file", token)
        self.assertIn("0 of 1 running", info.out)
        by_environment = harness.mantissa(*ask, MANTISSA_TLS_CA=cert, MANTISSA_TOKEN=TOKEN)
        self.assertEqual(info.out, by_environment.out)
        for flags in [["--token-file", wrong], []]:
            refused = harness.mantissa(*ask, "--tls-ca", cert, *flags, code=4)
            self.assertIn("token", refused.err)
        harness.seen("a client with TLS and no token", refused.err)
        # Without TLS, or with another certificate, there is no connection.
        harness.mantissa(*ask, "--token-file", token, code=3)
        os.mkdir(os.path.join(self.folder, "other"))
        other, _ = certificates.make(os.path.join(self.folder, "other"))
        harness.mantissa(*ask, "--tls-ca", other, "--token-file", token, code=3)

    def test_jobs_run_through_tls_with_a_token(self):
        cert, key = certificates.make(self.folder)
        token = write(self.folder, "token", TOKEN)
        server = harness.Server("--tls-cert", cert, "--tls-key", key, "--token-file", token)
        server.client_flags = ["--tls-ca", cert, "--token-file", token]
        self.addCleanup(server.close)
        server.start()
        server.push_digits()
        self.assertEqual("JOB_STATE_SUCCEEDED", server.submit("--wait")["state"])

    def test_wrong_token_is_refused_on_loopback_too(self):
        server = harness.Server(MANTISSA_TOKEN=TOKEN)
        self.addCleanup(server.close)
        server.start()
        server.run("list", MANTISSA_TOKEN=TOKEN)
        refused = server.run("list", MANTISSA_TOKEN="wrong", code=4)
        self.assertIn("not this server's", refused.err)
        harness.seen("a wrong token", refused.err)
        # Neither does the token appear where others of this machine could read it.
        self.assertNotIn(TOKEN, server.log())
        with open("/proc/%d/cmdline" % server.process.pid) as f:
            self.assertNotIn(TOKEN, f.read())

    def test_client_sends_no_token_over_an_unencrypted_connection_elsewhere(self):
        said = harness.mantissa("list", "--server", "192.0.2.1:7070", MANTISSA_TOKEN=TOKEN,
                                code=None)
        self.assertIn(said.code, (2, 4), said)
        self.assertIn("unencrypted", said.err)


if __name__ == "__main__":
    cases.main()

"""Certificates for tests of TLS.

    certificate, key = certificates.make(folder)   # paths of PEM files
"""

import os
import subprocess


def make(folder, name="cert.pem"):
    """Paths of a certificate for 127.0.0.1, signed by itself, and of its key."""
    cert, key = os.path.join(folder, name), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj",
                    "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key,
                    "-out", cert], check=True, stderr=subprocess.DEVNULL)
    return cert, key

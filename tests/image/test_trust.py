"""TLS from the image: the authorities in it, another one by AWS_CA_BUNDLE, and names without a C library beside it."""

import subprocess
import tempfile
from pathlib import Path

from stage import POOL, ImageCase

AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
LOOK = ["status", f"{POOL}/import-moving", "--output", "json"]


class Trust(ImageCase):
    """A simulator with a certificate of an authority that nobody knows."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="trust-")
        self.addCleanup(directory.cleanup)
        self.certificates = Path(directory.name)
        self.certificates.chmod(0o755)
        self.make_certificates()
        self.SIMULATE = ("--tls-cert", str(self.certificates / "server.pem"), "--tls-key", str(self.certificates / "server.key"))
        super().setUp()
        # By name: the static program must resolve it.
        self.keys["AWS_ENDPOINT_URL"] = self.endpoint.replace("127.0.0.1", "localhost")

    def make_certificates(self):
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        self.openssl("req", "-x509", *curve, "-subj", "/CN=a company", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2")
        self.openssl("req", *curve, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
        (self.certificates / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        self.openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1",
                     "-extfile", "names", "-out", "server.pem")
        (self.certificates / "ca.pem").chmod(0o644)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.certificates, capture_output=True, check=True)

    def mounted_at(self, path):
        return ["--volume", f"{self.certificates / 'ca.pem'}:{path}:ro"]

    def test_the_authorities_of_the_image_are_the_ones_that_are_trusted(self):
        code, out, errors = self.run_to_end(LOOK)
        self.assertEqual(code, 75, errors)
        self.assertIn("its issuer is unknown", out)
        code, _, errors = self.run_to_end(LOOK, self.mounted_at(AUTHORITIES))
        self.assertEqual(code, 0, errors)

    def test_another_authority_is_named_by_the_variable_of_aws(self):
        bundle = "/etc/bundle.pem"
        code, out, errors = self.run_to_end(LOOK, self.mounted_at(bundle), {"AWS_CA_BUNDLE": bundle})
        self.assertEqual(code, 0, errors)
        self.assertIn("InProgress", out)

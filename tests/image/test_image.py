"""What is in the image, and what it says of itself."""

import contextlib
import json
import subprocess
import tarfile
import tempfile
import unittest
from pathlib import Path

from stage import BINARY, IMAGE, STATE, build_image, podman

MEGABYTE = 1_000_000


class Image(unittest.TestCase):
    """Looked at, not run."""

    @classmethod
    def setUpClass(cls):
        build_image()
        cls.image = json.loads(podman("image", "inspect", IMAGE).stdout)[0]

    def entries(self):
        """What its file system holds, by path."""
        with self.exported() as tar:
            return {entry.name.strip("/"): entry for entry in tar}

    @contextlib.contextmanager
    def exported(self):
        """Its file system as a tar."""
        container = podman("create", IMAGE).stdout.strip()
        self.addCleanup(podman, "rm", container)
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "image.tar"
            podman("export", "--output", str(file), container)
            with tarfile.open(file) as tar:
                yield tar

    def test_it_is_smaller_than_twenty_megabytes(self):
        size = self.image["Size"]
        print(f"image: {size / MEGABYTE:.1f} MB, of which the program {Path(BINARY).stat().st_size / MEGABYTE:.1f} MB")
        self.assertLess(size, 20 * MEGABYTE)

    def test_it_holds_the_program_the_authorities_and_the_licences_and_nothing_else(self):
        files = {name for name, entry in self.entries().items() if not entry.isdir()}
        # What the engine itself puts into a container.
        files -= {"etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab", "run/.containerenv"}
        documents = "usr/share/doc/cognito-import-watch"
        self.assertEqual(files, {
            "usr/bin/cognito-import-watch",
            "etc/ssl/certs/ca-certificates.crt",
            f"{documents}/LICENSE-APACHE",
            f"{documents}/LICENSE-MIT",
        })

    def test_the_authorities_are_those_of_the_public_and_no_few(self):
        with self.exported() as tar:
            file = next(entry for entry in tar if entry.name.endswith("etc/ssl/certs/ca-certificates.crt"))
            bundle = tar.extractfile(file).read()
        public = b"".join(path.read_bytes() for path in sorted(Path("/usr/share/ca-certificates/mozilla").glob("*.crt")))
        self.assertEqual(sorted(bundle.split(b"-----BEGIN")), sorted(public.split(b"-----BEGIN")))
        self.assertGreater(bundle.count(b"BEGIN CERTIFICATE"), 100)

    def test_only_the_place_of_the_state_is_its_users(self):
        entries = self.entries()
        owned = {name for name, entry in entries.items() if entry.uid == 65532}
        self.assertEqual(owned, {STATE.strip("/")})
        program = entries["usr/bin/cognito-import-watch"]
        self.assertEqual((program.uid, program.mode & 0o7777), (0, 0o755))

    def test_it_is_run_as_a_number_by_its_program_and_ended_by_sigterm(self):
        config = self.image["Config"]
        self.assertEqual(config["User"], "65532:65532")
        self.assertEqual(config["Entrypoint"], ["/usr/bin/cognito-import-watch"])
        self.assertEqual(config["Cmd"], ["run"])
        self.assertEqual(config["StopSignal"], "SIGTERM")

    def test_its_labels_tell_the_version_of_the_program(self):
        version = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
        labels = self.image["Labels"]
        self.assertEqual(labels["org.opencontainers.image.version"], version)
        self.assertEqual(labels["org.opencontainers.image.title"], IMAGE)
        self.assertEqual(labels["org.opencontainers.image.licenses"], "MIT OR Apache-2.0")

"""What is in the packages, and what they ask of a system."""

import gzip
import re
import shutil
import subprocess
import tomllib
import unittest

from package import DEB, EXAMPLE, NAME, PROGRAM, REPOSITORY, RPM, UNITS, files, run

# Of RHEL 9 and Amazon Linux 2023, the oldest systems that the packages are for.
GLIBC = (2, 34)
# Where the two kinds of system look for the same thing.
IN_BOTH = {
    f"usr/bin/{NAME}",
    f"{UNITS}/{NAME}.service",
    EXAMPLE,
    f"usr/share/{NAME}/{NAME}.schema.json",
    f"usr/share/man/man1/{NAME}.1.gz",
    f"usr/share/bash-completion/completions/{NAME}",
    f"usr/share/fish/vendor_completions.d/{NAME}.fish",
    f"usr/share/doc/{NAME}/README.md",
    f"usr/share/doc/{NAME}/config.md",
    f"usr/share/doc/{NAME}/examples/systemd.toml",
    f"usr/share/doc/{NAME}/examples/completions.ps1",
}
IN_DEB = {
    f"usr/share/zsh/vendor-completions/_{NAME}",
    f"usr/share/doc/{NAME}/copyright",
    f"usr/share/doc/{NAME}/CHANGELOG.md.gz",
    f"usr/share/doc/{NAME}/LICENSE-APACHE",
    f"usr/share/doc/{NAME}/LICENSE-MIT",
}
IN_RPM = {
    f"usr/share/zsh/site-functions/_{NAME}",
    f"usr/share/doc/{NAME}/CHANGELOG.md",
    f"usr/share/licenses/{NAME}/LICENSE-APACHE",
    f"usr/share/licenses/{NAME}/LICENSE-MIT",
}


def glibc_versions():
    """The versions of glibc that the program asks for."""
    symbols = run("objdump", "-T", PROGRAM)
    return {tuple(map(int, found.split("."))) for found in re.findall(r"GLIBC_([0-9.]+)", symbols)}


# The project has no address of a maintainer and keeps no changelog in Debian's form; what debhelper would do with
# systemctl, the scripts do themselves, so that nothing is enabled or started.
LINTIAN_MAY_FIND = "malformed-contact,no-changelog,wrong-name-for-upstream-changelog,maintainer-script-calls-systemctl"


class Contents(unittest.TestCase):
    """Both packages."""

    def test_everything_is_where_its_system_looks_for_it(self):
        for package, own in ((DEB, IN_DEB), (RPM, IN_RPM)):
            with self.subTest(package.suffix):
                self.assertEqual((IN_BOTH | own) - set(files(package)), set())

    def test_every_unit_is_in_it_and_no_drop_in_is_in_force(self):
        units = {path.name for pattern in ("*.service", "*.socket") for path in (REPOSITORY / "systemd").glob(pattern)}
        for package in (DEB, RPM):
            with self.subTest(package.suffix):
                found = {path.removeprefix(f"{UNITS}/") for path in files(package) if path.startswith(UNITS)}
                self.assertEqual(found, units)

    def test_the_program_is_the_one_that_was_built(self):
        for package in (DEB, RPM):
            with self.subTest(package.suffix):
                packed = files(package)[f"usr/bin/{NAME}"]
                self.assertEqual(packed.read_bytes(), PROGRAM.read_bytes())
                self.assertEqual(packed.stat().st_mode & 0o7777, 0o755)
        print(f"{DEB.name}: {DEB.stat().st_size:,} bytes; {RPM.name}: {RPM.stat().st_size:,} bytes")

    def test_the_pages_are_those_of_the_program(self):
        for package, zsh in ((DEB, "vendor-completions"), (RPM, "site-functions")):
            found = files(package)
            pages = {
                "bash": f"usr/share/bash-completion/completions/{NAME}",
                "zsh": f"usr/share/zsh/{zsh}/_{NAME}",
                "fish": f"usr/share/fish/vendor_completions.d/{NAME}.fish",
                "powershell": f"usr/share/doc/{NAME}/examples/completions.ps1",
            }
            with self.subTest(package.suffix):
                for shell, path in pages.items():
                    self.assertEqual(found[path].read_text(), run(PROGRAM, "completions", shell))
                page = gzip.decompress(found[f"usr/share/man/man1/{NAME}.1.gz"].read_bytes()).decode()
                self.assertEqual(page, run(PROGRAM, "man"))
                self.assertEqual(found[f"usr/share/{NAME}/{NAME}.schema.json"].read_text(), run(PROGRAM, "schema"))

    def test_the_example_is_every_default_and_no_more_than_an_example(self):
        template = tomllib.loads((REPOSITORY / "config" / f"{NAME}.toml").read_text())
        for package in (DEB, RPM):
            with self.subTest(package.suffix):
                found = files(package)
                self.assertEqual(tomllib.loads(found[EXAMPLE].read_text()), template)
                self.assertNotIn(f"etc/{NAME}/{NAME}.toml", found)
                schema = re.search(r"#:schema file:///(.*)", found[EXAMPLE].read_text())[1]
                self.assertIn(schema, found)

    def test_the_program_runs_on_the_oldest_glibc_that_is_supported(self):
        newest = max(glibc_versions())
        print(f"glibc: {'.'.join(map(str, newest))} or newer")
        self.assertLessEqual(newest, GLIBC)


class Debian(unittest.TestCase):
    """What dpkg is told."""

    def field(self, name):
        return run("dpkg-deb", "--field", DEB, name).strip()

    def test_it_has_the_name_and_the_version_of_the_program(self):
        version = run(PROGRAM, "--version").split()[-1]
        self.assertEqual(self.field("Package"), NAME)
        self.assertEqual(self.field("Version"), f"{version}-1")
        self.assertEqual(DEB.name, f"{NAME}_{version}-1_{self.field('Architecture')}.deb")

    def test_it_depends_on_the_libraries_of_the_program(self):
        self.assertRegex(self.field("Depends"), r"libc6 \(>= 2\.\d+\)")
        self.assertEqual(self.field("Recommends"), "ca-certificates")

    def test_the_example_is_a_config_file_to_dpkg(self):
        self.assertEqual(run("dpkg-deb", "--info", DEB, "conffiles").split(), [f"/{EXAMPLE}"])

    def test_lintian_finds_nothing_else(self):
        if shutil.which("lintian") is None:
            self.skipTest("lintian is not installed")
        found = subprocess.run(
            ["lintian", "--allow-root", "--suppress-tags", LINTIAN_MAY_FIND, "--fail-on", "error,warning", str(DEB)],
            capture_output=True, text=True, check=False,
        )
        self.assertEqual(found.returncode, 0, found.stdout + found.stderr)


class Redhat(unittest.TestCase):
    """What rpm is told."""

    def query(self, *words):
        return run("rpm", "--query", "--package", RPM, *words)

    def test_it_has_the_name_the_version_and_the_licence_of_the_program(self):
        version = run(PROGRAM, "--version").split()[-1]
        manifest = tomllib.loads((REPOSITORY / "Cargo.toml").read_text())
        found = self.query("--queryformat", "%{NAME} %{VERSION} %{LICENSE}")
        self.assertEqual(found, f"{NAME} {version} {manifest['workspace']['package']['license']}")

    def test_it_asks_for_the_libraries_of_the_program(self):
        asked = self.query("--requires")
        needed = {found for found in re.findall(r"libc\.so\.6\(GLIBC_([0-9.]+)\)", asked)}
        self.assertIn(".".join(map(str, max(glibc_versions()))), needed, asked)
        self.assertIn("ca-certificates", self.query("--recommends"))

    def test_the_example_is_a_config_file_to_rpm(self):
        self.assertEqual(self.query("--configfiles").split(), [f"/{EXAMPLE}"])

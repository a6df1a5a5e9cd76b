"""The two packages, unpacked. Every test of this directory starts here."""

import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

PROGRAM = Path(os.environ["PROGRAM"])
DEB = Path(os.environ["DEB"])
RPM = Path(os.environ["RPM"])
REPOSITORY = Path(__file__).parents[2]
NAME = "cognito-import-watch"
UNITS = "usr/lib/systemd/system"
EXAMPLE = f"etc/{NAME}/{NAME}.toml.example"


def run(*command, **more):
    """What a command prints."""
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=True, **more
    ).stdout


@cache
def unpacked(package):
    """A directory with the package's files; it goes with the process."""
    directory = tempfile.TemporaryDirectory(prefix="package-")
    root = Path(directory.name)
    if package.suffix == ".deb":
        run("dpkg-deb", "--extract", package, root)
    else:
        run("sh", "-c", 'rpm2cpio "$0" | cpio --quiet --extract --make-directories --directory "$1"', package, root)
    return root, directory


def files(package):
    """The package's files by path, without directories."""
    root, _ = unpacked(package)
    return {str(path.relative_to(root)): path for path in root.rglob("*") if not path.is_dir()}

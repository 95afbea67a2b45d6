"""What tests of deploy/ share."""

import subprocess
from pathlib import Path

import pytest

from tests.deploy.shipped import DEPLOY


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make-secrets.sh` makes."""
    folder = tmp_path_factory.mktemp("secrets") / "made"
    subprocess.run([DEPLOY / "make-secrets.sh", folder], check=True)
    return folder

"""What the tests of the installation share."""

from pathlib import Path

import pytest

from tests.unit.setup.install_device import Device


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path)

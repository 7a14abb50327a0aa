"""The Python scripts of the set-up, which lie in no package, as modules."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

FOLDER: Final = Path(__file__).resolve().parents[3] / "setup"


def load_script(name: str) -> ModuleType:
    """The module in `setup/NAME.py`."""
    spec = importlib.util.spec_from_file_location(f"mien_setup_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where a dataclass looks for its names
    spec.loader.exec_module(module)
    return module

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tiny_model import make_tiny_model


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that transformers and vLLM load in a moment; needs transformers."""
    return make_tiny_model(tmp_path_factory.mktemp("tiny-model"))

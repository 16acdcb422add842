"""The trained network of pieces, shared by the tests of exports."""

import pytest


@pytest.fixture(scope="session")
def pieces(tmp_path_factory):
    """A folder with images/, labels/ and model.keras, trained on them."""
    import exported

    return exported.train(tmp_path_factory.mktemp("pieces"), exported.network())

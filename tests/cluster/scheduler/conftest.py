from __future__ import annotations

import pytest
from scheduler_plane import Plane


@pytest.fixture
def new_plane() -> type[Plane]:
    return Plane


@pytest.fixture
def plane() -> Plane:
    return Plane()


@pytest.fixture
def four_nodes(plane: Plane) -> Plane:
    plane.default_nodes()
    return plane

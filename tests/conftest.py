"""What holds for every test: hypothesis draws the same examples each time, so that a run tells of the change and not of luck. With
``PODIUM_HUNT=1`` it draws new ones."""

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True)
if not os.environ.get("PODIUM_HUNT"):
    settings.load_profile("same")

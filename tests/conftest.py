"""Settings that every test shares."""

from hypothesis import settings

# Machines are slow at times; how long an example takes is no property of the code.
settings.register_profile("duplex", deadline=None, max_examples=100)
settings.load_profile("duplex")

"""What holds for every test."""

import signal

from hypothesis import HealthCheck, settings

# How fast an example is says how busy the machine is. What must be fast is measured by `bench`.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# Whoever runs the tests in the background of a script has Ctrl-C ignored, and children inherit that; here some are sent
# it, and have to mind.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

"""What holds for every test."""

from hypothesis import HealthCheck, settings

# How fast an example is says how busy the machine is. What must be fast is measured by `bench`.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

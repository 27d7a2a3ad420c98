"""chaoskit: play a bad day from one YAML file and learn which resource gives way first, and why."""

__version__ = "0.1.0"

"""Load: arrivals played by child processes under Locust, handed up as records (layer 5).

The runner's side is `chaoskit.load.processes`. Nothing is imported here, because the child (`chaoskit.load.child`)
must import Locust, which patches the process, before anything else.
"""

"""The Toxiproxy server of a run: which one it is, and its life: start, restart, stop. One file per kind."""

from chaoskit.faults.server.choice import CHOICE_VARIABLE, Choice, choose, start_server
from chaoskit.faults.server.contract import IMAGE, PROGRAM, Kind, ProxyServer

__all__ = ["CHOICE_VARIABLE", "IMAGE", "PROGRAM", "Choice", "Kind", "ProxyServer", "choose", "start_server"]

"""A locustfile that forgot its User."""

from locust import HttpUser, task

__all__ = ["HttpUser", "task"]

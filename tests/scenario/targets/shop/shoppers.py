"""A locustfile: people in the shop."""

import locust


class Shopper(locust.HttpUser):
    """Looks at the prices."""

    @locust.task
    def look(self) -> None:
        self.client.get("/prices")

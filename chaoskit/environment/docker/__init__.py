"""The docker driver: images, networks, volumes and containers of a run, all labelled, all taken away again."""

"""What the components of the built-in targets share: resources that can run out, their metrics, and lines over TCP."""

"""HTTP: the API, the event stream, the pages. The only part of this package that knows FastAPI."""

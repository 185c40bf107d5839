"""HTTP: the application, its health, and the server."""

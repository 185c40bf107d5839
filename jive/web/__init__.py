"""HTTP: the application, its health, and the server that runs it."""

"""Korea Investment & Securities Open API: REST, WebSocket, codec."""

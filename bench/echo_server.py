"""An echo server with the official Python SDK, unsandboxed: what porta serve is measured beside. With a port, by HTTP."""

import sys

from mcp.server import MCPServer

server = MCPServer("echo")


@server.tool()
def echo(text: str) -> str:
    return text


if len(sys.argv) > 1:
    server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]), stateless_http=True, json_response=True)
else:
    server.run("stdio")

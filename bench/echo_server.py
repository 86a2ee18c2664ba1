"""An echo server with the official Python SDK, unsandboxed: what porta serve is measured beside."""

from mcp.server import MCPServer

server = MCPServer("echo")


@server.tool()
def echo(text: str) -> str:
    return text


server.run("stdio")

"""A session of the official Python client: client.py MODE URL|COMMAND ARGUMENT... (as client.mjs)."""

import json
import sys

import anyio
import mcp
from mcp import types


async def elicit(context, params):
    return types.ElicitResult(action="accept", content={"name": "Alice", "username": "a", "email": "b"})


async def sample(context, params):
    return types.CreateMessageResult(role="assistant", model="m", content=types.TextContent(type="text", text="Paris"))


async def roots(context):
    return types.ListRootsResult(roots=[types.Root(uri="file:///x")])


def text(result):
    return ",".join(getattr(block, "text", block.type) for block in result.content)


async def main():
    mode, target, *arguments = sys.argv[1:]
    server = target if target.startswith("http") else mcp.StdioServerParameters(command=target, args=arguments)
    progress = []

    async def on_progress(value, total, message):
        progress.append(value)

    async with mcp.Client(server, mode=mode, elicitation_callback=elicit, sampling_callback=sample,
                          list_roots_callback=roots, read_timeout_seconds=30) as client:
        heard = {
            "server": client.server_info.name,
            "version": client.protocol_version,
            "tools": len((await client.list_tools()).tools),
            "resources": len((await client.list_resources()).resources),
            "prompts": len((await client.list_prompts()).prompts),
            "text": text(await client.call_tool("test_simple_text", {})),
            "structured": (await client.call_tool("test_structured", {})).structured_content,
            "error": (await client.call_tool("test_error_handling", {})).is_error,
            "read": (await client.read_resource("test://static-text")).contents[0].text,
            "prompt": (await client.get_prompt("test_prompt_with_arguments", {"arg1": "a", "arg2": "b"})).messages[0].content.text,
            "completion": (await client.complete(types.PromptReference(type="ref/prompt", name="test_prompt_with_arguments"),
                                                 {"name": "arg1", "value": "par"})).completion.values,
            "elicited": text(await client.call_tool("test_input_required_result_elicitation", {})),
            "sampled": text(await client.call_tool("test_sampling", {"prompt": "?"})),
        }
        await client.call_tool("test_tool_with_progress", {}, progress_callback=on_progress)
    heard["progress"] = progress
    print(json.dumps(heard))


anyio.run(main)

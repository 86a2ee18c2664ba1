"""Whether messages keep to the official schemas: validate.py FILE, of [version, kind, method, message] as JSON lines.

The models are the official Python package's, made from the schemas of 2025-11-25 and 2026-07-28. Prints what does not keep.
"""

import json
import sys

import mcp_types
from mcp_types import methods


def check(version, kind, method, message):
    assert message["jsonrpc"] == "2.0" and set(message) <= {"jsonrpc", "id", "method", "params", "result", "error"}
    if kind == "notification":
        assert "id" not in message
        methods.parse_server_notification(method, version, message.get("params"))
    elif kind == "request":
        methods.parse_server_request(method, version, message.get("params"))
    elif "error" in message:
        mcp_types.ErrorData.model_validate(message["error"])
        assert isinstance(message["error"]["code"], int) and "result" not in message
    else:
        methods.validate_server_result(method, version, message["result"])


def main():
    count = 0
    with open(sys.argv[1], encoding="utf-8") as file:
        for line in file:
            item = json.loads(line)
            count += 1
            try:
                check(*item)
            except Exception as error:  # whatever it is, it is told
                print(f"{item}\n    {type(error).__name__}: {error}")
    print(f"{count} messages")


main()

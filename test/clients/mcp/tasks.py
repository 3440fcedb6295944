"""Runs the tasks of tasks.json with the official Python client, and judges each. Called by run.ts with what it needs."""

import asyncio
import json
import re
import sys
from contextlib import AsyncExitStack
from importlib.metadata import version

from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client


def value_at(value, path):
    for index, part in enumerate(path):
        if part == "*":
            return [value_at(each, path[index + 1 :]) for each in value]
        if isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = (value or {}).get(part)
    return value


def filled(value, known):
    if isinstance(value, str):
        name = re.fullmatch(r"\{\{(.+)\}\}", value)
        return known[name.group(1)] if name else value
    if isinstance(value, list):
        return [filled(each, known) for each in value]
    if isinstance(value, dict):
        return {field: filled(each, known) for field, each in value.items()}
    return value


def judge(answer, expected):
    at = expected["at"]
    value = value_at(answer, at.split("."))
    right = (
        ("is" not in expected or value == expected["is"])
        and ("has" not in expected or expected["has"] in value)
        and ("lacks" not in expected or expected["lacks"] not in value)
        and ("length" not in expected or len(value) == expected["length"])
        and ("matches" not in expected or re.search(expected["matches"], str(value)) is not None)
        and (not expected.get("falsy") or not value)
        and ("above" not in expected or value > value_at(answer, expected["above"].split(".")))
    )
    if not right:
        raise AssertionError(f"{at} is {str(value)[:200]}, expected {str(expected)[:200]}")


async def run(given):
    async with AsyncExitStack() as stack:
        clients = {}
        for name, server in given["servers"].items():
            if isinstance(server, str):
                http = await stack.enter_async_context(create_mcp_http_client(headers={"Authorization": f"Bearer {given['key']}"}))
                target = streamable_http_client(server, http_client=http)
            else:
                target = StdioServerParameters(**server)
            clients[name] = await stack.enter_async_context(Client(target))
        right = 0
        for task in given["tasks"]:
            client = clients[task.get("on", "main")]
            known = dict(given["pictures"])
            try:
                for step in task["steps"]:
                    answer = await client.read_resource(step["read"]) if "read" in step else await client.call_tool(step["call"], filled(step["arguments"], known))
                    told = answer.model_dump(mode="json", by_alias=True)
                    for name, at in step.get("save", {}).items():
                        known[name] = value_at(told, at.split("."))
                    for expectation in step["expect"]:
                        judge(told, filled(expectation, known))
                right += 1
            except Exception as error:
                print(f"  wrong: {task['task']}: {str(error)[:300]}")
        kind = "HTTP" if isinstance(given["servers"]["main"], str) else "stdio"
        print(f"Python {version('mcp')}, {clients['main'].protocol_version}, {kind}: {right} of {len(given['tasks'])} right")


asyncio.run(run(json.load(open(sys.argv[1], encoding="utf-8"))))

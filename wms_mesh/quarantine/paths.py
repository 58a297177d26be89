"""JSON that is changed at one place and stays as it was elsewhere: numbers keep their digits, texts their letters."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

# How Debezium writes the record, and the document inside it. A document's id is compared as text, so spaces count.
ENVELOPE = (",", ":")
DOCUMENT = (",", ": ")

Path = tuple[str, ...]
Container = dict[str, Any] | list[Any]


class MisfitError(Exception):
    """A step that does not fit a record: the record stays in the quarantine, and the others go on."""


class Number(str):
    """A number as it was written: 0.10 stays 0.10, and what 64 bits cannot hold stays whole."""

    __slots__ = ()


def parse(text: str, what: str) -> Any:
    """The value of a JSON text; NaN and Infinity pass, as MongoDB's documents have them. Raises MisfitError."""
    try:
        return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=Number)
    except (ValueError, RecursionError) as error:
        raise MisfitError(f"{what} is not JSON ({error})") from None


def write(value: Any, separators: tuple[str, str] = ENVELOPE) -> str:
    """The inverse of ``parse``. Raises RecursionError for some hundred levels."""
    comma, colon = separators
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        parts = [
            f"{json.dumps(name, ensure_ascii=False)}{colon}{write(part, separators)}" for name, part in value.items()
        ]
        return "{" + comma.join(parts) + "}"
    if isinstance(value, list):
        return "[" + comma.join([write(part, separators) for part in value]) + "]"
    return json.dumps(value, ensure_ascii=False)


def look_up(node: Any, path: Path) -> Any:
    """What stands at a path. Raises MisfitError when nothing does."""
    for depth, name in enumerate(path):
        node = _opened(node, path[:depth])
        node = node[_existing(node, name, path[: depth + 1])]
    return node


def edit(node: Any, path: Path, change: Callable[[Container, Any], None], *, new: bool = False, depth: int = 0) -> Any:
    """``node`` after ``change`` was called with the last container on the path and the name or index in it.

    A path goes through a text that is JSON itself, as ``after`` is. new: the last name need not exist.
    Raises MisfitError.
    """
    opened = _opened(node, path[:depth])
    is_last = depth == len(path) - 1
    if is_last and new and isinstance(opened, dict):
        key: Any = path[depth]
    else:
        key = _existing(opened, path[depth], path[: depth + 1])
    if is_last:
        change(opened, key)
    else:
        opened[key] = edit(opened[key], path, change, new=new, depth=depth + 1)
    return write(opened, DOCUMENT) if opened is not node else node


def _opened(node: Any, path: Path) -> Any:
    what = ".".join(path) or "the whole"
    opened = parse(node, what) if isinstance(node, str) and not isinstance(node, Number) else node
    if not isinstance(opened, dict | list):
        raise MisfitError(f"{what} is neither an object nor a list")
    return opened


def _existing(node: Container, name: str, path: Path) -> str | int:
    if isinstance(node, dict) and name in node:
        return name
    if isinstance(node, list) and name.isdecimal() and int(name) < len(node):
        return int(name)
    raise MisfitError(f"there is no {'.'.join(path)}")

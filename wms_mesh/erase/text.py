"""SQL that finds and replaces a text in a value of any Trino type, at whatever depth."""

from __future__ import annotations

import re


def fields(kind: str) -> list[tuple[str, str]]:
    """The fields of ``row(sku varchar, dims row(a bigint))`` as (name, type)."""
    parts, depth, start = [], 0, len("row(")
    for place in range(start, len(kind)):
        letter = kind[place]
        if letter in ",)" and depth == 0:
            parts.append(kind[start:place].strip())
            start = place + 1
        depth += (letter == "(") - (letter == ")")
    return [(name, rest) for name, _, rest in (part.partition(" ") for part in parts)]


def found(value: str, kind: str, texts: list[str], depth: int = 0) -> str | None:
    """A condition that holds when one of the texts stands somewhere in ``value``; None for a type without text."""
    item = f"v{depth}"
    if kind.startswith("varchar"):
        return "(" + " or ".join(f"strpos({value}, {quoted(text)}) > 0" for text in texts) + ")"
    if kind == "varbinary":
        return found(f"from_utf8({value})", "varchar", texts)
    if kind.startswith("array("):
        inner = found(item, kind[len("array(") : -1], texts, depth + 1)
        return inner and f"any_match({value}, {item} -> coalesce({inner}, false))"
    if kind.startswith("map("):
        _, inner_kind = fields("row(key " + kind[len("map(") :].replace(",", ", value", 1))
        return found(f"map_values({value})", f"array({inner_kind[1]})", texts, depth)
    if kind.startswith("row("):
        inners = [found(f"{value}.{name}", inner, texts, depth) for name, inner in fields(kind)]
        some = [f"coalesce({inner}, false)" for inner in inners if inner]
        return "(" + " or ".join(some) + ")" if some else None
    return None


def replaced(value: str, kind: str, text: str, other: str, depth: int = 0) -> str | None:
    """The value with every occurrence of ``text`` replaced; None for a type without text (bytes stay as they are)."""
    item = f"v{depth}"
    if kind.startswith("varchar"):
        return f"replace({value}, {quoted(text)}, {quoted(other)})"
    if kind.startswith("array("):
        inner = replaced(item, kind[len("array(") : -1], text, other, depth + 1)
        return inner and f"transform({value}, {item} -> {inner})"
    if kind.startswith("row("):
        inners = [
            (f"{value}.{name}", replaced(f"{value}.{name}", inner, text, other, depth)) for name, inner in fields(kind)
        ]
        if not any(inner for _, inner in inners):
            return None
        return f"if({value} is not null, cast(row({', '.join(inner or plain for plain, inner in inners)}) as {kind}))"
    return None


def quoted(text: str) -> str:
    """A SQL string."""
    return "'" + text.replace("'", "''") + "'"


def is_identifier(text: str) -> bool:
    """Whether a text can be searched for as an id: long enough to stand for one thing only."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.:-]{5,99}", text) is not None

"""What a mapping file can do to a record. Every step is strict: where it does not fit, the record is not sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ingest.collections import CDC_PREFIX
from wms_mesh.quarantine.paths import DOCUMENT, Container, MisfitError, Number, Path, edit, look_up, parse, write
from wms_mesh.quarantine.records import Message

Step = Mapping[str, Any]
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_WHOLE = re.compile(r"(-?(?:0|[1-9]\d*))(?:\.0+)?")
CASTS = ("integer", "number", "text")


@dataclass(frozen=True)
class Operation:
    """One kind of step. others: its fields beside its own name, and which of them must be there."""

    apply: Callable[[Step, Message], Message]
    others: frozenset[str] = frozenset()
    needed: frozenset[str] = frozenset()


def _on_text(change: Callable[[Step, str], str]) -> Callable[[Step, Message], Message]:
    """An operation on the value, or on the key where the step says so."""

    def apply(step: Step, message: Message) -> Message:
        return _with(step, message, change(step, _text(_bytes(step, message), _part(step))).encode())

    return apply


def _on_json(change: Callable[[Step, Any], Any]) -> Callable[[Step, Message], Message]:
    """An operation on the JSON of it."""
    return _on_text(lambda step, text: write(change(step, parse(text, f"the {_part(step)}"))))


def _part(step: Step) -> str:
    return str(step.get("in", "value"))


def _bytes(step: Step, message: Message) -> bytes:
    content = message.key if _part(step) == "key" else message.value
    if content is None:
        raise MisfitError(f"the {_part(step)} is null")
    return content


def _with(step: Step, message: Message, content: bytes) -> Message:
    return replace(message, key=content) if _part(step) == "key" else replace(message, value=content)


def _text(content: bytes, what: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise MisfitError(f"the {what} is not UTF-8 ({error}): decode it first") from None


def path_of(given: str | list[str]) -> Path:
    """Names between dots, or a list of names for those that have dots themselves."""
    return tuple(given.split(".")) if isinstance(given, str) else tuple(given)


def _decode(step: Step, message: Message) -> Message:
    content = _bytes(step, message)
    try:
        return _with(step, message, content.decode(step["decode"]).encode())
    except UnicodeError as error:
        raise MisfitError(f"the {_part(step)} is not {step['decode']} ({error})") from None


def _replace(step: Step, text: str) -> str:
    if step["replace"] not in text:
        raise MisfitError(f"'{step['replace']}' does not occur")
    return text.replace(step["replace"], step["with"])


def _regex(step: Step, text: str) -> str:
    changed, count = re.subn(step["regex"], step["with"], text)
    if not count:
        raise MisfitError(f"nothing matches '{step['regex']}'")
    return changed


def _set(step: Step, whole: Any) -> Any:
    value = parse(step["json"], "json") if "json" in step else step["value"]

    def put(container: Container, key: Any) -> None:
        container[key] = value

    return edit(whole, path_of(step["set"]), put, new=True)


def _remove(step: Step, whole: Any) -> Any:
    def drop(container: Container, key: Any) -> None:
        del container[key]

    return edit(whole, path_of(step["remove"]), drop)


def _rename(step: Step, whole: Any) -> Any:
    def rename(container: Container, key: Any) -> None:
        if not isinstance(container, dict):
            raise MisfitError(f"{step['rename']} stands in a list, where nothing has a name")
        if step["to"] in container:
            raise MisfitError(f"there is a {step['to']} already")
        renamed = [(step["to"] if name == key else name, part) for name, part in container.items()]
        container.clear()
        container.update(renamed)

    return edit(whole, path_of(step["rename"]), rename)


def _cast(step: Step, whole: Any) -> Any:
    def cast(container: Container, key: Any) -> None:
        container[key] = _converted(container[key], step["to"])

    return edit(whole, path_of(step["cast"]), cast)


def _converted(value: Any, to: str) -> Any:
    if to == "text" and value is not None:
        return value if type(value) is str else write(value, DOCUMENT)
    found = (_WHOLE if to == "integer" else _NUMBER).fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise MisfitError(f"{write(value)[:80]} is no {to}")
    return Number(found[1] if to == "integer" else found[0])


def _unwrap(step: Step, text: str) -> str:
    """A text that stands there is what was wrapped; anything else becomes the text that it is."""
    found = look_up(parse(text, f"the {_part(step)}"), path_of(step["unwrap"]))
    return found if type(found) is str else write(found)


def _key(step: Step, message: Message) -> Message:
    return replace(message, key=step["key"].encode())


def _key_from(step: Step, message: Message) -> Message:
    """As the topic's writers make keys: of a change {"id": the _id as JSON text}, of an event the text itself."""
    content = _text(_bytes({}, message), "value")
    found = look_up(parse(content, "the value"), path_of(step["key_from"]))
    if message.topic.startswith(CDC_PREFIX):
        key = write({"id": write(found, DOCUMENT)})
    else:
        key = found if type(found) is str else write(found)
    return replace(message, key=key.encode())


_IN = frozenset({"in"})
OPERATIONS = {
    "set": Operation(_on_json(_set), _IN | {"value", "json"}),
    "remove": Operation(_on_json(_remove), _IN),
    "rename": Operation(_on_json(_rename), _IN | {"to"}, frozenset({"to"})),
    "cast": Operation(_on_json(_cast), _IN | {"to"}, frozenset({"to"})),
    "unwrap": Operation(_on_text(_unwrap), _IN),
    "replace": Operation(_on_text(_replace), _IN | {"with"}, frozenset({"with"})),
    "regex": Operation(_on_text(_regex), _IN | {"with"}, frozenset({"with"})),
    "decode": Operation(_decode, _IN),
    "key": Operation(_key),
    "key_from": Operation(_key_from),
}

"""The mapping file of a replay: TOML, a list of steps that are applied in their order. docs/runbooks/quarantine.md."""

from __future__ import annotations

import contextlib
import hashlib
import re
import tomllib
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any

from wms_mesh.errors import MeshError
from wms_mesh.quarantine.paths import MisfitError, parse
from wms_mesh.quarantine.records import Message
from wms_mesh.quarantine.steps import CASTS, OPERATIONS, Step

_PATHS = ("set", "remove", "rename", "cast", "unwrap", "key_from")


@dataclass(frozen=True)
class Mapping:
    """A mapping file as it was read. hash: SHA-256 of its bytes, in hexadecimal."""

    steps: tuple[Step, ...]
    hash: str

    def mend(self, message: Message) -> Message:
        """The message after all steps. Raises MisfitError, which names the step, when one does not fit."""
        for number, step in enumerate(self.steps, 1):
            try:
                message = OPERATIONS[_operation(step)].apply(step, message)
            except MisfitError as misfit:
                raise MisfitError(f"step {number}, {_operation(step)}: {misfit}") from None
            except RecursionError:
                raise MisfitError(f"step {number}, {_operation(step)}: it is nested too deep") from None
            except UnicodeEncodeError:
                raise MisfitError(f"step {number}, {_operation(step)}: half a surrogate pair is no UTF-8") from None
        return message

    @property
    def sets_one_key(self) -> bool:
        """Whether all records get the same key."""
        return any("key" in step for step in self.steps)


def read(path: Path) -> Mapping:
    """Read a mapping file. Raises MeshError, which names the step and what is wrong with it."""
    try:
        content = path.read_bytes()
        document = tomllib.loads(content.decode())
    except OSError as error:
        raise MeshError(f"The mapping file {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MeshError(f"The mapping file {path} is not TOML: {error}.") from error
    steps = document.get("step")
    if set(document) != {"step"} or not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise MeshError(f"The mapping file {path} must be a list of [[step]] and nothing else.")
    for number, step in enumerate(steps, 1):
        if fault := _fault(step):
            raise MeshError(f"Step {number} of {path} {fault}.")
    return Mapping(tuple(steps), hashlib.sha256(content).hexdigest())


def _operation(step: AnyMapping[str, Any]) -> str:
    return next(name for name in OPERATIONS if name in step)


def _fault(step: dict[str, Any]) -> str:
    """What is wrong with a step, as the end of a sentence; empty when nothing is."""
    named = [name for name in OPERATIONS if name in step]
    if len(named) != 1:
        return f"must have exactly one of {', '.join(OPERATIONS)}"
    [name] = named
    operation = OPERATIONS[name]
    if missing := sorted(operation.needed - set(step)):
        return f"({name}) lacks {', '.join(missing)}"
    if unknown := sorted(set(step) - operation.others - {name}):
        return f"({name}) has no use for {', '.join(unknown)}"
    if step.get("in", "value") not in ("value", "key"):
        return f"({name}) must say in = 'value' or in = 'key'"
    return _fault_of_text(name, step) or _fault_of_kind(name, step)


def _fault_of_text(name: str, step: dict[str, Any]) -> str:
    for field, content in step.items():
        is_path = field == name and name in _PATHS
        if is_path and isinstance(content, list) and content and all(isinstance(part, str) for part in content):
            continue
        if field != "value" and (not isinstance(content, str) or (field == name and not content)):
            return f"({name}) needs a text{' or a list of names' if is_path else ''} for {field}"
    return ""


def _fault_of_kind(name: str, step: dict[str, Any]) -> str:
    if name == "set":
        if ("value" in step) == ("json" in step):
            return "(set) must have either value or json"
        if _has_a_date(step.get("value")):
            return "(set) has a date for a value, which JSON does not know: write a text or a number"
    if name == "cast" and step["to"] not in CASTS:
        return f"(cast) must say to = one of {', '.join(CASTS)}"
    try:
        if "json" in step:
            parse(step["json"], "json")
        if name == "regex":
            re.sub(step["regex"], step["with"], "")
        if name == "decode":
            with contextlib.suppress(UnicodeError):  # it is a charset, only not this byte's
                b" ".decode(step["decode"])
    except (MisfitError, re.error, IndexError, LookupError) as error:
        return f"({name}) cannot be used: {error}"
    return ""


def _has_a_date(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_has_a_date, value.values() if isinstance(value, dict) else value))
    return isinstance(value, date | time)

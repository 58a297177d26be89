"""Mapping files: what each step does to a record, and what it must leave as it was."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from wms_mesh.errors import MeshError
from wms_mesh.quarantine import mending
from wms_mesh.quarantine.paths import MisfitError
from wms_mesh.quarantine.records import Message
from wms_mesh.quarantine.steps import OPERATIONS
from wms_mesh.stack import REPO

CHANGE, EVENT = "cdc.wms.orders", "wms.orders.events"
RUNBOOK = REPO / "docs" / "runbooks" / "quarantine.md"


@pytest.fixture
def mapping_file(tmp_path: Path) -> Path:
    return tmp_path / "mend.toml"


def mend(mapping_file: Path, steps: str, value: bytes | None, key: bytes | None = b"k", topic: str = EVENT) -> Message:
    mapping_file.write_text(steps, encoding="utf-8")
    return mending.read(mapping_file).mend(Message(topic, key, value))


STEPS = {
    "set a number": ("[[step]]\nset = 'a.b'\nvalue = 1", '{"a":{"b":"x"}}', '{"a":{"b":1}}'),
    "set a new field": ("[[step]]\nset = 'a.c'\nvalue = ['x']", '{"a":{"b":1}}', '{"a":{"b":1,"c":["x"]}}'),
    "set null": ("[[step]]\nset = 'a'\njson = 'null'", '{"a":1}', '{"a":null}'),
    "set in a list": ("[[step]]\nset = 'a.1.b'\nvalue = true", '{"a":[0,{}]}', '{"a":[0,{"b":true}]}'),
    "set a name with a dot": ("[[step]]\nset = ['a.b']\nvalue = 1", '{"a.b":0}', '{"a.b":1}'),
    "set in JSON inside JSON": (
        "[[step]]\nset = 'after.x'\nvalue = 2",
        '{"after":"{\\"_id\\": {\\"$oid\\": \\"65\\"},\\"x\\": NaN,\\"y\\": 1.50}"}',
        '{"after":"{\\"_id\\": {\\"$oid\\": \\"65\\"},\\"x\\": 2,\\"y\\": 1.50}"}',
    ),
    "remove": ("[[step]]\nremove = 'a.b'", '{"a":{"b":1,"c":2}}', '{"a":{"c":2}}'),
    "remove from a list": ("[[step]]\nremove = 'a.0'", '{"a":[1,2]}', '{"a":[2]}'),
    "rename in its place": ("[[step]]\nrename = 'a.b'\nto = 'z'", '{"a":{"b":1,"c":2}}', '{"a":{"z":1,"c":2}}'),
    "text to integer": ("[[step]]\ncast = 'a'\nto = 'integer'", '{"a":"1795443665329"}', '{"a":1795443665329}'),
    "fraction of nothing to integer": ("[[step]]\ncast = 'a'\nto = 'integer'", '{"a":7.00}', '{"a":7}'),
    "text to number": ("[[step]]\ncast = 'a'\nto = 'number'", '{"a":"12.50"}', '{"a":12.50}'),
    "number to text": ("[[step]]\ncast = 'a'\nto = 'text'", '{"a":0.10}', '{"a":"0.10"}'),
    "object to text": (
        "[[step]]\ncast = 'a'\nto = 'text'",
        '{"a":{"_id":1,"x":[2]}}',
        '{"a":"{\\"_id\\": 1,\\"x\\": [2]}"}',
    ),
    "unwrap an object": ("[[step]]\nunwrap = 'payload'", '{"schema":{},"payload":{"op":"c"}}', '{"op":"c"}'),
    "unwrap a text": ("[[step]]\nunwrap = 'payload'", '{"payload":"{\\"op\\": 1}"}', '{"op": 1}'),
    "replace": ("[[step]]\nreplace = 'NaN'\nwith = 'null'", '{"a":NaN, "b":NaN}', '{"a":null, "b":null}'),
    "regex": ('[[step]]\nregex = \'"a": *"(\\d+)"\'\nwith = \'"a":\\1\'', '{"a": "17"}', '{"a":17}'),
    "several, in their order": (
        "[[step]]\nrename = 'a'\nto = 'b'\n[[step]]\ncast = 'b'\nto = 'integer'",
        '{"a":"1"}',
        '{"b":1}',
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_step_does_something_else(name: str, mapping_file: Path) -> None:
    steps, before, after = STEPS[name]
    assert mend(mapping_file, steps, before.encode()) == Message(EVENT, b"k", after.encode())


def test_step_changes_what_it_was_not_told_to(mapping_file: Path) -> None:
    """Numbers beyond 64 bits and beyond a double, zeros at the end, letters that are not ASCII, an escaped NUL."""
    kept = '"n":123456789012345678901234567890,"f":0.10000000000000000001,"e":1E+400,"z":1.00,"t":"Ü漢😀\\u0000"'
    mended = mend(mapping_file, "[[step]]\nset = 'a'\nvalue = 1", f'{{{kept},"a":0}}'.encode())
    assert mended.value == f'{{{kept},"a":1}}'.encode()


@pytest.mark.parametrize(
    ("charset", "value"),
    [
        ("latin-1", b'{"a":"\xe4"}'),
        ("utf-8-sig", b'\xef\xbb\xbf{"a":"\xc3\xa4"}'),
        ("utf-16-le", '{"a":"ä"}'.encode("utf-16-le")),
    ],
)
def test_bytes_of_another_charset_stay_unreadable(charset: str, value: bytes, mapping_file: Path) -> None:
    assert mend(mapping_file, f"[[step]]\ndecode = '{charset}'", value).value == '{"a":"ä"}'.encode()


def test_step_for_the_key_changes_the_value(mapping_file: Path) -> None:
    wrapped = b'{"schema":{},"payload":{"id":"1"}}'
    mended = mend(mapping_file, "[[step]]\nunwrap = 'payload'\nin = 'key'", wrapped, key=wrapped)
    assert mended == Message(EVENT, b'{"id":"1"}', wrapped)


def test_tombstone_without_a_key_cannot_get_one(mapping_file: Path) -> None:
    assert mend(mapping_file, '[[step]]\nkey = \'{"id":"1"}\'', None, key=None).key == b'{"id":"1"}'


def test_key_from_the_document_is_not_debeziums(mapping_file: Path) -> None:
    """Bronze compares ids as text: a space more would be another document."""
    for sample in sorted((REPO / "tests" / "fixtures" / "cdc").glob("*.json")):
        for record in json.loads(sample.read_text(encoding="utf-8")):
            value = record["value_raw"]
            if value is None or json.loads(value)["after"] is None:
                continue
            mended = mend(mapping_file, "[[step]]\nkey_from = 'after._id'", value.encode(), key=None, topic=CHANGE)
            assert mended.key == record["key_raw"].encode(), sample.name
            break
        else:
            assert sample.name.startswith("delete"), "a sample without a document proves nothing"
    compound = b'{"after":"{\\"_id\\": {\\"w\\": \\"WH1\\",\\"s\\": 1},\\"v\\": 1}"}'
    mended = mend(mapping_file, "[[step]]\nkey_from = 'after._id'", compound, topic=CHANGE)
    assert mended.key == b'{"id":"{\\"w\\": \\"WH1\\",\\"s\\": 1}"}'


def test_key_of_an_event_is_wrapped_like_a_changes(mapping_file: Path) -> None:
    assert mend(mapping_file, "[[step]]\nkey_from = 'subject'", b'{"subject":"order/1"}').key == b"order/1"


MISFITS = {
    "no such field": ("[[step]]\nremove = 'b'", b'{"a":1}', "step 1, remove: there is no b"),
    "no such parent": ("[[step]]\nset = 'b.c'\nvalue = 1", b'{"a":1}', "there is no b"),
    "beyond the list": ("[[step]]\nset = 'a.2'\nvalue = 1", b'{"a":[1]}', "there is no a.2"),
    "below a number": ("[[step]]\nset = 'a.b'\nvalue = 1", b'{"a":1}', "a is neither an object nor a list"),
    "text that is no JSON": ("[[step]]\nset = 'a.b'\nvalue = 1", b'{"a":"x"}', "a is not JSON"),
    "not JSON": ("[[step]]\nremove = 'a'", b"{oops", "the value is not JSON"),
    "not UTF-8": ("[[step]]\nremove = 'a'", b"\xff", "not UTF-8"),
    "null": ("[[step]]\nremove = 'a'", None, "the value is null"),
    "too deep to write": (
        "[[step]]\nset = 'b'\nvalue = 1",
        b'{"a":' + b"[" * 700 + b"]" * 700 + b"}",
        "nested too deep",
    ),
    "too deep to read": ("[[step]]\nremove = 'a'", b'{"a":' * 10_000, "the value is not JSON"),
    "no match": ("[[step]]\nregex = 'x+'\nwith = ''", b"{}", "nothing matches"),
    "no occurrence": ("[[step]]\nreplace = 'x'\nwith = ''", b"{}", "does not occur"),
    "no integer": ("[[step]]\ncast = 'a'\nto = 'integer'", b'{"a":"1.5"}', '"1.5" is no integer'),
    "NaN is no number": ("[[step]]\ncast = 'a'\nto = 'number'", b'{"a":NaN}', "NaN is no number"),
    "null is no text": ("[[step]]\ncast = 'a'\nto = 'text'", b'{"a":null}', "null is no text"),
    "name is taken": ("[[step]]\nrename = 'a'\nto = 'b'", b'{"a":1,"b":2}', "there is a b already"),
    "other charset": ("[[step]]\ndecode = 'ascii'", b"\xe4", "the value is not ascii"),
    "half a surrogate pair": ("[[step]]\nset = 'b'\nvalue = 1", b'{"a":"\\ud800"}', "half a surrogate pair"),
}


@pytest.mark.parametrize("name", MISFITS)
def test_step_that_does_not_fit_is_passed_over(name: str, mapping_file: Path) -> None:
    steps, value, sentence = MISFITS[name]
    with pytest.raises(MisfitError, match=r"^step 1, ") as misfit:
        mend(mapping_file, steps, value)
    assert sentence in str(misfit.value)


FAULTS = {
    "not TOML": ("step = ", "is not TOML"),
    "other content": ("[mend]\nx = 1", "must be a list of [[step]] and nothing else"),
    "one table": ("[step]\nremove = 'a'", "must be a list of [[step]] and nothing else"),
    "unknown operation": ("[[step]]\ndelete = 'a'", "Step 1 of {file} must have exactly one of set, remove"),
    "two operations": ("[[step]]\nset = 'a'\nremove = 'a'", "must have exactly one of"),
    "second step": ("[[step]]\nremove = 'a'\n[[step]]\nrename = 'a'", "Step 2 of {file} (rename) lacks to"),
    "unknown field": ("[[step]]\nremove = 'a'\nvalue = 1", "(remove) has no use for value"),
    "no value": ("[[step]]\nset = 'a'", "(set) must have either value or json"),
    "two values": ("[[step]]\nset = 'a'\nvalue = 1\njson = '1'", "(set) must have either value or json"),
    "bad JSON": ("[[step]]\nset = 'a'\njson = '{'", "(set) cannot be used: json is not JSON"),
    "a date": ("[[step]]\nset = 'a'\nvalue = [2026-01-01]", "(set) has a date for a value"),
    "unknown type": ("[[step]]\ncast = 'a'\nto = 'float'", "must say to = one of integer, number, text"),
    "bad regex": ("[[step]]\nregex = '('\nwith = ''", "(regex) cannot be used"),
    "bad group": ("[[step]]\nregex = 'a'\nwith = '\\2'", "(regex) cannot be used"),
    "unknown charset": ("[[step]]\ndecode = 'utf-9'", "(decode) cannot be used"),
    "no charset": ("[[step]]\ndecode = 'base64'", "(decode) cannot be used"),
    "number for a text": ("[[step]]\nkey = 7", "(key) needs a text for key"),
    "empty path": ("[[step]]\nremove = []", "(remove) needs a text or a list of names for remove"),
    "unknown part": ("[[step]]\nremove = 'a'\nin = 'header'", "must say in = 'value' or in = 'key'"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_bad_mapping_file_gives_a_traceback(name: str, mapping_file: Path) -> None:
    text, sentence = FAULTS[name]
    mapping_file.write_text(text, encoding="utf-8")
    with pytest.raises(MeshError) as error:
        mending.read(mapping_file)
    assert sentence.format(file=mapping_file) in str(error.value)
    assert str(error.value).endswith(".")


def test_missing_mapping_file_gives_a_traceback(mapping_file: Path) -> None:
    with pytest.raises(MeshError, match=r"cannot be read: No such file"):
        mending.read(mapping_file)


def test_runbook_shows_a_step_that_cannot_be_used(mapping_file: Path) -> None:
    text = RUNBOOK.read_text(encoding="utf-8")
    [example] = re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)
    mapping_file.write_text(example, encoding="utf-8")
    assert len(mending.read(mapping_file).steps) == 2
    rows = [
        re.findall(r"`([^`]+)`", row.split("|")[1])
        for row in text.splitlines()
        if row.startswith("| `") and " = " in row
    ]
    assert {row[0].split(" ")[0] for row in rows} == set(OPERATIONS)
    for name, *others in rows:
        mapping_file.write_text("\n".join(["[[step]]", name, *others[:1]]), encoding="utf-8")
        assert mending.read(mapping_file).steps, name

"""``./mesh sql``: statements to the embedded Trino, results as a table, CSV or JSON lines."""

from __future__ import annotations

import contextlib
import csv
import json
import re
import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

import requests
import trino
from rich.console import Console
from rich.table import Table

from wms_mesh.access import client
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

# A ';' outside of quotes, identifiers and comments ends a statement.
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|;", re.DOTALL)


class Format(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"

    @classmethod
    def _missing_(cls, value: object) -> Format:
        raise MeshError(f"There is no format '{value}': choose table, csv or json.")


@contextlib.contextmanager
def connect(stack: Stack, user: str | None = None, **session: str) -> Iterator[trino.dbapi.Connection]:
    """A DB-API connection to the stack's Trino; ``session`` sets session properties.

    user: through whose eyes; the command line's own when it is None.
    Raises MeshError when nothing answers, or when a statement fails.
    """
    connection = trino.dbapi.connect(  # type: ignore[no-untyped-call]
        **client.arguments(stack, user), catalog="iceberg", session_properties=session
    )
    try:
        yield connection
    except (requests.ConnectionError, trino.exceptions.TrinoConnectionError) as error:
        raise MeshError(
            f"Trino does not answer on {stack.url('trino')}: `./mesh up` starts it, `./mesh status` shows it."
        ) from error
    except trino.exceptions.TrinoQueryError as error:
        raise MeshError(f"Trino says: {error.message}") from error
    finally:
        connection.close()


def alchemy(stack: Stack) -> dict[str, Any]:
    """The same connection for SQLAlchemy: ``connection_string``, and ``kwargs`` of its ``create_engine``."""
    login = client.arguments(stack)
    address = f"trino://{login.pop('user')}@{login.pop('host')}:{login.pop('port')}/iceberg/silver"
    return {"connection_string": address, "kwargs": {"connect_args": login}}


def query(
    stack: Stack, statement: str, parameters: Sequence[Any] = (), user: str | None = None, **session: str
) -> list[list[Any]]:
    """All rows of one statement; ``parameters`` take the places of its question marks. user: as in ``connect``."""
    with connect(stack, user, **session) as connection:
        return [list(row) for row in connection.cursor().execute(statement, list(parameters)).fetchall()]


def statements(text: str) -> list[str]:
    """The statements of a text, without the semicolons between them."""
    parts, start = [], 0
    for token in _TOKEN.finditer(text):
        if token.group() == ";":
            parts.append(text[start : token.start()])
            start = token.end()
    parts.append(text[start:])
    return [part.strip() for part in parts if re.sub(r"--[^\n]*|/\*.*?\*/", "", part, flags=re.DOTALL).strip()]


def run(stack: Stack, text: str | None, output: Format, user: str | None = None) -> None:
    """Run the statements of ``text``, or of a prompt when it is None, and print their rows."""
    if text is None:
        _prompt(stack, output, user)
        return
    for statement in statements(text):
        _run_one(stack, statement, output, user)


def _run_one(stack: Stack, statement: str, output: Format, user: str | None) -> None:
    with connect(stack, user) as connection:
        cursor = connection.cursor()
        rows = cursor.execute(statement).fetchall()
        columns = [column[0] for column in cursor.description or []]
    _PRINTERS[output](columns, rows)


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    # Without a terminal rich assumes 80 columns and folds values that a script wants whole.
    console = Console() if sys.stdout.isatty() else Console(width=2000)
    console.print(table)


def _csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(columns)
    writer.writerows(rows)


def _json(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    for row in rows:
        print(json.dumps(dict(zip(columns, row, strict=True)), default=str, ensure_ascii=False))


_PRINTERS = {Format.TABLE: _table, Format.CSV: _csv, Format.JSON: _json}


def _prompt(stack: Stack, output: Format, user: str | None) -> None:
    console = Console()
    console.print("Trino SQL. End a statement with ';'. Ctrl-D leaves.", style="dim")
    buffer = ""
    while True:
        try:
            buffer += input("  ...> " if buffer else "mesh> ") + "\n"
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print()
            buffer = ""
            continue
        if not buffer.rstrip().endswith(";"):
            continue
        try:
            run(stack, buffer, output, user)
        except MeshError as error:
            console.print(f"[red]{error}[/red]", highlight=False)
        buffer = ""

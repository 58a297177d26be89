"""Splitting statements: a ';' inside a string, an identifier or a comment ends nothing."""

from __future__ import annotations

from wms_mesh.sql import statements


def test_semicolon_inside_quotes_or_comments_splits_a_statement() -> None:
    text = """
    select ';' as a, "b;c" from t; -- a comment; with one
    /* another; */ select 'it''s; fine';
    ;
    -- only a comment
    """
    assert statements(text) == [
        """select ';' as a, "b;c" from t""",
        """-- a comment; with one
    /* another; */ select 'it''s; fine'""",
    ]

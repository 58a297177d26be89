"""Which metrics a PromQL expression reads."""

from __future__ import annotations

import re

# What is no name of a metric: texts, label matchers, ranges, and the labels that clauses list.
_TEXTS = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_MATCHERS = re.compile(r"\{[^}]*\}")
_RANGES = re.compile(r"\[[^\]]*\]")
_CLAUSES = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_WORD = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\(|[a-zA-Z0-9_:])")
_KEYWORDS = frozenset(("and", "or", "unless", "bool", "offset", "atan2", "inf", "nan"))
_NUMBERS = re.compile(r"(?<![\w:.])\d[\w.]*")  # 15, 0.8, 1e9, 5m


def metrics(expression: str) -> frozenset[str]:
    """The names of metrics; Grafana's variables must have values beforehand."""
    for noise in (_TEXTS, _MATCHERS, _RANGES, _CLAUSES, _NUMBERS):
        expression = noise.sub(" ", expression)
    return frozenset(word for word in _WORD.findall(expression) if word.lower() not in _KEYWORDS)

"""The page's colours by what they mean, on light and on dark ground; the contrast is a test's business.

Plots are drawn with the light ones, which the page then replaces by its variables, so that they follow the reader's.
"""

from __future__ import annotations

LIGHT = {
    "ground": "#f3f5f7",
    "surface": "#ffffff",
    "ink": "#1c2127",
    "muted": "#56606b",
    "line": "#d9dee4",
    "series": "#2a68ad",
    "good": "#1b7a49",
    "bad": "#bf362c",
    "warn": "#a66300",
    "rest": "#79838e",
    "step-1": "#153f6e",
    "step-2": "#2b66a8",
    "step-3": "#5f97d3",
}
DARK = {
    "ground": "#101418",
    "surface": "#1a2027",
    "ink": "#e8ecf0",
    "muted": "#a5b0bb",
    "line": "#38414b",
    "series": "#6aa7ea",
    "good": "#4ec48c",
    "bad": "#f37f74",
    "warn": "#e2a548",
    "rest": "#808b97",
    "step-1": "#b5d6fa",
    "step-2": "#78aeec",
    "step-3": "#4680c2",
}

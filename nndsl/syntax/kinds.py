"""Sets of token kinds that several steps of the parser share."""

from __future__ import annotations

CLOSERS = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
OPENERS = {closer: opener for opener, closer in CLOSERS.items()}

# Words that begin a statement: those that a name follows, and those that a body follows.
NAMED = frozenset(
    (
        *("MODEL", "BLOCK", "LAYER", "PARAM", "INPUT", "SHARED", "OUTPUT", "PENALTY"),
        *("TRAINABLE", "STATE", "UPDATE", "SUBMODEL", "SOURCE"),
    )
)
BODIED = frozenset(("TRAIN", "DATA", "OPTIONS"))
DEFINING = BODIED | {"MODEL", "BLOCK", "LAYER"}  # `{` opens their body
HEADS = NAMED | BODIED | {"FROM", "IMPORT"}

STARTS_VALUE = frozenset(("NAME", "INT", "FLOAT", "STRING", "LPAR", "LSQB", "SIGN"))
ENDS_VALUE = frozenset(("NAME", "INT", "FLOAT", "STRING", "RPAR", "RSQB", "RBRACE"))

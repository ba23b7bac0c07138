"""Where parsing failed: the token that does not fit and what stands around it, with ways to report it."""

from __future__ import annotations

from typing import Any

from nndsl.syntax.lexer import Token
from nndsl.syntax.reports import Reports


class Failure:
    """The token that does not fit (`bad`), and what stands around it in its statement."""

    def __init__(self, reports: Reports, tokens: list[Token], begin: int, at: int, expected: set[str]) -> None:
        self.reports = reports
        self.expected = expected
        self.bad = tokens[at]
        self.first = tokens[begin + 1]
        self.is_first = at == begin + 1
        self.previous = tokens[at - 1]
        self.next = tokens[at + 1] if at + 1 < len(tokens) else tokens[at]
        self.before = tokens[begin + 1 : at]
        self.rest = tokens[at : max(tokens[begin].match, at)]  # the bad token and what follows it in its statement
        self.is_end = self.bad.type == "END"
        self.opener, self.callee = self._bracket()
        braces = sum((t.type == "LBRACE") - (t.type == "RBRACE") for t in tokens[:begin])
        around = self._opening(tokens, begin) if braces > 0 else []
        self.in_arm = any(t.type in ("BRANCH", "REPEAT") for t in around)
        self.in_section = any(t.type in ("TRAIN", "OPTIONS", "DATA") for t in around)
        self.is_at_top = braces == 0

    def _bracket(self) -> tuple[Token | None, Token | None]:
        """The innermost bracket that is open at the bad token, and the name that it calls."""
        stack: list[int] = []
        for place, token in enumerate(self.before):
            if token.type in ("LPAR", "LSQB", "LBRACE"):
                stack.append(place)
            elif token.type in ("RPAR", "RSQB", "RBRACE") and stack:
                stack.pop()
        if not stack:
            return None, None
        place = stack[-1]
        opener = self.before[place]
        caller = self.before[place - 1] if place else None
        is_call = opener.type == "LPAR" and caller is not None and caller.type == "NAME" and caller.end == opener.start
        return opener, caller if is_call else None

    @staticmethod
    def _opening(tokens: list[Token], begin: int) -> list[Token]:
        """The few tokens before the brace that encloses the statement."""
        depth = 0
        for place in range(begin - 1, -1, -1):
            kind = tokens[place].type
            depth += (kind == "RBRACE") - (kind == "LBRACE")
            if depth < 0:
                start = place
                while start > 0 and tokens[start - 1].type not in ("BEGIN", "ARROW"):
                    start -= 1
                return tokens[start:place]
        return []

    def text(self, start: int, end: int) -> str:
        """What the file has between two places."""
        return self.reports.file.text[start:end]

    def say(
        self, code: str, message: str, token: Token, label: str = "", *, help: str, fix: str = "", **more: Any
    ) -> bool:
        """Report at a token; `fix` is what to write in its place."""
        if fix:
            more["fixes"] = self.reports.fix(f"write `{fix}`", (token.start, token.end, fix))
        self.reports.error(code, message, token.start, max(token.end, token.start), label, help=help, **more)
        return True

    def insert(self, code: str, message: str, token: Token, label: str, text: str, *, help: str) -> bool:
        """Report at a token before which `text` is missing."""
        at = self.previous.end
        shown = text.strip()
        fixes = self.reports.fix(f"put a `{shown}`" if shown else "put a space", (at, at, text))
        self.reports.error(code, message, token.start, token.end, label, help=help, fixes=fixes)
        return True

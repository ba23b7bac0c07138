"""Where statements begin and end: line breaks, `;` and brackets become BEGIN and END around every statement.

It runs over the whole file before anything is parsed, so that one broken statement cannot unsettle the next: the parser
never has to guess where to go on. Brackets that do not match are reported here and closed where the writer most likely
meant it: at the next line that looks like a statement and is indented no deeper than the broken one.
"""

from __future__ import annotations

from nndsl.syntax import bracket_errors as errors
from nndsl.syntax.bracket_errors import DEEPEST_BRACKETS, DEEPEST_EXPRESSION
from nndsl.syntax.brackets import looks_like_statement, pair_brackets
from nndsl.syntax.kinds import CLOSERS, DEFINING, ENDS_VALUE, HEADS, OPENERS
from nndsl.syntax.lexer import Token
from nndsl.syntax.reports import Reports

_OPERATORS = frozenset(("SIGN", "FACTOR", "POWER", "COMPARE", "DOTS", "DOT", "AND", "OR", "NOT", "IF"))
_SEPARATORS = frozenset(("COMMA", "ARROW", "EQUAL"))
# A line that ends in one of these goes on in the next.
_OPEN_ENDED = (_OPERATORS | _SEPARATORS | {"COLON", "ELSE", "IN"}) - {"DOT"}


class _Frame:
    """An open bracket, or the file itself (`opener` None)."""

    __slots__ = ("begin", "deepest", "indent", "is_braces", "line_indent", "nested", "opener", "operators")

    def __init__(self, opener: Token | None, is_braces: bool, indent: int, line_indent: int) -> None:
        self.opener = opener
        self.is_braces = is_braces
        self.indent = indent  # of the first line of the statement that holds the bracket
        self.line_indent = line_indent  # of the line that holds the bracket
        self.begin: Token | None = None  # the open statement's BEGIN (braces only)
        self.operators = 0  # in the expression at hand,
        self.nested = 0  # how deep the deepest bracket in it is,
        self.deepest = 0  # and how deep the expressions before it were


class Layout:
    """One pass over the tokens of a file; `run` gives them laid out."""

    def __init__(self, reports: Reports, tokens: list[Token]) -> None:
        self.reports = reports
        self.tokens = tokens
        self.out: list[Token] = []
        self.frames = [_Frame(None, True, -1, -1)]
        self.broken: set[int] = set()  # where the BEGIN of a statement stands that is not to be parsed at all
        self.line_indent = 0
        self.brackets = pair_brackets(tokens)
        self.missing_braces = self.brackets.missing_braces
        self.surplus_braces = self.brackets.surplus_braces

    # ------------------------------------------------------------------------------------------ the pass

    def run(self) -> list[Token]:
        tokens, frames = self.tokens, self.frames
        count = len(tokens)
        at = 0
        while at < count:
            token = tokens[at]
            kind = token.type
            frame = frames[-1]
            if token.indent >= 0:
                self.line_indent = token.indent
                self._line_starts(at, token)
                frame = frames[-1]
            elif kind in HEADS and frame.begin is not None and self._lacks_break(at, token):
                self._end_statement(frame)
            if kind in OPENERS:
                self._close(token)
            elif frame.is_braces and kind == "SEMICOLON":
                self._end_statement(frame)
            elif kind == "SEMICOLON" and frame.opener is not None and frame.opener.start in self.brackets.unpaired:
                self._close_unclosed(token)
                self._end_statement(frames[-1])
            else:
                if frame.is_braces and frame.begin is None:
                    self._begin_statement(frame, token)
                self.out.append(token)
                if kind in CLOSERS:
                    if len(frames) > DEEPEST_BRACKETS:
                        at = self._skip_too_deep(at, token)
                    else:
                        self._open(token, frame)
                elif kind in _OPERATORS:
                    self._count(frame, token)
                elif kind in _SEPARATORS:
                    frame.deepest = max(frame.deepest, frame.operators + frame.nested)
                    frame.operators = frame.nested = 0
            at += 1
        self._finish()
        return self.out

    def _begin_statement(self, frame: _Frame, token: Token) -> None:
        frame.begin = begin = Token("BEGIN", "", token.start, token.start, self.line_indent)
        begin.match = len(self.out)  # its own place until its END is known
        frame.operators = frame.nested = frame.deepest = 0
        self.out.append(begin)

    def _end_statement(self, frame: _Frame) -> None:
        begin = frame.begin
        if begin is not None:
            begin.match = len(self.out)
            end = self.out[-1].end
            self.out.append(Token("END", "", end, end))
            frame.begin = None

    def _open(self, token: Token, frame: _Frame) -> None:
        if token.type == "LSQB":
            self._count(frame, token)  # a subscript is one level more
        self.frames.append(_Frame(token, token.type == "LBRACE", self._statement().indent, self.line_indent))

    def _pop(self, closer: Token) -> None:
        frame = self.frames.pop()
        depth = max(frame.deepest, frame.operators + frame.nested) + 1
        outer = self.frames[-1]
        if depth > outer.nested:
            before = outer.operators + outer.nested
            outer.nested = depth
            if before < DEEPEST_EXPRESSION <= outer.operators + depth:
                self._too_deep(closer)
        self.out.append(closer)

    def _statement(self) -> Token:
        """The BEGIN of the innermost open statement."""
        return next(frame.begin for frame in reversed(self.frames) if frame.begin is not None)

    def _finish(self) -> None:
        last = self.tokens[-1] if self.tokens else Token("$END", "", 0, 0)
        end = Token("$END", "", last.end, last.end)
        while len(self.frames) > 1:
            self._close_unclosed(end)
            if len(self.frames) > 1:
                self._close_brace_early(end)
        self._end_statement(self.frames[0])
        self.out.append(end)

    # ------------------------------------------------------------------------------------------ new lines

    def _line_starts(self, at: int, token: Token) -> None:
        """Decide what a new line means: an end of the statement, a bracket that was left open, or nothing."""
        frame = self.frames[-1]
        looks = looks_like_statement(self.tokens, at, self.brackets)
        if not frame.is_braces:
            if not looks or not self._breaks_out(at, token, frame, looks):
                return
            self._close_unclosed(token)
            frame = self.frames[-1]
        self._close_forgotten_braces(token, bool(looks))
        frame = self.frames[-1]
        if frame.begin is None or not frame.is_braces:
            return
        kind = token.type
        previous = self.out[-1].type
        if kind == "ARROW" or kind == "WITH":
            return
        if kind == "LBRACE" and self._head(frame).type in DEFINING and previous != "RBRACE":
            errors.brace_on_next_line(self.reports, token, self.out[-1])
            return
        if previous in _OPEN_ENDED and not (looks and self._is_new_in_spite_of(at, token, previous, looks, frame)):
            return
        self._end_statement(frame)

    def _head(self, frame: _Frame) -> Token:
        assert frame.begin is not None
        return self.out[frame.begin.match + 1]

    def _breaks_out(self, at: int, token: Token, frame: _Frame, looks: str) -> bool:
        """Whether a line inside ( ) or [ ] begins a new statement all the same."""
        assert frame.opener is not None
        if token.indent > frame.indent:
            return False
        if frame.opener.start in self.brackets.unpaired or looks == "keyword":
            return True
        previous = self.out[-1].type
        return token.type == "NAME" and previous in ENDS_VALUE and self.tokens[at + 1].type == "EQUAL"

    def _is_new_in_spite_of(self, at: int, token: Token, previous: str, looks: str, frame: _Frame) -> bool:
        """Whether a line is a statement though the one before ended in `->`, `,` or an operator."""
        after = self.tokens[at + 1]
        if looks == "keyword" or token.type == "LPAR":
            return looks == "keyword"
        if after.type != "EQUAL":
            return False
        if previous != "COMMA":
            return True
        # After a comma `NAME =` may be one more option of `with`; no option has a flow for its value.
        if frame.begin is None or token.indent > frame.begin.indent:
            return False
        for later in self.tokens[at + 2 : at + 40]:
            if later.indent >= 0 and later.type != "ARROW":
                return False
            if later.type == "ARROW":
                return True
        return False

    def _lacks_break(self, at: int, token: Token) -> bool:
        """Whether a statement begins in the middle of a line; if so, say that a `;` is missing."""
        previous = self.out[-1]
        begin = self.frames[-1].begin
        assert begin is not None
        if previous.type not in ENDS_VALUE or len(self.out) - begin.match < 3:
            return False
        if looks_like_statement(self.tokens, at, self.brackets) != "keyword" or token.type == "IMPORT":
            return False
        if not self.reports.blamed(begin.start, token.start):
            errors.missing_break(self.reports, token, previous)
        return True

    # ------------------------------------------------------------------------------------------ brackets

    def _close(self, token: Token) -> None:
        """A closing bracket: of the innermost open one, or not."""
        kind = token.type
        frame = self.frames[-1]
        if kind == "RBRACE":
            if not any(frame.is_braces for frame in self.frames[1:]):
                self._stray(token)
                return
            if not frame.is_braces:
                self._close_unclosed(token)
                frame = self.frames[-1]
            if self.surplus_braces and token.indent > frame.line_indent:
                self.surplus_braces -= 1
                self._stray(token)
                return
            self._end_statement(frame)
            self._pop(token)
            return
        if frame.is_braces:
            self._stray(token)
            return
        opener = frame.opener
        assert opener is not None
        if opener.type == OPENERS[kind]:
            self._pop(token)
            return
        outer = self.frames[-2].opener
        if not self.frames[-2].is_braces and outer is not None and outer.type == OPENERS[kind]:
            self._report_unclosed(opener, token)
            self._pop(Token(CLOSERS[opener.type], "", token.start, token.start))
            self._pop(token)
            return
        self._pop(errors.wrong_closer(self.reports, opener, token))

    def _stray(self, token: Token) -> None:
        frame = self.frames[-1]
        start = frame.begin.start if frame.begin is not None else token.start
        if not self.reports.blamed(start, token.start):
            errors.stray(self.reports, token)

    def _report_unclosed(self, opener: Token, stop: Token) -> None:
        if opener.type != "LBRACE" and self.reports.blamed(self._statement().start, stop.start):
            return
        last = next((token for token in reversed(self.out[-8:]) if token.end > token.start), opener)
        errors.unclosed(self.reports, opener, stop, last)

    def _close_unclosed(self, stop: Token) -> None:
        """Close the ( and [ that are open up to the innermost { : the statement ends before `stop`."""
        while not self.frames[-1].is_braces:
            opener = self.frames[-1].opener
            assert opener is not None
            self._report_unclosed(opener, stop)
            last = self.out[-1].end
            self._pop(Token(CLOSERS[opener.type], "", last, last))

    def _close_forgotten_braces(self, token: Token, looks: bool) -> None:
        """Where the file lacks a `}`, a line that stands further left than a body says where that body ended."""
        is_brace = token.type == "RBRACE"
        while self.missing_braces and len(self.frames) > 1 and (looks or is_brace):
            frame = self.frames[-1]
            inside = token.indent >= frame.line_indent if is_brace else token.indent > frame.indent
            if not frame.is_braces or inside:
                return
            self.missing_braces -= 1
            self._close_brace_early(token)
            if not self.frames[-1].is_braces:
                self._close_unclosed(token)

    def _close_brace_early(self, stop: Token) -> None:
        frame = self.frames[-1]
        assert frame.opener is not None
        self._end_statement(frame)
        self._report_unclosed(frame.opener, stop)
        last = self.out[-1].end
        self._pop(Token("RBRACE", "", last, last))

    # ------------------------------------------------------------------------------------------ limits

    def _skip_too_deep(self, at: int, token: Token) -> int:
        """A bracket that is one too many: leave out what it encloses. Gives the place of the last token left out."""
        errors.nested_too_deep(self.reports, token)
        self.broken.add(self._statement().start)
        stop = self.brackets.pairs.get(at, len(self.tokens))
        last = self.tokens[stop] if stop < len(self.tokens) else self.tokens[-1]
        self.out.append(Token(CLOSERS[token.type], "", last.end, last.end))
        return stop

    def _count(self, frame: _Frame, token: Token) -> None:
        """One step more in the expression at hand."""
        frame.operators += 1
        if frame.operators + frame.nested == DEEPEST_EXPRESSION:
            self._too_deep(token)

    def _too_deep(self, token: Token) -> None:
        begin = self._statement()
        if begin.start in self.broken:
            return
        self.broken.add(begin.start)
        errors.expression_too_deep(self.reports, token)


def lay_out(reports: Reports, tokens: list[Token]) -> tuple[list[Token], set[int]]:
    """The tokens with BEGIN and END around every statement, and where those begin that are not to be parsed."""
    layout = Layout(reports, tokens)
    return layout.run(), layout.broken

"""bash's conditional expression, ``[[ ... ]]``: its own small grammar, with ``!`` before ``&&`` before ``||``.

Source: https://www.gnu.org/software/bash/manual/html_node/Conditional-Constructs.html
"""

from __future__ import annotations

import re
from typing import Any

from server.cluster.runtime.sh.tokens import BLANK, Tokens
from server.cluster.runtime.sh.tree import Conditional, Word


class ConditionalParser(Tokens):
    def conditional(self) -> Conditional:
        test = self._test_or()
        self.expect("]]")
        return self.add(Conditional, test, self.redirects())

    def _test_or(self) -> Any:
        left = self._test_and()
        while self.peek().text == "||":
            self.next()
            self.newlines()
            left = ("||", left, self._test_and())
        return left

    def _test_and(self) -> Any:
        left = self._test_not()
        while self.peek().text == "&&":
            self.next()
            self.newlines()
            left = ("&&", left, self._test_not())
        return left

    def _test_not(self) -> Any:
        self.newlines()
        token = self.peek()
        self.deeper()
        try:
            if token.text == "!" and token.kind == "word":
                self.next()
                return ("!", self._test_not())
            if token.text == "(" and token.kind == "op":
                self.next()
                inside = self._test_or()
                self.expect(")")
                return inside
            if token.kind != "word" or token.text == "]]":
                self.unexpected()
            first = self.word_at(token.at)
            self.token = None
            if re.fullmatch(r"-[a-zA-Z]", token.text) and self.peek().kind == "word" and self.peek().text != "]]":
                return ("-", token.text, self._test_word())
            operator = self.peek()
            if operator.text in ("=", "==", "!=", "=~", "<", ">") or re.fullmatch(r"-(eq|ne|lt|le|gt|ge|nt|ot|ef)", operator.text):
                self.next()
                if operator.text == "=~":
                    return ("?", "=~", first, self._regex())
                return ("?", operator.text, first, self._test_word())
            return ("-", "-n", first)
        finally:
            self.depth -= 1

    def _test_word(self) -> Word:
        if self.peek().kind != "word":
            self.unexpected()
        word = self.word_at(self.peek().at)
        self.token = None
        return word

    def _regex(self) -> Word:
        """The right side of ``=~`` is a word in which parentheses and bars are plain."""
        self.pos = BLANK.match(self.text, self.peek().at).end()
        self.token = None
        return self.pattern_word()

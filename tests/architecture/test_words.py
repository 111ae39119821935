"""Words for people stand in the catalogue, never in Python."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.source import Module, findings, modules, outside, said

#: Shorter runs are marks of a format or single terms.
LEAST_HAN = 4
HAN = re.compile(r"[\u3400-\u9fff]")
SENTENCE = re.compile(r"[\u3400-\u9fff][。！？…]|(?:请|谢谢|抱歉)您|您好，")
PATTERN_SIGNS = re.compile(r"[\\|\[\](){}^$*+]")

#: Chinese that is looked for in what people and guides say; it is never said itself.
LEXICONS = {
    "nlu/": "patterns of messages",
    "kb/importer/": "headings, labels and columns of guides",
    "kb/sections.py": "headings of guides that say nothing yet",
    "kb/passages.py": "headings of guides",
    "kb/blocks.py": "numbering of steps in answers",
    "kb/guide_store.py": "version marks in file names",
    "kb/guide_cover.py": "labels on the cover of guides",
    "kb/section_matching.py": "numbering of headings",
    "bot/dialogue/queries.py": "words that lean on the turn before",
    "bot/masking.py": "labels before passwords",
    "bot/conversations/sameness.py": "words without weight when problems are compared",
    "handoff/holiday_notice.py": "words of the yearly notice of days off",
    "handoff/summary.py": "lines of a transcript that say nothing",
}
#: Values of the domain, stored and compared as they are.
VOCABULARY = {
    "store/vocabulary.py": "severities and categories",
    "store/migrations/": "the same values in CHECK constraints",
    "handoff/ticket.py": "levels and reasons for a pause",
}
#: Names of demonstration people, and the signs of weekdays.
NAMES = {
    "bot/cli/setup.py": "demonstration accounts",
    "bot/cli/talking.py": "the person at a terminal",
    "bot/cards.py": "the seven signs after 周",
}


def words(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Constants with Chinese words, except docstrings and the help of commands."""
    exempt = {id(node) for node in _exempt(tree)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in exempt
            and len(HAN.findall(node.value)) >= LEAST_HAN
        ):
            yield node.lineno, node.value[:40]


def _exempt(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            yield node.value
        if isinstance(node, ast.keyword) and node.arg == "help":
            yield from ast.walk(node.value)


def sentences(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Of those, what reads like something said to a person rather than a pattern."""
    for line, text in words(tree):
        if SENTENCE.search(text) and not PATTERN_SIGNS.search(text):
            yield line, text


def test_no_words_for_people_in_python() -> None:
    rest = outside(modules(), *LEXICONS, *VOCABULARY, *NAMES)
    found = findings(words, rest)
    assert not found, said(found)


def test_no_sentence_hides_among_patterns() -> None:
    allowed = {**LEXICONS, **VOCABULARY, **NAMES}
    among: tuple[Module, ...] = tuple(m for m in modules() if m.is_in(*allowed))
    found = findings(sentences, among)
    assert not found, said(found)


def test_every_exception_is_still_needed() -> None:
    for place in (*LEXICONS, *VOCABULARY, *NAMES):
        among = tuple(m for m in modules() if m.is_in(place))
        assert findings(words, among), f"{place} holds no Chinese any more"


def test_the_rules_catch_their_mistakes() -> None:
    said_in_code = ast.parse("say('您的工单已提交。')")
    assert list(words(said_in_code))
    assert list(sentences(said_in_code))
    assert not list(words(ast.parse('"""模块的说明文字。"""\nx = Option(help="导入后直接发布。")')))
    assert not list(sentences(ast.parse("p = '请问|您好|谢谢(您)?'")))

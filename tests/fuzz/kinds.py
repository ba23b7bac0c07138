"""The kinds of inputs, each drawn from a random generator: files by name, and parameters that are set from outside."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.fuzz import mutations
from tests.fuzz.grammar.programs import made
from tests.fuzz.oracles import MAIN, Files
from tests.property import programs

Made = tuple[Files, dict[str, str]]


def mutated_corpus(random: Random) -> Made:
    """A program of the project with a few mistakes."""
    return {MAIN: mutations.mutated(mutations.pick(random), random)}, {}


def statements(random: Random) -> Made:
    """A few lines out of the project's programs in a small model, with a mistake or none: short, so that many can be
    tried."""
    lines = [random.choice(mutations.lines()) for _ in range(random.choice((1, 1, 2, 3)))]
    text = "\n    ".join([f"input x: {random.choice(mutations.TYPES)}", *lines])
    text = f"model M {{\n    {text}\n    output y = x -> Dense(1)\n}}\n"
    return {MAIN: mutations.mutated(text, random) if random.random() < 0.8 else text}, {}


def grammar(random: Random) -> Made:
    """A program of the whole language, mostly right."""
    return made(random)


def nearly(random: Random) -> Made:
    """The same with more mistakes in it, left where they arose or made behind."""
    files, settings = made(random, wild=0.3)
    name = random.choice(list(files))
    if random.random() < 0.6:
        files = {**files, name: mutations.mutated(files[name], random)}
    return files, settings


def blocks(random: Random) -> Made:
    """A program of blocks that is right."""
    return {MAIN: programs.block_program(random)}, {}


KINDS: dict[str, Callable[[Random], Made]] = {
    "mutations": mutated_corpus,
    "statements": statements,
    "grammar": grammar,
    "nearly": nearly,
    "blocks": blocks,
}

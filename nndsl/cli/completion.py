"""`nndsl completion`: a script that completes commands, options and their values, made from the parser itself."""

from __future__ import annotations

import argparse
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nndsl.cli import common


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = "Print a script that completes nndsl's commands, options and .nn files in a shell."
    parser.epilog = """\
examples:
  source <(nndsl completion bash)                                  bash, in ~/.bashrc
  source <(nndsl completion zsh)                                   zsh, in ~/.zshrc after compinit
  nndsl completion fish > ~/.config/fish/completions/nndsl.fish    fish
"""
    parser.add_argument("shell", choices=sorted(_SHELLS), help="the shell that reads the script")


def main(args: Namespace) -> int:
    from nndsl.cli.main import build_parser

    sys.stdout.write(_SHELLS[args.shell](_commands(build_parser(whole=True))))
    return common.FINE


@dataclass
class _Option:
    names: tuple[str, ...]
    help: str
    takes: bool  # a value
    values: tuple[str, ...]  # to choose it from
    is_file: bool  # whether the value is a file's name


@dataclass
class _Command:
    """The command `name`; "" is nndsl itself, whose words are the commands."""

    name: str
    help: str
    options: list[_Option]
    words: tuple[str, ...]  # of its positional argument; none: .nn files, or folders
    actions: bool = False  # whether the words are actions, and files of any kind follow
    folders: bool = False  # whether it takes folders

    @property
    def flags(self) -> list[str]:
        return [name for option in self.options for name in option.names]


def _commands(parser: ArgumentParser) -> list[_Command]:
    found = [_command("", "", parser)]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            found += [_command(name, helps[name], command) for name, command in action.choices.items()]
            found[0].words = tuple(action.choices)
    return found


def _command(name: str, help: str, parser: ArgumentParser) -> _Command:
    options, words, actions, folders = [], _known_words(name), False, False
    for action in _arguments(parser):
        values = tuple(str(choice) for choice in action.choices or ())
        if action.option_strings:
            text = (action.help or "").replace("%%", "%")
            is_file = action.metavar in ("OUT", "FILE", "FOLDER", "DATA", "MODEL")
            options.append(_Option(tuple(action.option_strings), text, action.nargs != 0, values, is_file))
        elif not isinstance(action, argparse._SubParsersAction):
            words = words or values
            folders = folders or action.metavar in ("FOLDER", "RUN")
        elif name:
            words, actions = tuple(action.choices), True
    return _Command(name, help, options, () if name == "" else words, actions, folders)


def _arguments(parser: ArgumentParser) -> list[argparse.Action]:
    """The arguments of a command, and the options of its actions, each once."""
    found = list(parser._actions)
    seen = {name for action in found for name in action.option_strings}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction) and parser.prog != "nndsl":
            for inner in (option for choice in action.choices.values() for option in choice._actions):
                if inner.option_strings and not seen.intersection(inner.option_strings):
                    seen.update(inner.option_strings)
                    found.append(inner)
    return found


def _known_words(command: str) -> tuple[str, ...]:
    if command == "explain":
        from nndsl.diagnostics.codes import all_codes

        return tuple(code.code for code in all_codes())
    if command == "layers":
        from nndsl.layers import catalogue

        return tuple(catalogue.names("layer"))
    return ()


# ------------------------------------------------------------------------------------------------- bash

_BASH_HEAD = r"""# nndsl's completion for bash: source <(nndsl completion bash)
_nndsl() {
    local cur="${COMP_WORDS[COMP_CWORD]}" before=$((COMP_CWORD - 1)) word
    local command="" flags="" words="" actions="" folders=""
    if [[ $cur == "=" ]]; then cur=""; elif [[ ${COMP_WORDS[before]} == "=" ]]; then before=$((before - 1)); fi
    local prev="${COMP_WORDS[before]}"
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$word" in
"""
_BASH_MIDDLE = r"""        esac
    done
    COMPREPLY=()
    case "$command,$prev" in  # the values of options
"""
_BASH_TAIL = r"""    esac
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$flags" -- "$cur"))
    elif [[ -n $words && ( -z $actions || $prev == "$command" ) ]]; then
        COMPREPLY=($(compgen -W "$words" -- "$cur"))
    elif [[ -n $actions ]]; then
        _nndsl_files
    elif [[ -n $folders ]]; then
        _nndsl_files '*'
    else
        _nndsl_files '!*.nn'
    fi
}
_nndsl_files() {
    local word
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -X "$1" -- "$cur"; compgen -d -- "$cur")
    compopt -o filenames 2>/dev/null
}
complete -F _nndsl nndsl
"""


def _bash(commands: list[_Command]) -> str:
    names = "|".join(command.name for command in commands[1:])
    lines = [_BASH_HEAD, f'            {names}) command="$word"; break ;;\n', _BASH_MIDDLE]
    for command in commands:
        for option in command.options:
            if option.takes:
                places = "|".join(f"{command.name},{name}" for name in option.names)
                action = "_nndsl_files; return" if option.is_file else "return"
                if option.values:
                    action = f'COMPREPLY=($(compgen -W "{" ".join(option.values)}" -- "$cur")); return'
                lines.append(f"        {places}) {action} ;;\n")
    lines.append('    esac\n    case "$command" in\n')
    for command in commands:
        flags, words = " ".join(command.flags), " ".join(command.words)
        more = "; actions=1" if command.actions else "; folders=1" if command.folders else ""
        lines.append(f'        "{command.name}") flags="{flags}"; words="{words}"{more} ;;\n')
    return "".join([*lines, _BASH_TAIL])


# -------------------------------------------------------------------------------------------------- zsh


def _zsh(commands: list[_Command]) -> str:
    lines = [
        "#compdef nndsl",
        "# nndsl's completion for zsh: source <(nndsl completion zsh), after compinit",
        "_nndsl() {",
        "    local -a commands",
        "    commands=(",
        *(f"        {_quoted(f'{command.name}:{command.help}')}" for command in commands[1:]),
        "    )",
        "    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then",
        "        _describe command commands",
        "        return",
        "    fi",
        "    local command=$words[2]",
        "    case $command in",
    ]
    for command in [*commands[1:], commands[0]]:
        shift = "shift words; (( CURRENT-- )); " if command.name else ""
        lines.append(f"        {command.name or '*'}) {shift}_arguments \\")
        lines += [f"            {_quoted(spec)} \\" for option in command.options for spec in _zsh_specs(option)]
        places = "*:folder:_files -/" if command.folders else '*:file:_files -g "*.nn(-.)"'
        words = f":word:({' '.join(command.words)})" if command.words else places
        files = f" {_quoted('*:file:_files')}" if command.actions else ""
        lines.append(f"            {_quoted(words)}{files} ;;")
    lines += [
        "    esac",
        "}",
        'if [[ $funcstack[1] == _nndsl ]]; then _nndsl "$@"; else compdef _nndsl nndsl; fi',
    ]
    return "\n".join(lines) + "\n"


def _zsh_specs(option: _Option) -> Iterator[str]:
    text = "".join(f"\\{char}" if char in "[]:\\" else char for char in option.help)
    for name in option.names:
        value = (
            f":value:({' '.join(option.values)})" if option.values else f":value:{'_files' if option.is_file else ' '}"
        )
        yield f"{name}[{text}]{value if option.takes else ''}"


# ------------------------------------------------------------------------------------------------- fish


def _fish(commands: list[_Command]) -> str:
    names = " ".join(command.name for command in commands[1:])
    lines = ["# nndsl's completion for fish: ~/.config/fish/completions/nndsl.fish", "complete -c nndsl -f"]
    for command in commands[1:]:
        lines.append(f"complete -c nndsl -n __fish_use_subcommand -a {command.name} -d {_quoted(command.help)}")
    for command in commands:
        seen = "__fish_seen_subcommand_from"
        when = f"{seen} {command.name}" if command.name else f"not {seen} {names}"
        start = f"complete -c nndsl -n {_quoted(when)}"
        for option in command.options:
            named = " ".join(f"-l {n[2:]}" if n.startswith("--") else f"-s {n[1:]}" for n in option.names)
            values = f" -a {_quoted(' '.join(option.values))}" if option.values else ""
            takes = (" -r -F" if option.is_file else " -x") if option.takes else ""
            lines.append(f"{start} {named}{takes}{values} -d {_quoted(option.help)}")
        if command.name:
            places = "'(__fish_complete_directories)'" if command.folders else "'(__fish_complete_suffix .nn)'"
            words = _quoted(" ".join(command.words)) if command.words else places
            if command.actions:
                actions = " ".join(command.words)
                lines.append(f"complete -c nndsl -n {_quoted(f'{when}; and not {seen} {actions}')} -a {words}")
                lines.append(f"complete -c nndsl -n {_quoted(f'{when}; and {seen} {actions}')} -F")
            else:
                lines.append(f"{start} -a {words}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """In single quotes, for zsh and fish alike."""
    return "'" + text.replace("'", "’") + "'"


_SHELLS: dict[str, Callable[[list[_Command]], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}

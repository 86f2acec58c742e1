"""The script for fish, from version 3.0 on."""

from __future__ import annotations

from .grammar import TOOL, Place, filled

_TEMPLATE = r"""# Completion of commands for fish, made by: @MADE_BY@
# A line for ~/.config/fish/config.fish is  @MADE_BY@ | source

function __openjd_adaptor_commands
    switch $argv[1]
@PLACES@
    end
end

function __openjd_adaptor_options
    switch $argv[1]
@OPTIONS@
    end
end

function __openjd_adaptor_arguments
    switch $argv[1]
@ARGUMENTS@
    end
end

function __openjd_adaptor_takes
    switch $argv[1]
@TAKES@
    end
end

function __openjd_adaptor_values --argument-names kind current prefix
    switch $kind
        case '=*'
            string split '|' -- (string sub --start 2 -- $kind) | string replace -r '^' -- $prefix
        case file
            __fish_complete_path $current | string replace -r '^' -- $prefix
        case folder
            __fish_complete_directories $current '' | string replace -r '^' -- $prefix
        case data
            if string match -q 'file://*' -- $current
                __fish_complete_path (string sub --start 8 -- $current) \
                    | string replace -r '^' -- "$prefix"file://
            else
                echo "$prefix"file://
            end
    end
end

function __openjd_adaptor
    set -l tokens (commandline -opc)
    set -l current (commandline -ct)
    set -l place adaptor
    string match -qr '(^|[/\\\\])@TOOL@(\.exe)?$' -- $tokens[1]; and set place @TOOL@
    set -e tokens[1]
    set -l takes
    set -l index 1
    for word in $tokens
        if test -n "$takes"
            set takes
        else if string match -q -- '--*=*' $word
            continue
        else if string match -q -- '-*' $word
            set takes (__openjd_adaptor_takes "$place $word")
        else if contains -- $word (__openjd_adaptor_commands $place | string replace -r '\t.*' '')
            set place "$place $word"
            set index 1
        else
            set index (math $index + 1)
        end
    end
    if test -n "$takes"
        __openjd_adaptor_values $takes "$current" ''
    else if string match -qr -- '^--[^=]+=' $current
        set -l option (string replace -r '=.*' '' -- $current)
        set takes (__openjd_adaptor_takes "$place $option")
        test -n "$takes"
        and __openjd_adaptor_values $takes (string replace -r '^[^=]*=' '' -- $current) "$option="
    else if string match -q -- '-*' $current
        __openjd_adaptor_options $place
    else if test -n "$(__openjd_adaptor_commands $place)"
        __openjd_adaptor_commands $place
    else
        set -l kinds (__openjd_adaptor_arguments $place)
        test $index -gt (count $kinds); and set index (count $kinds)
        __openjd_adaptor_values $kinds[$index] "$current" ''
    end
end

for command in @COMMANDS@
    complete -c $command -f -a '(__openjd_adaptor)'
end
"""


def script(places: list[Place], commands: list[str], made_by: str) -> str:
    """The script; see ``bash.script``."""
    table, options, arguments, takes = [], [], [], []
    for place in places:
        case = f"        case {_quoted(place.name)}\n            "
        if place.commands:
            table.append(case + _described(place.commands))
        options.append(case + _described(place.options))
        arguments.append(f"{case}printf '%s\\n' {' '.join(map(_quoted, place.arguments))}")
        for option, kind in place.takes.items():
            takes.append(
                f"        case {_quoted(f'{place.name} {option}')}\n"
                f"            echo {_quoted(kind)}"
            )
    return filled(
        _TEMPLATE,
        places="\n".join(table),
        options="\n".join(options),
        arguments="\n".join(arguments),
        takes="\n".join(takes),
        tool=TOOL,
        made_by=made_by,
        commands=" ".join(commands),
    )


def _described(names: dict[str, str]) -> str:
    words = (f"{_quoted(name)} {_quoted(about)}" for name, about in names.items())
    return "printf '%s\\t%s\\n' " + " ".join(words)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

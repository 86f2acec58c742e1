"""The script for zsh."""

from __future__ import annotations

from .grammar import TOOL, Place, filled

_TEMPLATE = r"""#compdef @COMMANDS@
# Completion of commands for zsh, made by: @MADE_BY@
# Either a file named _@TOOL@ in a folder of $fpath, or behind compinit in ~/.zshrc:
#   eval "$(@MADE_BY@)"

_openjd_adaptor_place() {
    subcommands=() flags=() operands=()
    case $1 in
@PLACES@
    esac
}

_openjd_adaptor_takes() {
    takes=''
    case $1 in
@TAKES@
    esac
}

_openjd_adaptor_values() {
    case $1 in
        ('='*) compadd -- ${(s:|:)${1#=}} ;;
        (file) _files ;;
        (folder) _files -/ ;;
        (data)
            if compset -P 'file://'; then
                _files
            else
                compadd -S '' -- 'file://'
            fi
            ;;
        (*) return 1 ;;
    esac
}

_openjd-adaptor() {
    local place=adaptor word takes='' i
    integer index=1
    local -a subcommands flags operands
    [[ ${words[1]:t} == @TOOL@(|.exe) ]] && place=@TOOL@
    _openjd_adaptor_place $place
    for ((i = 2; i < CURRENT; i++)); do
        word=${words[i]}
        if [[ -n $takes ]]; then
            takes=''
        elif [[ $word == --*=* ]]; then
            continue
        elif [[ $word == -* ]]; then
            _openjd_adaptor_takes "$place $word"
        elif (( ${#subcommands} )) && [[ -n ${(M)subcommands:#${(b)word}:*} ]]; then
            place+=" $word"
            index=1
            _openjd_adaptor_place $place
        else
            index+=1
        fi
    done
    if [[ -n $takes ]]; then
        _openjd_adaptor_values $takes
    elif [[ $PREFIX == --*=* ]]; then
        _openjd_adaptor_takes "$place ${PREFIX%%=*}"
        compset -P '*='
        _openjd_adaptor_values $takes
    elif [[ $PREFIX == -* ]]; then
        _describe -o option flags
    elif (( ${#subcommands} )); then
        _describe command subcommands
    else
        (( index > ${#operands} )) && index=${#operands}
        _openjd_adaptor_values ${operands[index]}
    fi
}

if [[ ${zsh_eval_context[-1]} == loadautofunc ]]; then
    _openjd-adaptor "$@"
else
    compdef _openjd-adaptor @COMMANDS@
fi
"""


def script(places: list[Place], commands: list[str], made_by: str) -> str:
    """The script; see ``bash.script``."""
    table, takes = [], []
    for place in places:
        table.append(
            f"        ('{place.name}')\n"
            f"            subcommands=({_described(place.commands)})\n"
            f"            flags=({_described(place.options)})\n"
            f"            operands=({' '.join(map(_quoted, place.arguments))})\n"
            f"            ;;"
        )
        takes += [f"        ('{place.name} {o}') takes='{k}' ;;" for o, k in place.takes.items()]
    return filled(
        _TEMPLATE,
        places="\n".join(table),
        takes="\n".join(takes),
        tool=TOOL,
        made_by=made_by,
        commands=" ".join(commands),
    )


def _described(names: dict[str, str]) -> str:
    return " ".join(_quoted(f"{name}:{about}") for name, about in names.items())


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"

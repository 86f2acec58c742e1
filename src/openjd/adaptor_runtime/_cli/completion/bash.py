"""The script for bash, from version 3.2 on (macOS)."""

from __future__ import annotations

from .grammar import TOOL, Place, filled

_TEMPLATE = r"""# Completion of commands for bash, made by: @MADE_BY@
# To be read by every shell: a line for ~/.bashrc is  eval "$(@MADE_BY@)"

_openjd_adaptor_place() {
    commands='' options='' arguments=''
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
    # $1: the kind of value, $2: the word so far, $3: whether file: stands before it
    local prefix rest word
    local IFS=$'\n'
    case $1 in
    =*)
        rest=${1#=}
        COMPREPLY=($(compgen -W "${rest//|/$'\n'}" -- "$2"))
        ;;
    file)
        # Left to bash, which knows about quotes and spaces in names.
        compopt -o default 2> /dev/null || COMPREPLY=($(compgen -f -- "$2"))
        ;;
    folder)
        compopt -o dirnames 2> /dev/null || COMPREPLY=($(compgen -d -- "$2"))
        ;;
    data)
        if [[ $3 ]]; then
            prefix=//
        elif [[ $2 == file://* ]]; then
            prefix=file://
        else
            COMPREPLY=($(compgen -W file:// -- "$2"))
            compopt -o nospace 2> /dev/null
            return
        fi
        rest=${2#"$prefix"}
        rest=${rest//\\/}
        for word in $(compgen -f -- "$rest"); do
            if [[ -d $word ]]; then
                word+=/
                compopt -o nospace 2> /dev/null
            fi
            [[ $word == *[!A-Za-z0-9_./~+,@%-]* ]] && printf -v word %q "$word"
            COMPREPLY+=("$prefix$word")
        done
        ;;
    esac
}

_openjd_adaptor() {
    local place commands options arguments takes='' kind='' glued='' word i index=0
    local cur=${COMP_WORDS[COMP_CWORD]}
    COMPREPLY=()
    case ${1##*/} in
    @TOOL@ | @TOOL@.exe) place=@TOOL@ ;;
    *) place=adaptor ;;
    esac
    _openjd_adaptor_place "$place"
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        # bash takes --option=value and file://path apart, into three words each.
        if [[ $word == '=' && $takes ]]; then
            continue
        elif [[ $word == [=:]* ]]; then
            glued=1
        elif [[ $glued ]]; then
            glued=''
        elif [[ $takes ]]; then
            kind=$takes takes=''
        elif [[ $word == -* ]]; then
            kind=''
            _openjd_adaptor_takes "$place $word"
        elif [[ " $commands " == *" $word "* ]]; then
            place+=" $word" index=0
            _openjd_adaptor_place "$place"
        else
            kind=''
            index=$((index + 1))
        fi
    done
    if [[ $cur == ':' ]]; then
        cur='' glued=1
    elif [[ $cur == '=' ]]; then
        cur=''
    fi
    if [[ $glued ]]; then
        _openjd_adaptor_values "$kind" "$cur" 1
    elif [[ $takes ]]; then
        _openjd_adaptor_values "$takes" "$cur"
    elif [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$cur"))
    elif [[ $commands ]]; then
        COMPREPLY=($(compgen -W "$commands" -- "$cur"))
    else
        set -- $arguments
        ((index >= $#)) && index=$(($# - 1))
        shift "$index"
        _openjd_adaptor_values "$1" "$cur"
    fi
}

complete -F _openjd_adaptor @COMMANDS@
"""


def script(places: list[Place], commands: list[str], made_by: str) -> str:
    """The script.

    Args:
        places: the grammars.
        commands: what is completed.
        made_by: the command that makes it.
    """
    table, takes = [], []
    for place in places:
        table.append(
            f"    '{place.name}')\n"
            f"        commands='{' '.join(place.commands)}'\n"
            f"        options='{' '.join(place.options)}'\n"
            f"        arguments='{' '.join(place.arguments)}'\n"
            f"        ;;"
        )
        takes += [f"    '{place.name} {o}') takes='{kind}' ;;" for o, kind in place.takes.items()]
    return filled(
        _TEMPLATE,
        places="\n".join(table),
        takes="\n".join(takes),
        tool=TOOL,
        made_by=made_by,
        commands=" ".join(commands),
    )

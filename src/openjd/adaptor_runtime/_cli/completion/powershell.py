"""The script for PowerShell, from version 5.1 on."""

from __future__ import annotations

from .grammar import TOOL, Place, filled

_TEMPLATE = r"""# Completion of commands for PowerShell, made by: @MADE_BY@
# A line for $PROFILE is  @MADE_BY@ | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName @COMMANDS@ -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $places = @{
@PLACES@
    }
    $takes = @{
@TAKES@
    }

    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { $_.Extent.Text })
    $place = 'adaptor'
    if ($words[0] -match '(^|[\\/])@TOOL_PATTERN@(\.exe)?$') {
        $place = '@TOOL@'
    }
    $kind = $null
    $index = 0
    for ($i = 1; $i -lt $words.Count; $i++) {
        $word = $words[$i]
        if ($kind) {
            $kind = $null
        } elseif ($word -match '^--.*=') {
            continue
        } elseif ($word.StartsWith('-')) {
            $kind = $takes["$place $word"]
        } elseif ($places[$place].Commands.Contains($word)) {
            $place = "$place $word"
            $index = 0
        } else {
            $index++
        }
    }

    $prefix = ''
    $current = $wordToComplete
    $found = [ordered]@{}
    if ($kind) {
        # The value of the option before it.
    } elseif ($current -match '^(--[^=]+=)(.*)$') {
        $prefix = $Matches[1]
        $current = $Matches[2]
        $kind = $takes["$place $($prefix.TrimEnd('='))"]
    } elseif ($current.StartsWith('-')) {
        $found = $places[$place].Options
    } elseif ($places[$place].Commands.Count -gt 0) {
        $found = $places[$place].Commands
    } else {
        $arguments = @($places[$place].Arguments)
        $kind = $arguments[[Math]::Min($index, $arguments.Count - 1)]
    }

    if ($kind -and $kind.StartsWith('=')) {
        $kind.Substring(1).Split('|') | ForEach-Object { $found[$_] = $_ }
    } elseif ($kind -eq 'data' -and -not $current.StartsWith('file://')) {
        $found['file://'] = 'a file with JSON or YAML'
    } elseif ($kind -eq 'file' -or $kind -eq 'folder' -or $kind -eq 'data') {
        if ($kind -eq 'data') {
            $prefix = $prefix + 'file://'
            $current = $current.Substring(7)
        }
        $folders = $kind -eq 'folder'
        [System.Management.Automation.CompletionCompleters]::CompleteFilename($current) |
            Where-Object { -not $folders -or $_.ResultType -eq 'ProviderContainer' } |
            ForEach-Object {
                [System.Management.Automation.CompletionResult]::new(
                    $prefix + $_.CompletionText, $_.ListItemText, $_.ResultType, $_.ToolTip)
            }
        return
    }
    $found.Keys | Where-Object { $_.StartsWith($current) } | ForEach-Object {
        $about = $found[$_]
        if (-not $about) { $about = $_ }
        [System.Management.Automation.CompletionResult]::new(
            $prefix + $_, $_, 'ParameterValue', $about)
    }
}
"""


def script(places: list[Place], commands: list[str], made_by: str) -> str:
    """The script; see ``bash.script``."""
    table, takes = [], []
    for place in places:
        table.append(
            f"        {_quoted(place.name)} = @{{\n"
            f"            Commands = [ordered]@{{{_described(place.commands)}}}\n"
            f"            Options = [ordered]@{{{_described(place.options)}}}\n"
            f"            Arguments = @({', '.join(map(_quoted, place.arguments))})\n"
            f"        }}"
        )
        takes += [
            f"        {_quoted(f'{place.name} {option}')} = {_quoted(kind)}"
            for option, kind in place.takes.items()
        ]
    return filled(
        _TEMPLATE,
        places="\n".join(table),
        takes="\n".join(takes),
        tool_pattern=TOOL.replace(".", r"\."),
        tool=TOOL,
        made_by=made_by,
        commands=", ".join(map(_quoted, commands)),
    )


def _described(names: dict[str, str]) -> str:
    return "; ".join(f"{_quoted(name)} = {_quoted(about)}" for name, about in names.items())


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

"""How a command is declared: data that main runs, help prints and completion reads.

In: a module of `commands/` builds `Command` values. Out: a tree under the root command. A command's function takes
(ctx, args, flags) and is plain or a generator on the virtual clock; what it returns is the exit code (None is 0).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from server.kubectl.flags import Flag

Run = Callable[..., Any]


@dataclass(frozen=True)
class Command:
    """`use` is the usage line after the command's path; `complete` says what its arguments are: resources, none, files; `unparsed`
    leaves all words to the command."""

    name: str
    run: Run | None = None
    flags: tuple[Flag, ...] = ()
    short: str = ""
    use: str = ""
    long: str = ""
    examples: str = ""
    aliases: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()
    hidden: bool = False
    complete: str = "resources"
    interspersed: bool = True
    unparsed: bool = False
    suggest_for: tuple[str, ...] = ()

    def find(self, word: str) -> Command | None:
        return next((sub for sub in self.commands if word == sub.name or word in sub.aliases), None)


# Flags that several commands share; each command takes what it needs: flags=(*OUTPUT, *FILENAME, Flag("all", "", False)).
ALL_NAMESPACES = Flag("all-namespaces", "A", False, "Every namespace, whatever namespace is current or given with --namespace.")
SELECTOR = Flag("selector", "l", "", "Label query: '=', '==', '!=', 'in', 'notin', 'key', '!key', joined by commas.")
FIELD_SELECTOR = Flag("field-selector", "", "", "Field query: '=', '==' and '!='; each kind supports a few fields only.")
DRY_RUN = Flag("dry-run", "", "none", 'One of "none", "server", "client". client prints what would be sent; server sends it without storing.',
               no_value="unchanged")
CHUNK_SIZE = Flag("chunk-size", "", 500, "Ask for large lists in chunks of this size; 0 asks for all at once.")
SUBRESOURCE = Flag("subresource", "", "", "Work on this subresource of the object.")
VALIDATE = Flag("validate", "", "strict", "One of strict (or true), warn, ignore (or false): what unknown or duplicate fields do.",
                no_value="strict")
OVERWRITE = Flag("overwrite", "", False, "Let values that exist be replaced.")
LOCAL = Flag("local", "", False, "Work on the given files without contacting the server.")
ALL = Flag("all", "", False, "Every object of the given types in the namespace.")
TEMPLATE = Flag("template", "", "", "Template text or file for -o=go-template and -o=go-template-file.")
OUTPUT = (
    Flag("output", "o", "", "Output format: json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, "
         "jsonpath-as-json, jsonpath-file."),
    TEMPLATE,
    Flag("allow-missing-template-keys", "", True, "Let templates name fields that are not there."),
    Flag("show-managed-fields", "", False, "Keep managedFields in JSON and YAML output."),
)
FILENAME = (
    Flag("filename", "f", [], "File, directory or - for stdin."),
    Flag("kustomize", "k", "", "Kustomization directory; not together with -f or -R."),
    Flag("recursive", "R", False, "Go into the directories given with -f."),
)


def field_manager(name: str) -> Flag:
    return Flag("field-manager", "", name, "Name under which the fields set are owned.")

#!/usr/bin/env python3
"""Makes man/varve.1, man/varve-COMMAND.1 and, for commands of commands, man/varve-GROUP-COMMAND.1.

    make-man.py [--check] [VARVE]

Names, options and descriptions come from the definitions that `varve --help` is printed from (VARVE
is the binary to ask, .build/release/varve otherwise); what help has no room for comes from
man/parts/COMMAND.mdoc (GROUP-COMMAND.mdoc). With --check nothing is written, and pages that are not
what they would be made to are named: exit status 1.

A part is mdoc(7). What stands before its first .Sh goes to the end of DESCRIPTION; the sections
follow in the order that is usual in manuals. EXIT STATUS and EXAMPLES must be there.
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MAN = ROOT / "man"
# The day of the last change to what the pages say: change it with them.
DATE = "December 1, 2026"
SECTIONS = [
    "ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES", "DIAGNOSTICS", "SEE ALSO", "STANDARDS",
    "HISTORY", "CAVEATS", "BUGS",
]
REQUIRED = ["EXIT STATUS", "EXAMPLES", "SEE ALSO"]
# Every command has these two; only varve(1) lists them.
COMMON = {"help", "version"}
ENVIRONMENT = """.Bl -tag -width VARVE_REPO
.It Ev VARVE_REPO
The repository, where
.Fl \\-repo
does not name one.
.It Ev VARVE_SSH_COMMAND , VARVE_REMOTE_VARVE
What
.Fl \\-ssh\\-command
and
.Fl \\-remote\\-varve
name, where they are not given.
.It Ev XDG_CACHE_HOME
Where
.Pa varve/
keeps index and manifests of repositories on other hosts;
.Pa ~/.cache
otherwise.
.El
"""


def ask(varve, *arguments):
    return subprocess.run(
        [varve, *arguments], check=True, capture_output=True, text=True
    ).stdout


def escape(text):
    """Plain text as roff text: nothing in it is a request or an escape."""
    text = text.replace("\\", "\\e")
    # An option's hyphens are typed, so they must be the character that a shell knows.
    text = re.sub(
        r"(?<![\w-])--?[A-Za-z0-9][\w-]*", lambda found: found[0].replace("-", r"\-"), text
    )
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def sentences(text):
    """Each sentence on a line of its own, as mdoc likes it."""
    return escape(re.sub(r"(?<=[A-Za-z0-9)\"][.:;]) +(?=[A-Za-z\"])", "\n", text))


def prose(discussion):
    """The discussion of a command without its examples, as mdoc paragraphs."""
    blocks = []
    for block in discussion.split("\n\n"):
        if block.startswith("Examples:"):
            continue
        lines = block.split("\n")
        plain = [line for line in lines if not line.startswith("  ")]
        listed = [line[2:] for line in lines if line.startswith("  ")]
        part = sentences(" ".join(plain))
        if listed:
            listed = "\n".join(escape(line) for line in listed)
            part += f"\n.Bd -literal -offset indent\n{listed}\n.Ed"
        blocks.append(part)
    return "\n.Pp\n".join(blocks)


class Argument:
    """An option, flag or operand, as ArgumentParser describes it."""

    def __init__(self, described, help_text):
        self.kind = described["kind"]
        self.names = described.get("names", [])
        self.value = described.get("valueName", "")
        self.abstract = described.get("abstract", "")
        self.discussion = described.get("discussion", "")
        self.choices = described.get("allValues")
        self.default = described.get("defaultValue")
        self.is_optional = described["isOptional"]
        self.is_repeating = described["isRepeating"]
        self.title = described.get("sectionTitle")
        self.is_shown = described["shouldDisplay"] and not COMMON & set(self.long_names())
        # Help alone tells that the value may be left out.
        self.value_is_optional = f"--{self.first_long()} [<{self.value}>]" in help_text

    def long_names(self):
        return [name["name"] for name in self.names if name["kind"] == "long"]

    def first_long(self):
        return next(iter(self.long_names()), "")

    def flag(self, name):
        hyphen = r"\-" if name["kind"] == "long" else ""
        return "Fl " + hyphen + name["name"].replace("-", r"\-")

    def with_value(self, flag):
        if self.kind != "option":
            return flag
        if self.value_is_optional:
            return f"{flag} Ns Op = Ns Ar {self.value}"
        return f"{flag} Ar {self.value}"

    def operand(self):
        match = re.fullmatch(r"(.+)\[:(.+)\]", self.value)
        text = f"Ar {match[1]} Ns Op : Ns Ar {match[2]}" if match else f"Ar {self.value}"
        return text + (" ..." if self.is_repeating else "")

    def synopsis(self):
        if self.kind == "positional":
            return (".Op " if self.is_optional else ".") + self.operand()
        long = [name for name in self.names if name["kind"] == "long"]
        if self.kind == "flag" and len(long) > 1:
            return ".Op " + " | ".join(self.flag(name) for name in long)
        text = self.with_value(self.flag(long[0]))
        return f".Op {text}" if self.is_optional else f".{text}"

    def item(self):
        if self.kind == "positional":
            head = self.operand()
        else:
            short_first = sorted(self.names, key=lambda name: name["kind"] == "long")
            head = " , ".join(self.with_value(self.flag(name)) for name in short_first)
        text = sentences(" ".join(filter(None, [self.abstract, self.discussion])))
        if self.choices:
            choices = " ,\n.Cm ".join(choice.replace("-", r"\-") for choice in self.choices)
            text += f"\nOne of\n.Cm {choices}"
            text += f" ;\n.Cm {self.default}\notherwise." if self.default else " ."
        return f".It {head}\n{text}"


def joined(arguments):
    """The arguments, a flag and its opposite as one: help describes both in the same words."""
    result = []
    for each in arguments:
        last = result[-1] if result else None
        if last and last.kind == each.kind == "flag" and last.abstract == each.abstract:
            last.names += each.names
        else:
            result.append(each)
    return result


def options(arguments):
    """The list of operands and options; those of a titled group in a subsection of their own."""
    lines = []
    for title in dict.fromkeys([None] + [each.title for each in arguments]):
        group = [each for each in arguments if each.title == title]
        if not group:
            continue
        if title:
            lines.append(f".Ss {escape(title)}")
        lines += [".Bl -tag -width Ds", *(each.item() for each in group), ".El"]
    return "\n".join(lines)


def read_part(path):
    """Splits a part into what comes before the first section, and its sections by name."""
    pieces = re.split(r"^\.Sh (.+)\n", path.read_text(), flags=re.M)
    sections = {name: text for name, text in zip(pieces[1::2], pieces[2::2])}
    unknown = sections.keys() - set(SECTIONS)
    missing = [name for name in REQUIRED if name not in sections]
    if unknown or missing:
        sys.exit(f"make-man: {path}: unknown {sorted(unknown)}, missing {missing}")
    return pieces[0], sections


def head(name, abstract, version):
    title = name.upper()
    abstract = abstract[0].lower() + abstract[1:].rstrip(".")
    return (
        f'.\\" Made by Scripts/make-man.py from the help text and man/parts. Do not edit.\n'
        f".Dd {DATE}\n.Dt {title} 1\n.Os {version}\n"
        f".Sh NAME\n.Nm {name}\n.Nd {escape(abstract)}\n"
    )


def tail(sections, has_repository):
    if has_repository:
        sections.setdefault("ENVIRONMENT", ENVIRONMENT)
    return "".join(f".Sh {name}\n{sections[name]}" for name in SECTIONS if name in sections)


def named(path):
    """The name of the page of a command, from its own name and that of its group."""
    return "-".join(["varve", *path])


def command_page(path, command, varve, version):
    help_text = ask(varve, *path, "--help")
    arguments = [Argument(each, help_text) for each in command["arguments"]]
    arguments = joined([each for each in arguments if each.is_shown])
    operands = [each for each in arguments if each.kind == "positional"]
    flags = [each for each in arguments if each.kind != "positional"]
    intro, sections = read_part(MAN / "parts" / f"{'-'.join(path)}.mdoc")
    has_repository = any("repo" in each.long_names() for each in flags)
    synopsis = "\n".join(each.synopsis() for each in flags + operands)
    discussion = prose(command.get("discussion", ""))
    return (
        head(named(path), command["abstract"], version)
        + f".Sh SYNOPSIS\n.Nm varve {' '.join(path)}\n{synopsis}\n"
        + f".Sh DESCRIPTION\n{discussion or sentences(command['abstract'])}\n"
        + f"{options(operands + flags)}\n{intro}"
        + tail(sections, has_repository)
    )


def own_commands(command):
    return [each for each in command.get("subcommands", []) if each["commandName"] != "help"]


def list_of_commands(path, command):
    """The commands of a command, with a line on each."""
    pages = [(named([*path, each["commandName"]]), each) for each in own_commands(command)]
    listed = "\n".join(f".It Xr {name} 1\n{sentences(each['abstract'])}" for name, each in pages)
    width = max((name for name, _ in pages), key=len)
    return f".Ss Commands\n.Bl -tag -width {width}(1)\n{listed}\n.El\n"


def group_page(path, command, version):
    intro, sections = read_part(MAN / "parts" / f"{'-'.join(path)}.mdoc")
    return (
        head(named(path), command["abstract"], version)
        + f".Sh SYNOPSIS\n.Nm varve {' '.join(path)}\n"
        + ".Ar command\n.Op Ar options\n.Op Ar operands\n"
        + f".Sh DESCRIPTION\n{prose(command['discussion'])}\n"
        + list_of_commands(path, command) + intro
        + tail(sections, False)
    )


def pages_of(path, command, varve, version):
    """The pages of a command and of those that it has, by their names."""
    if not own_commands(command):
        return {named(path): command_page(path, command, varve, version)}
    pages = {named(path): group_page(path, command, version)}
    for each in own_commands(command):
        pages |= pages_of([*path, each["commandName"]], each, varve, version)
    return pages


def main_page(root, version):
    intro, sections = read_part(MAN / "parts" / "varve.mdoc")
    # What help says of the environment, names and exit status, the part says at length.
    discussion = prose(root["discussion"].split("\n\nExamples:")[0])
    return (
        head("varve", root["abstract"], version)
        + ".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar options\n.Op Ar operands\n"
        + ".Nm\n.Fl \\-help | \\-version\n"
        + f".Sh DESCRIPTION\n{discussion}\n"
        + list_of_commands([], root) + intro
        + tail(sections, True)
    )


def main():
    arguments = sys.argv[1:]
    is_check = "--check" in arguments
    arguments = [each for each in arguments if each != "--check"]
    varve = arguments[0] if arguments else str(ROOT / ".build/release/varve")
    root = json.loads(ask(varve, "--experimental-dump-help"))["command"]
    version = ask(varve, "version").strip()
    pages = {"varve": main_page(root, version)}
    for each in own_commands(root):
        pages |= pages_of([each["commandName"]], each, varve, version)

    stale = []
    for name, text in pages.items():
        path = MAN / f"{name}.1"
        if path.exists() and path.read_text() == text:
            continue
        stale.append(path.name)
        if not is_check:
            path.write_text(text)
    strays = sorted(path.name for path in MAN.glob("*.1") if path.stem not in pages)
    if strays:
        sys.exit(f"make-man: pages of no command: {' '.join(strays)}")
    if is_check and stale:
        sys.exit(f"make-man: not up to date, run `make man`: {' '.join(sorted(stale))}")
    if not is_check:
        print(f"{len(pages)} pages, {len(stale)} written")


main()

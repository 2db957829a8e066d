"""The words of ``curl``: which options there are, and what a command line asks for.

``parse`` gives a ``Wanted``; what curl would refuse is a ``Quit`` in its words, and so is what it would do but Podium does not.

Source: https://curl.se/docs/manpage.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote

from server.cluster.runtime.programs.network.common import Quit, duration

HELP = "curl: try 'curl --help' or 'curl --manual' for more information\n"
FLAGS = {"s": "silent", "S": "show-error", "f": "fail", "i": "include", "I": "head", "v": "verbose", "L": "location", "k": "insecure",
         "O": "remote-name", "G": "get", "g": "globoff", "4": "ipv4", "6": "ipv6", "0": "http1.0", "N": "no-buffer", "#": "progress-bar",
         "q": "disable", "J": "remote-header-name", "j": "junk-session-cookies", "V": "version"}
VALUES = {"o": "output", "X": "request", "d": "data", "H": "header", "A": "user-agent", "u": "user", "m": "max-time", "w": "write-out",
          "e": "referer", "b": "cookie", "T": "upload-file", "F": "form", "r": "range", "D": "dump-header", "h": "help"}
LONG_FLAGS = frozenset({*FLAGS.values(), "fail-with-body", "fail-early", "http1.1", "http2", "compressed", "retry-all-errors",
                        "retry-connrefused", "create-dirs", "path-as-is", "no-progress-meter", "location-trusted", "tcp-nodelay",
                        "tlsv1.2", "tlsv1.3", "ssl-no-revoke", "raw", "post301", "post302", "post303", "no-keepalive", "styled-output"})
LONG_VALUES = frozenset({*VALUES.values(), "data-binary", "data-raw", "data-ascii", "data-urlencode", "json", "connect-timeout", "resolve",
                         "connect-to", "retry", "retry-delay", "retry-max-time", "cacert", "url", "max-redirs", "oauth2-bearer", "noproxy",
                         "output-dir", "form-string", "keepalive-time", "expect100-timeout", "request-target"})
UNSIMULATED = frozenset({"-x", "--proxy", "-K", "--config", "--unix-socket", "--cert", "-E", "--key", "-c", "--cookie-jar", "-Z", "--parallel",
                         "--limit-rate", "-C", "--continue-at", "--interface", "--proxy-insecure", "--socks5", "--dns-servers", "--next",
                         "-:", "--cert-type", "--http3", "--trace", "--trace-ascii", "--capath", "-z", "--time-cond", "-Y", "-y", "-R",
                         "--remote-time", "-a", "--append", "--aws-sigv4", "--digest", "--ntlm", "--negotiate", "--netrc", "-n", "--stderr",
                         "--variable", "--remote-name-all", "--local-port"})
NUMBERS = {"max-time", "connect-timeout", "retry-delay", "retry-max-time"}
COUNTS = {"retry", "max-redirs"}
MOST_URLS = 100


@dataclass
class Wanted:
    flags: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)
    headers: list[str] = field(default_factory=list)
    data: list[tuple[str, str]] = field(default_factory=list)
    forms: list[tuple[str, str]] = field(default_factory=list)
    resolve: dict[tuple[str, int], str] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    names: int = 0

    def has(self, *names: str) -> bool:
        return any(name in self.flags for name in names)

    def seconds(self, name: str) -> float | None:
        """A limit in seconds; 0 is none."""
        return (duration(self.values[name]) or None) if name in self.values else None

    def count(self, name: str, usual: int) -> int:
        return int(self.values.get(name, usual))


def parse(arguments: list[str]) -> Wanted:
    wanted, words, literal = Wanted(), list(arguments), False
    while words:
        word = words.pop(0)
        if literal or not word.startswith("-") or word == "-":
            wanted.urls.append(word)
        elif word == "--":
            literal = True
        elif word.startswith("--"):
            _long(wanted, word, words)
        else:
            _short(wanted, word, words)
    return wanted


def _long(wanted: Wanted, word: str, words: list[str]) -> None:
    name = word[2:]
    if name.startswith("no-") and name[3:] in LONG_FLAGS:
        wanted.flags.discard(name[3:])
    elif name in LONG_FLAGS:
        wanted.flags.add(name)
    elif name in LONG_VALUES:
        if not words:
            if name == "help":
                raise Quit("", 0, HELP_TEXT)
            raise Quit(f"curl: option {word}: requires parameter\n{HELP}", 2)
        _value(wanted, word, name, words.pop(0))
    else:
        raise Quit(_unknown(word), 2)


def _short(wanted: Wanted, word: str, words: list[str]) -> None:
    for at, letter in enumerate(word[1:], 1):
        if letter in FLAGS:
            wanted.flags.add(FLAGS[letter])
            wanted.names += letter == "O"
        elif letter in VALUES:
            rest = word[at + 1:]
            if not rest and not words:
                if letter == "h":
                    raise Quit("", 0, HELP_TEXT)
                raise Quit(f"curl: option {word}: requires parameter\n{HELP}", 2)
            return _value(wanted, f"-{letter}", VALUES[letter], rest or words.pop(0))
        else:
            raise Quit(_unknown(f"-{letter}" if f"-{letter}" in UNSIMULATED else word), 2)
    return None


def _unknown(word: str) -> str:
    return f"curl: option {word}: is not simulated\n" if word in UNSIMULATED else f"curl: option {word}: is unknown\n{HELP}"


def _value(wanted: Wanted, word: str, name: str, value: str) -> None:
    if name == "header":
        wanted.headers.append(value)
    elif name in ("data", "data-binary", "data-raw", "data-ascii", "data-urlencode", "json"):
        wanted.data.append((name, value))
    elif name in ("form", "form-string"):
        if "=" not in value:
            raise Quit("Warning: Illegally formatted input field!\n" f"curl: option {word}: is badly used here\n{HELP}", 2)
        wanted.forms.append((name, value))
    elif name == "url":
        wanted.urls.append(value)
    elif name == "output":
        wanted.outputs.append(value)
    elif name == "resolve":
        found = re.fullmatch(r"\+?([^:]+):(\d{1,5}):\[?([0-9A-Fa-f.:]+?)\]?", value)
        if found is None:
            raise Quit(f"curl: (49) Couldn't parse CURLOPT_RESOLVE entry '{value}'\n", 49)
        wanted.resolve[found[1].lower(), int(found[2])] = found[3]
    elif name == "connect-to":
        found = re.fullmatch(r"([^:]*):(\d*):([^:]*):(\d*)", value)
        if found is None:
            raise Quit(f"curl: (49) Couldn't parse CURLOPT_CONNECT_TO entry '{value}'\n", 49)
        wanted.values["connect-to"] = value
    elif name == "help":
        raise Quit("", 0, HELP_TEXT)
    else:
        if name in NUMBERS and duration(value) is None or name in COUNTS and not re.fullmatch(r"-?\d{1,9}", value):
            raise Quit(f"curl: option {word}: expected a proper numerical parameter\n{HELP}", 2)
        wanted.values[name] = value


def body_of(name: str, value: str, text: str | None) -> str:
    """What one ``-d`` adds; ``text`` is the file that it names."""
    if name == "data-urlencode":
        label, equals, content = value.partition("=")
        if not equals:
            return quote(value, safe="")
        return f"{label}={quote(content, safe='')}" if label else quote(content, safe="")
    if text is None:
        return value
    return text if name in ("data-binary", "json") else re.sub(r"[\r\n\0]", "", text)




HELP_TEXT = "".join(f" {row}\n" if at else f"{row}\n" for at, row in enumerate((
    "Usage: curl [options...] <url>",
    "-d, --data <data>          HTTP POST data",
    "-f, --fail                 Fail fast with no output on HTTP errors",
    "-h, --help <category>      Get help for commands", "-i, --include              Include response headers in output",
    "-o, --output <file>        Write to file instead of stdout", "-O, --remote-name          Write output to file named as remote file",
    "-s, --silent               Silent mode", "-T, --upload-file <file>   Transfer local FILE to destination",
    "-u, --user <user:password> Server user and password", "-A, --user-agent <name>    Send User-Agent <name> to server",
    "-v, --verbose              Make the operation more talkative", "-V, --version              Show version number and quit")))

"""The flags every command takes, and what Podium's terminal does with them.

In: parsed flags. Out: the session's namespace and strictness, or a plain refusal: a flag that cannot act here is never ignored.
"""

from __future__ import annotations

import re

from server.cluster.yamltext import load_yaml
from server.kubectl.context import Context, Kubeconfig
from server.kubectl.errors import CommandError, PlainError
from server.kubectl.flags import Flag, Flags

GLOBAL_FLAGS = (
    Flag("as", "", "", "Username to impersonate for the operation. User could be a regular user or a service account in a namespace."),
    Flag("as-group", "", [], "Group to impersonate for the operation, this flag can be repeated to specify multiple groups.", kind="array"),
    Flag("as-uid", "", "", "UID to impersonate for the operation."),
    Flag("as-user-extra", "", [], "User extras to impersonate for the operation, this flag can be repeated to specify multiple values "
         "for the same key.", kind="array"),
    Flag("cache-dir", "", "HOME/.kube/cache", "Default cache directory"),
    Flag("certificate-authority", "", "", "Path to a cert file for the certificate authority"),
    Flag("client-certificate", "", "", "Path to a client certificate file for TLS"),
    Flag("client-key", "", "", "Path to a client key file for TLS"),
    Flag("cluster", "", "", "The name of the kubeconfig cluster to use"),
    Flag("context", "", "", "The name of the kubeconfig context to use"),
    Flag("disable-compression", "", False, "If true, opt-out of response compression for all requests to the server"),
    Flag("insecure-skip-tls-verify", "", False, "If true, the server's certificate will not be checked for validity. This will make your "
         "HTTPS connections insecure"),
    Flag("kubeconfig", "", "", "Path to the kubeconfig file to use for CLI requests."),
    Flag("kuberc", "", "", "Path to the kuberc file to use for preferences. This can be disabled by exporting KUBECTL_KUBERC=false feature "
         "gate or turning off the feature KUBERC=off."),
    Flag("log-flush-frequency", "", 5.0, "Maximum number of seconds between log flushes", kind="duration"),
    Flag("match-server-version", "", False, "Require server version to match client version"),
    Flag("namespace", "n", "", "If present, the namespace scope for this CLI request"),
    Flag("password", "", "", "Password for basic authentication to the API server"),
    Flag("profile", "", "none", "Name of profile to capture. One of (none|cpu|heap|goroutine|threadcreate|block|mutex|trace)"),
    Flag("profile-output", "", "profile.pprof", "Name of the file to write the profile to"),
    Flag("request-timeout", "", "0", "The length of time to wait before giving up on a single server request. Non-zero values should "
         "contain a corresponding time unit (e.g. 1s, 2m, 3h). A value of zero means don't timeout requests."),
    Flag("server", "s", "", "The address and port of the Kubernetes API server"),
    Flag("tls-server-name", "", "", "Server name to use for server certificate validation. If it is not provided, the hostname used to "
         "contact the server is used"),
    Flag("token", "", "", "Bearer token for authentication to the API server"),
    Flag("user", "", "", "The name of the kubeconfig user to use"),
    Flag("username", "", "", "Username for basic authentication to the API server"),
    Flag("v", "v", 0, "number for the log level verbosity", kind="int32"),
    Flag("vmodule", "", "", "comma-separated list of pattern=N settings for file-filtered logging (only works for the default text log "
         "format)"),
    Flag("warnings-as-errors", "", False, "Treat warnings received from the server as errors and exit with a non-zero exit code"),
)
# What enter() acts on, and what changes nothing here because there is nothing to change: no network, no cache, no certificates.
HARMLESS = {"as", "cache-dir", "disable-compression", "insecure-skip-tls-verify", "kuberc", "log-flush-frequency", "match-server-version",
            "namespace", "request-timeout", "vmodule", "warnings-as-errors", "v", "context", "cluster", "user", "kubeconfig"}


TIMEOUT = re.compile(r"[+-]?(\d+|0|((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)")


def _read_kubeconfig(ctx: Context, path: str) -> Kubeconfig:
    """A kubeconfig among the terminal's files. Whatever server it names, commands ask the room's."""
    try:
        documents = load_yaml(ctx.files.read(path))
    except (FileNotFoundError, IsADirectoryError):
        raise CommandError(f"stat {path}: no such file or directory") from None
    found = documents[0] if documents else None
    data = found.obj if found is not None and found.error is None else None
    if not isinstance(data, dict) or not all(isinstance(data.get(key), list) for key in ("clusters", "contexts", "users")):
        raise CommandError(f'error loading config file "{path}": it is no kubeconfig')
    return Kubeconfig.of({**data, "current-context": data.get("current-context") or ""}, path)


def enter(ctx: Context, flags: Flags, own: frozenset[str] = frozenset()) -> Context:
    """The session of this command line; `own` are flags that the command declares itself, which are not the global ones."""
    given = {flag.name: flags[flag.name] for flag in GLOBAL_FLAGS if flag.name not in own and flags.changed(flag.name)}
    for name in given:
        if name not in HARMLESS:
            raise CommandError(f"--{name} is not available in Podium's terminal yet")
    if path := given.get("kubeconfig"):
        ctx = ctx.with_kubeconfig(_read_kubeconfig(ctx, path))
    context = given.get("context", "")
    data = ctx.kubeconfig.data
    if context and not any(entry["name"] == context for entry in data["contexts"]):
        raise PlainError(f"Error in configuration: context was not found for specified context: {context}")
    for name, key, told in (("user", "users", 'auth info "{}" does not exist'), ("cluster", "clusters", 'no server found for cluster "{}"')):
        if name in given and not any(entry["name"] == given[name] for entry in data[key]):
            raise CommandError(told.format(given[name]))
    if not TIMEOUT.fullmatch(given.get("request-timeout", "0")):
        raise CommandError("Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time "
                           "unit (e.g. 1s | 2m | 3h)")
    if given.get("v"):
        ctx.err(f"Podium: log level {given['v']} shows nothing more here")
    namespace = given.get("namespace") or None
    if context and not namespace:
        namespace = ctx.kubeconfig.context(context).get("namespace")
    session = ctx.session(namespace, given.get("as", ""))
    session.warnings_as_errors = given.get("warnings-as-errors", False)
    return session

"""kubectl create: from files, or an object made of a few flags.

In: -f, or a kind's own subcommand. Out: the object created (or printed, with --dry-run=client -o yaml). What an object looks like is in
`generators`; kinds this API server does not have fail as they would on a server without them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cluster.apiserver.resources import by_kind
from server.cluster.errors import ApiError
from server.kubectl import printers, resources
from server.kubectl.command import DRY_RUN, FILENAME, OUTPUT, SELECTOR, VALIDATE, Command, field_manager
from server.kubectl.context import Context
from server.kubectl.dryrun import field_validation, strategy
from server.kubectl.errors import CommandError, UsageError, raise_all, when
from server.kubectl.flags import Flag, Flags
from server.kubectl.generators import ingresses, jobs, policies, workloads
from server.kubectl.generators.configs import config_map, docker_registry_secret, generic_secret, tls_secret
from server.kubectl.generators.services import service
from server.kubectl.raw import raw_write
from server.kubectl.writing import saved

Object = dict[str, Any]
SAVE_CONFIG = Flag("save-config", "", False, "Keep the object's configuration in its annotation, for kubectl apply later.")
_MANAGER = field_manager("kubectl-create")
_COMMON = (DRY_RUN, _MANAGER, *OUTPUT, SAVE_CONFIG, VALIDATE)


def create(ctx: Context, args: list[str], flags: Flags) -> None:
    if args:
        raise UsageError(f"Unexpected args: [{' '.join(args)}]")
    if not flags.filename and not flags.kustomize:
        raise CommandError("must specify one of -f and -k")
    if flags.edit:
        raise CommandError("--edit is not available in Podium's terminal: edit the manifest, then create it")
    if flags.raw:
        ctx.stdout.write(raw_write(ctx, "create", flags.raw, _one_text(ctx, flags)))
        return
    dry_run, validation = strategy(flags), field_validation(flags)
    show = printers.for_objects(ctx, flags, "created")
    found = resources.find(
        ctx, [], filenames=flags.filename, recursive=flags.recursive, kustomize=flags.kustomize, selector=flags.selector, fetch=False,
        validate=validation != "Ignore",
    )
    errors = list(found.errors)
    for info in found.infos:
        obj = saved(info.manifest, flags.save_config)
        try:
            if dry_run != "client":
                obj = ctx.api.create(info.resource, info.namespace, obj, dry_run=dry_run == "server", field_manager=flags.field_manager,
                                     field_validation=validation)
        except ApiError as error:
            errors.append(when("creating", info.source, error))
            continue
        show(obj, info.resource)
    if not found.infos and not errors:
        raise CommandError("no objects passed to create")
    raise_all(errors)


def _one_text(ctx: Context, flags: Flags) -> str:
    if len(flags.filename) != 1:
        raise UsageError("--raw can only use a single local file or stdin")
    from server.kubectl.manifests import sources

    return sources(ctx, flags.filename)[0][1]


def one_name(args: list[str]) -> str:
    if len(args) != 1:
        raise UsageError(f"exactly one NAME is required, got {len(args)}")
    return args[0]


def finish(ctx: Context, flags: Flags, obj: Object, prefix: str, operation: str = "created") -> None:
    """Create (or only print) a generated object; `prefix` stands before the server's error, "" leaves the error its own."""
    dry_run = strategy(flags)
    show = printers.for_objects(ctx, flags, operation, typed=dry_run == "client")
    row = by_kind(obj["apiVersion"], obj["kind"])
    if row.namespaced and ctx.namespace_given:
        meta = {"name": obj["metadata"]["name"], "namespace": ctx.namespace, **obj["metadata"]}
        obj = {**obj, "metadata": meta}
    obj = saved(obj, flags.save_config, typed=True)
    if dry_run != "client":
        try:
            obj = ctx.api.create(row, ctx.namespace if row.namespaced else "", obj, dry_run=dry_run == "server",
                                 field_manager=flags.field_manager, field_validation=field_validation(flags) if "validate" in flags else "Strict")
        except ApiError as error:
            raise (CommandError(f"{prefix}{error.message}") if prefix else error) from None
    show(obj, row)


def _generated(make: Callable[[Context, str, list[str], Flags], Object], prefix: str) -> Callable[..., None]:
    """A subcommand NAME [-- COMMAND...] that creates what `make` makes."""

    def run(ctx: Context, args: list[str], flags: Flags) -> None:
        rest: list[str] = []
        if flags.dash is not None:
            args, rest = args[: flags.dash], args[flags.dash :]
        finish(ctx, flags, make(ctx, one_name(args), rest, flags), prefix)

    return run


def _absent(prefix: str, resource: str) -> Callable[..., None]:
    """A kind that this API server does not serve; where it does not know the group either, kubectl adds what it asked for."""

    def run(ctx: Context, args: list[str], flags: Flags | None) -> None:
        message = "the server could not find the requested resource"
        if "." in resource:
            message += f" (post {resource})"
        raise CommandError(f"{prefix}{message}") if prefix else ApiError(404, "NotFound", message)

    return run


_RBAC = "rbac.authorization.k8s.io"
_ABSENT = (
    ("clusterrole", (), "", f"clusterroles.{_RBAC}"),
    ("clusterrolebinding", (), "failed to create clusterrolebinding: ", f"clusterrolebindings.{_RBAC}"),
    ("quota", ("resourcequota",), "failed to create quota: ", "resourcequotas"),
    ("role", (), "", f"roles.{_RBAC}"),
    ("rolebinding", (), "failed to create rolebinding: ", f"rolebindings.{_RBAC}"),
    ("token", (), "failed to create token: ", "serviceaccounts"),
)
_ABSENT_SHORTS = {
    "clusterrole": "Create a cluster role", "clusterrolebinding": "Create a cluster role binding for a particular cluster role",
    "quota": "Create a quota with the specified name",
    "role": "Create a role with single rule", "rolebinding": "Create a role binding for a particular role or cluster role",
    "token": "Request a service account token",
}
_SOURCES = (
    Flag("append-hash", "", False, "Put a hash of the content behind the name."),
    Flag("from-env-file", "", [], "File of lines key=value.", kind="array"),
    Flag("from-file", "", [], "[key=]PATH of a file or folder; may be repeated.", kind="array"),
    Flag("from-literal", "", [], "key=value; may be repeated.", kind="array"),
)
_TCP = Flag("tcp", "", [], "Ports as port or port:targetPort.")
_SERVICES = (
    ("clusterip", "ClusterIP", (Flag("clusterip", "", "", 'The address; "None" makes a headless service.'),), "NAME [--tcp=<port>:<targetPort>]",
     "Create a ClusterIP service"),
    ("externalname", "ExternalName", (Flag("external-name", "", "", "The DNS name the service stands for.", required=True),),
     "NAME --external-name external.name", "Create an ExternalName service"),
    ("loadbalancer", "LoadBalancer", (), "NAME [--tcp=port:targetPort]", "Create a LoadBalancer service"),
    ("nodeport", "NodePort", (Flag("node-port", "", 0, "The port on every node."),), "NAME [--tcp=port:targetPort]",
     "Create a NodePort service"),
)
_SECRETS = (
    Command("docker-registry", _generated(docker_registry_secret, "failed to create secret "), flags=(
        *_COMMON, _SOURCES[0], _SOURCES[2], Flag("docker-email", "", "", "E-mail at the registry."),
        Flag("docker-password", "", "", "Password at the registry."),
        Flag("docker-server", "", "https://index.docker.io/v1/", "The registry."),
        Flag("docker-username", "", "", "User at the registry.")),
        short="Create a secret for use with a Docker registry",
        use="NAME --docker-username=user --docker-password=password --docker-email=email [--docker-server=string]"),
    Command("generic", _generated(generic_secret, "failed to create secret "), flags=(
        *_COMMON, *_SOURCES, Flag("type", "", "", "The secret's type.")), short="Create a secret from a local file, directory, or literal value",
        use="NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1]"),
    Command("tls", _generated(tls_secret, "failed to create secret "), flags=(
        *_COMMON, _SOURCES[0], Flag("cert", "", "", "File of the certificate."), Flag("key", "", "", "File of its key.")),
        short="Create a TLS secret", use="NAME --cert=path/to/cert/file --key=path/to/key/file"),
)

COMMANDS = (
    Command(
        "create",
        create,
        flags=(DRY_RUN, _MANAGER, *FILENAME, *OUTPUT, SAVE_CONFIG, SELECTOR, VALIDATE,
               Flag("edit", "", False, "Edit the object before it is created."),
               Flag("raw", "", "", "Path to POST to."),
               Flag("windows-line-endings", "", False, "Only with --edit.")),
        commands=tuple(sorted((
            Command("configmap", _generated(config_map, "failed to create configmap: "), flags=(*_COMMON, *_SOURCES), aliases=("cm",),
                    short="Create a config map from a local file, directory or literal value",
                    use="NAME [--from-file=[key=]source] [--from-literal=key1=value1]"),
            Command("deployment", _generated(workloads.deployment, "failed to create deployment: "), aliases=("deploy",), flags=(
                *_COMMON, Flag("image", "", [], "Image to run; several make several containers.", required=True),
                Flag("port", "", -1, "Port the container serves.", kind="int32"),
                Flag("replicas", "r", 1, "How many.", kind="int32")),
                short="Create a deployment with the specified name", use="NAME --image=image -- [COMMAND] [args...]"),
            Command("cronjob", _generated(jobs.cron_job, "failed to create cronjob: "), aliases=("cj",), flags=(
                *_COMMON, Flag("image", "", "", "Image to run.", required=True),
                Flag("restart", "", "", "The pods' restart policy: OnFailure or Never."),
                Flag("schedule", "", "", "When, as in a crontab.", required=True)),
                short="Create a cron job with the specified name",
                use="NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...] [flags]"),
            Command("job", _generated(jobs.job, "failed to create job: "), flags=(
                *_COMMON, Flag("from", "", "", "A CronJob to take the job from: cronjob/NAME."), Flag("image", "", "", "Image to run.")),
                short="Create a job with the specified name", use="NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...]"),
            Command("ingress", _generated(ingresses.ingress, "failed to create ingress: "), aliases=("ing",), flags=(
                *_COMMON, Flag("annotation", "", [], "An annotation, as key=value; may be repeated.", kind="array"),
                Flag("class", "", "", "The IngressClass."), Flag("default-backend", "", "", "Where all else goes, as service:port."),
                Flag("rule", "", [], "A rule as host/path=service:port[,tls[=secret]]; a path that ends in * is a prefix.", kind="array")),
                short="Create an ingress with the specified name", use="NAME --rule=host/path=service:port[,tls[=secret]] "),
            Command("namespace", _generated(workloads.namespace, ""), flags=_COMMON, aliases=("ns",),
                    short="Create a namespace with the specified name", use="NAME"),
            Command("poddisruptionbudget", _generated(policies.disruption_budget, "failed to create poddisruptionbudgets: "), aliases=("pdb",),
                    flags=(*_COMMON, Flag("max-unavailable", "", "", "The most pods that may be unavailable, or what share of them."),
                           Flag("min-available", "", "", "The fewest pods that must stay available, or what share of them."),
                           Flag("selector", "", "", "Labels of the pods that are meant.")),
                    short="Create a pod disruption budget with the specified name",
                    use="NAME --selector=SELECTOR --min-available=N [--dry-run=server|client|none]"),
            Command("priorityclass", _generated(policies.priority_class, "failed to create priorityclass: "), aliases=("pc",), flags=(
                *_COMMON, Flag("description", "", "", "What the class is for."),
                Flag("global-default", "", False, "Whether pods that name no class get this one."),
                Flag("preemption-policy", "", "PreemptLowerPriority", "PreemptLowerPriority, or Never."),
                Flag("value", "", 0, "The priority of the class's pods.", kind="int32")),
                short="Create a priority class with the specified name",
                use="NAME --value=VALUE --global-default=BOOL [--dry-run=server|client|none]"),
            Command("secret", commands=_SECRETS, short="Create a secret using a specified subcommand", use="(docker-registry | generic | tls)"),
            Command("service", aliases=("svc",), short="Create a service using a specified subcommand", use="[flags]", commands=tuple(
                Command(name, _generated(service(type_), f"failed to create {type_} service: "), flags=(*_COMMON, _TCP, *own), short=short,
                        use=use)
                for name, type_, own, use, short in _SERVICES)),
            Command("serviceaccount", _generated(workloads.service_account, "failed to create serviceaccount: "), flags=_COMMON,
                    aliases=("sa",), short="Create a service account with the specified name", use="NAME"),
            *(Command(name, _absent(prefix, resource), aliases=aliases, short=_ABSENT_SHORTS[name], use="NAME", unparsed=True)
              for name, aliases, prefix, resource in _ABSENT),
        ), key=lambda command: command.name)),
        short="Create a resource from a file or from stdin",
        use="-f FILENAME",
    ),
)

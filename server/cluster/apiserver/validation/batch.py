"""Validation of the batch group: Job and CronJob, made and changed.

The policies of a Job are in ``jobpolicies``, its status in ``jobstatus``. A Job's template may only change while it is suspended and
no pod of it runs, and then only in where its pods may go and what they ask for.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/
"""

from __future__ import annotations

from server.cluster import cron, names, selectors
from server.cluster.apiserver.jobs import expected_labels
from server.cluster.apiserver.validation import jobpolicies, jobstatus, meta, pods
from server.cluster.apiserver.validation.fields import (
    Errors,
    Object,
    immutable,
    invalid,
    label_selector,
    not_negative,
    one_of,
    required,
    too_long,
    unsupported,
)
from server.cluster.apiserver.validation.kind import Kind
from server.cluster.apiserver.validation.specdiff import internal
from server.cluster.objects import condition_true, replaced

MODES = ("NonIndexed", "Indexed")
RESTARTS = ("OnFailure", "Never")
POLICIES = ("Allow", "Forbid", "Replace")
MANY, MOST_PARALLEL = 100_000, 10_000
LONGEST_CRON_JOB_NAME = 52
LONGEST_MANAGER = 63
NOT_GENERATED = "`selector` not auto-generated"
_COUNTS = ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished", "backoffLimitPerIndex",
           "maxFailedIndexes")
_SCHEDULING = ("nodeSelector", "tolerations", "schedulingGates")


def job(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=True)
    yield from _job(obj)


def _job(obj: Object) -> Errors:
    spec = obj.get("spec") or {}
    yield from _generated_selector(obj)
    yield from _job_spec(spec, "spec")
    yield from _job_selector(spec)
    completions = spec.get("completions") or 0
    if spec.get("completionMode") == "Indexed" and completions > 0:
        longest = f"{obj['metadata'].get('name', '')}-{completions - 1}"
        if names.label(longest):
            yield invalid("metadata.name", obj["metadata"].get("name", ""), f"will not able to create pod with invalid DNS label: {longest}")


def _generated_selector(obj: Object) -> Errors:
    spec = obj.get("spec") or {}
    if spec.get("manualSelector") or spec.get("selector") is None:
        return
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    expected = expected_labels(obj)
    for key, value in expected.items():
        if key not in labels:
            yield required(f"spec.template.metadata.labels[{key}]", f"must be '{value}'")
        elif labels[key] != value:
            yield invalid(f"spec.template.metadata.labels[{key}]", _sorted(labels), f"must be '{value}'")
    if not _matches(spec["selector"], expected):
        yield invalid("spec.selector", spec["selector"], NOT_GENERATED)


def _job_selector(spec: Object) -> Errors:
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
        return
    yield from label_selector(selector, "spec.selector")
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if not _matches(selector, labels):
        yield invalid("spec.template.metadata.labels", _sorted(labels), "`selector` does not match template `labels`")


def _sorted(labels: dict[str, str] | None) -> dict[str, str] | None:
    """As Go prints maps."""
    return dict(sorted(labels.items())) if labels is not None else None


def _matches(selector: Object, labels: dict[str, str] | None) -> bool:
    """Whether it does, as far as it is a selector at all."""
    return any(label_selector(selector, "")) or selectors.from_object(selector).matches(labels)


def _job_spec(spec: Object, path: str) -> Errors:
    for field in _COUNTS:
        yield from not_negative(f"{path}.{field}", spec.get(field))
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        yield required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    if spec.get("managedBy") is not None:
        yield from _manager(spec["managedBy"], f"{path}.managedBy")
    yield from _mode(spec, path)
    if spec.get("podFailurePolicy") is not None:
        yield from jobpolicies.pod_failure(spec, f"{path}.podFailurePolicy")
    if spec.get("successPolicy") is not None:
        if spec.get("completionMode", "NonIndexed") != "Indexed":
            yield invalid(f"{path}.successPolicy", spec["successPolicy"], "requires indexed completion mode")
        else:
            yield from jobpolicies.success(spec, f"{path}.successPolicy")
    if spec.get("podReplacementPolicy") is not None:
        supported = ("Failed",) if spec.get("podFailurePolicy") is not None else ("Failed", "TerminatingOrFailed")
        if spec["podReplacementPolicy"] not in supported:
            yield unsupported(f"{path}.podReplacementPolicy", spec["podReplacementPolicy"], supported)
    yield from pods.template(spec.get("template") or {}, f"{path}.template")
    yield from _restarts(spec, f"{path}.template.spec.restartPolicy")


def _manager(value: str, path: str) -> Errors:
    """``example.com/queue``."""
    domain, slash, rest = value.partition("/")
    if not value:
        yield required(path)
    elif not slash or not domain or not rest:
        yield invalid(path, value, "must be a domain-prefixed path (such as \"acme.io/foo\")")
    else:
        for message in names.subdomain(domain):
            yield invalid(path, domain, message)
    if len(value) > LONGEST_MANAGER:
        yield too_long(path, LONGEST_MANAGER)


def _mode(spec: Object, path: str) -> Errors:
    mode = spec.get("completionMode")
    if mode is not None and mode not in MODES:
        yield unsupported(f"{path}.completionMode", mode, MODES)
    if mode == "Indexed":
        yield from _indexed(spec, path)
    elif mode in (None, "NonIndexed"):
        for field in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(field) is not None:
                yield invalid(f"{path}.{field}", spec[field], "requires indexed completion mode")


def _indexed(spec: Object, path: str) -> Errors:
    completions, parallelism, failed = spec.get("completions"), spec.get("parallelism") or 0, spec.get("maxFailedIndexes")
    if completions is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")
    if parallelism > MANY:
        yield invalid(f"{path}.parallelism", parallelism, f"must be less than or equal to {MANY} when completion mode is Indexed")
    if completions is not None and failed is not None and failed > completions:
        yield invalid(f"{path}.maxFailedIndexes", failed, "must be less than or equal to completions")
    if failed is not None and failed > MANY:
        yield invalid(f"{path}.maxFailedIndexes", failed, f"must be less than or equal to {MANY}")
    if completions is not None and completions > MANY and spec.get("backoffLimitPerIndex") is not None:
        beyond = f"must be less than or equal to {MOST_PARALLEL} when completions are above {MANY} and used with backoff limit per index"
        if failed is None:
            yield required(f"{path}.maxFailedIndexes", f"must be specified when completions is above {MANY}")
        if parallelism > MOST_PARALLEL:
            yield invalid(f"{path}.parallelism", parallelism, beyond)
        if failed is not None and failed > MOST_PARALLEL:
            yield invalid(f"{path}.maxFailedIndexes", failed, beyond)


def _restarts(spec: Object, path: str) -> Errors:
    policy = ((spec.get("template") or {}).get("spec") or {}).get("restartPolicy", "")
    if policy in ("", "Always"):
        yield required(path, 'valid values: "OnFailure", "Never"')
    elif policy not in RESTARTS:
        yield unsupported(path, policy, RESTARTS)
    elif spec.get("podFailurePolicy") is not None and policy != "Never":
        yield invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified')


# changing a Job ----------------------------------------------------------------------------------------------------------

def job_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    if spec is was:
        return
    yield from _job(new)
    yield from _completions_update(spec, was)
    yield from immutable("spec.selector", spec.get("selector"), was.get("selector"))
    yield from _template_update(spec.get("template") or {}, old)
    for field in ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"):
        yield from immutable(f"spec.{field}", spec.get(field), was.get(field))


def _completions_update(spec: Object, was: Object) -> Errors:
    """Fixed, but for an indexed Job, whose size may change as a whole."""
    completions = spec.get("completions")
    if spec.get("completionMode") != "Indexed":
        yield from immutable("spec.completions", completions, was.get("completions"))
    elif completions is not None and completions != was.get("completions") and completions != spec.get("parallelism"):
        yield invalid("spec.completions", completions, "can only be modified in tandem with spec.parallelism")


def _template_update(template: Object, old: Object) -> Errors:
    was, status = old["spec"].get("template") or {}, old.get("status") or {}
    resting = (old["spec"].get("suspend") and not status.get("active")
               and ("startTime" not in status or condition_true(old, "Suspended")))
    if resting:
        if _scheduled_as(_sized_as(was, template), template) != template:
            yield from immutable("spec.template.spec", _internal(template)["Spec"], _internal(was)["Spec"])
    elif template != was:
        yield invalid("spec.template", _internal(template), "field is immutable")


def _internal(template: Object) -> Object:
    """A pod template as the server's errors show it."""
    about = {field: _sorted(value) if isinstance(value, dict) else value for field, value in (template.get("metadata") or {}).items()}
    return {**about, "Spec": internal(template.get("spec") or {}, "PodSpec")}


def _scheduled_as(template: Object, other: Object) -> Object:
    """``template`` with the scheduling directives, labels and annotations of ``other``."""
    spec, wanted = template.get("spec") or {}, other.get("spec") or {}
    affinity = {kind: value for kind, value in (spec.get("affinity") or {}).items() if kind != "nodeAffinity"}
    if node_affinity := (wanted.get("affinity") or {}).get("nodeAffinity"):
        affinity["nodeAffinity"] = node_affinity
    changes: dict[str | tuple[str, ...], object] = {("spec", field): wanted.get(field) for field in _SCHEDULING}
    changes["spec", "affinity"] = affinity or (wanted.get("affinity") if not wanted.get("affinity") else None)
    for field in ("labels", "annotations"):
        changes["metadata", field] = (other.get("metadata") or {}).get(field)
    return replaced(template, changes)


def _sized_as(template: Object, other: Object) -> Object:
    """``template`` with the resources that the containers of ``other`` ask for."""
    spec, wanted = template.get("spec") or {}, other.get("spec") or {}
    for field in ("containers", "initContainers"):
        ours, theirs = spec.get(field) or [], wanted.get(field) or []
        if ours and len(ours) == len(theirs):
            sized = [{**mine, "resources": yours["resources"]} if mine["name"] == yours["name"] and "resources" in yours else mine
                     for mine, yours in zip(ours, theirs, strict=True)]
            spec = {**spec, field: sized}
    return {**template, "spec": spec}


# CronJobs ----------------------------------------------------------------------------------------------------------------

def cron_job(obj: Object) -> Errors:
    yield from meta.create(obj, names.subdomain, namespaced=True)
    yield from _cron_job_spec(obj.get("spec") or {}, None)
    name = obj["metadata"].get("name", "")
    if len(name) > LONGEST_CRON_JOB_NAME:
        yield invalid("metadata.name", name, f"must be no more than {LONGEST_CRON_JOB_NAME} characters")


def cron_job_update(new: Object, old: Object) -> Errors:
    yield from meta.update(new, old)
    if new.get("spec") is not old.get("spec"):
        yield from _cron_job_spec(new.get("spec") or {}, old.get("spec") or {})


def _cron_job_spec(spec: Object, was: Object | None) -> Errors:
    path = "spec"
    yield from _schedule(spec, was, f"{path}.schedule")
    yield from not_negative(f"{path}.startingDeadlineSeconds", spec.get("startingDeadlineSeconds"))
    if was is None or spec.get("timeZone") != was.get("timeZone"):
        yield from _time_zone(spec.get("timeZone"), f"{path}.timeZone")
    yield from one_of(f"{path}.concurrencyPolicy", spec.get("concurrencyPolicy"), POLICIES)
    inner, at = (spec.get("jobTemplate") or {}).get("spec") or {}, f"{path}.jobTemplate.spec"
    yield from _job_spec(inner, at)
    if inner.get("selector") is not None:
        yield invalid(f"{at}.selector", inner["selector"], "`selector` will be auto-generated")
    if inner.get("manualSelector"):
        yield unsupported(f"{at}.manualSelector", True, ("nil", "false"))
    for field in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        yield from not_negative(f"{path}.{field}", spec.get(field))


def _schedule(spec: Object, was: Object | None, path: str) -> Errors:
    text = spec.get("schedule", "")
    if not text:
        yield required(path)
        return
    try:
        cron.parse(text)
    except cron.ScheduleError as fault:
        yield invalid(path, text, str(fault))
    if "TZ" not in text:
        return
    if was is None or "TZ" not in was.get("schedule", ""):
        yield invalid(path, text, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead")
    elif spec.get("timeZone") is not None:
        yield invalid(path, text, "cannot use both timeZone field and TZ or CRON_TZ in schedule")


def _time_zone(name: str | None, path: str) -> Errors:
    if name is None:
        return
    if not name:
        yield invalid(path, name, "timeZone must be nil or non-empty string")
        return
    if not cron.is_zone_name(name):
        yield invalid(path, name, f"unknown time zone {name}")
        return
    if name.lower() == "local":
        yield invalid(path, name, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones")
        if name == "Local":
            return
    try:
        cron.location(name)
    except cron.UnknownTimeZone as fault:
        yield invalid(path, name, str(fault))


KINDS: dict[str, Kind] = {
    "jobs.batch": Kind(job, job_update, jobstatus.job_status),
    "cronjobs.batch": Kind(cron_job, cron_job_update),
}

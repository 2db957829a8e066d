"""What `kubectl create job` and `kubectl create cronjob` make.

In: a name, an image or a CronJob to take the Job from, a command. Out: the object as kubectl sends it.
"""

from __future__ import annotations

from typing import Any

from server.kubectl import resources
from server.kubectl.context import Context
from server.kubectl.errors import CommandError
from server.kubectl.flags import Flags

Object = dict[str, Any]
INSTANTIATE = "cronjob.kubernetes.io/instantiate"


def job(ctx: Context, name: str, command: list[str], flags: Flags) -> Object:
    if bool(flags.image) == bool(flags["from"]):
        raise CommandError("either --image or --from must be specified")
    if command and flags["from"]:
        raise CommandError("cannot specify --from and command")
    about: Object = {"name": name}
    spec: Object = {"template": _template(name, flags.image, command, "Never")}
    if flags["from"]:
        about, spec = _from_cron_job(name, _origin(ctx, flags["from"]))
    return {"kind": "Job", "apiVersion": "batch/v1", "metadata": about, "spec": spec, "status": {}}


def _origin(ctx: Context, text: str) -> Object:
    found = resources.find(ctx, [text], stop_at_error=True)
    if len(found.infos) != 1:
        raise CommandError("from must be an existing cronjob")
    origin = found.infos[0]
    if origin.resource.kind != "CronJob":
        version = origin.resource.version
        raise CommandError(f"unknown object type *{version}.{origin.resource.kind}")
    return origin.object


def _from_cron_job(name: str, cron_job: Object) -> tuple[Object, Object]:
    """Metadata and spec of a Job that is started by hand, as the CronJob would have started it."""
    template = cron_job["spec"]["jobTemplate"]
    given = template.get("metadata") or {}
    about: Object = {"name": name}
    if given.get("labels"):
        about["labels"] = given["labels"]
    about["annotations"] = {INSTANTIATE: "manual", **(given.get("annotations") or {})}
    about["ownerReferences"] = [{"apiVersion": "batch/v1", "kind": "CronJob", "name": cron_job["metadata"]["name"],
                                 "uid": cron_job["metadata"]["uid"], "controller": True}]
    return about, template["spec"]


def cron_job(ctx: Context, name: str, command: list[str], flags: Flags) -> Object:
    inner = {"metadata": {"name": name}, "spec": {"template": _template(name, flags.image, command, flags.restart or "OnFailure")}}
    return {"kind": "CronJob", "apiVersion": "batch/v1", "metadata": {"name": name},
            "spec": {"schedule": flags.schedule, "jobTemplate": inner}, "status": {}}


def _template(name: str, image: str, command: list[str], restart: str) -> Object:
    container: Object = {"name": name, "image": image}
    if command:
        container["command"] = command
    return {"metadata": {}, "spec": {"containers": [{**container, "resources": {}}], "restartPolicy": restart}}

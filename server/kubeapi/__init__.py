"""The Kubernetes REST API over HTTP, for kubectl, helm and every other real client: ``mount`` puts it before a Flask application."""

from server.kubeapi.app import KubeApi, mount

__all__ = ["KubeApi", "mount"]

"""Every namespace has a ConfigMap ``kube-root-ca.crt``: the certificate by which its pods know the API server.

Pods find it in their token volume. The certificate is a real self-signed one; its key was thrown away, since nothing in the
simulation is encrypted.

Source: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-token-volume
"""

from __future__ import annotations

from server.cluster.controllers.per_namespace import PerNamespaceController

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBqTCCAU6gAwIBAgIUExdKUL7FSa1PjYaoQExmkh9ZnEswCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKa3ViZXJuZXRlczAgFw0yNjExMjEwNTA0MjNaGA8yMTI2MTAy
ODA1MDQyM1owFTETMBEGA1UEAwwKa3ViZXJuZXRlczBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABKgWqbtBgRIVMvyZdw/z+i428E/DIztucKFmSgGg7bInr4vUsI8O
HyhE94U5W5lXbIeRqZiJL8zY+HwXerEijx6jejB4MB0GA1UdDgQWBBTNz8qoiBkw
qH2R+MPd/oka9TvOCTAfBgNVHSMEGDAWgBTNz8qoiBkwqH2R+MPd/oka9TvOCTAP
BgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIChDAVBgNVHREEDjAMggprdWJl
cm5ldGVzMAoGCCqGSM49BAMCA0kAMEYCIQCHd7OWhG4scIFjs7q3sq956OFr+qp8
8gArJ78XrQ3uYAIhANbzPnByJS7CvUk7eWSTeyLcw1FSRQeGvmJikrB3mmbk
-----END CERTIFICATE-----
"""
DESCRIPTION = ("Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal "
               "service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.")


class RootCaController(PerNamespaceController):
    name = "root-ca-certificate-publisher-controller"
    resource = "configmaps"
    wanted = {"apiVersion": "v1", "kind": "ConfigMap",
              "metadata": {"name": "kube-root-ca.crt", "annotations": {"kubernetes.io/description": DESCRIPTION}},
              "data": {"ca.crt": CERTIFICATE}}

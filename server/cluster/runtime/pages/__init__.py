"""How the servers of images answer HTTP: a module for each family of them.

An answer is a function ``(site, method, path, headers) -> (status, headers, body)``; the ``Site`` is the container, seen from the one request.
"""

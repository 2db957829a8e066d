"""kubectl in the terminal: a client of the API server, as Kubernetes' own is. `main.run(argv, ctx)` is its one entry.

In: a command line and a `context.Context`. Out: text on its streams, an exit code, requests to the API server. Each command
family is a file in `commands/`; what they share (flags, resource arguments, printers, errors) is here.
"""

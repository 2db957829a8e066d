"""``python -m server``: the one way to start Podium. Green threads first, then everything else, then serve until told to stop."""

from __future__ import annotations

import sys

from server import green

green.patch()

from server import memory, settings  # noqa: E402
from server.app import create_app  # noqa: E402
from server.rooms.storage import StorageError  # noqa: E402


def main() -> int:
    memory.begin()
    chosen = settings.load(sys.argv[1:])
    try:
        app = create_app(chosen)
    except StorageError as error:
        print(f"podium: {error}", file=sys.stderr)
        return 1

    def listening(port: int) -> None:
        print(f"Podium is on http://{chosen.host if chosen.host != '0.0.0.0' else '127.0.0.1'}:{port}", flush=True)

    try:
        green.serve(app, chosen.host, chosen.port, on_listen=listening, on_stop=app.podium.close)
    except green.PortTaken as error:
        print(f"podium: {error}; choose another with --port", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

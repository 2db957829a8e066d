"""A server that notes how long each green thread keeps the loop: CPU time between two switches, and whose code that was.

CPU time of the one thread that serves, not wall time: what other processes on the machine do changes nothing. A round is all that runs
between two looks at the sockets, which is what a request of another room waits for, some times over. ``POST /bench/told`` gives what was
noted since the last time: {longest, over, stretches, rounds, round_95, round_longest, where}, in milliseconds of CPU.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import Any

from server import green

green.patch()

import eventlet  # noqa: E402
import greenlet  # noqa: E402
from eventlet import hubs  # noqa: E402

from server import memory  # noqa: E402
from server.app import create_app  # noqa: E402
from server.settings import load  # noqa: E402

LONG, LOOK_EVERY, DEEP = 0.020, 0.008, 7
threading, clock = (eventlet.patcher.original(name) for name in ("threading", "time"))


class Recorder:
    """Told of every switch, in the thread that serves; another thread looks what code runs when a stretch is long already."""

    def __init__(self) -> None:
        self._serving = threading.get_ident()
        self._clock = clock.pthread_getcpuclockid(self._serving)
        self._began = self._looked = clock.thread_time()
        self._seen: list[str] = []
        self._clear()
        self._watch_hub()
        greenlet.settrace(self._switched)
        threading.Thread(target=self._look, daemon=True).start()

    def _clear(self) -> None:
        self._longest, self._over, self._count = 0.0, 0, 0
        self._rounds: list[float] = []
        self._where: Counter[str] = Counter()
        self._times: Counter[str] = Counter()

    def told(self) -> dict[str, Any]:
        rounds = sorted(self._rounds)
        total, sofar, wide = sum(rounds), 0.0, 0.0
        for one in rounds:  # how long a round lasts that one comes into at a random moment: nineteen of twenty times at most so long
            wide, sofar = one, sofar + one
            if sofar >= 0.95 * total:
                break
        told = {"longest": _ms(self._longest), "over": self._over, "stretches": self._count, "rounds": len(rounds), "round_95": _ms(wide),
                "round_longest": _ms(rounds[-1] if rounds else 0.0), "cpu": round(total, 2),
                "where": [[place, longest, self._times[place]] for place, longest in self._where.most_common(8)]}
        self._clear()
        return told

    def _switched(self, event: str, between: tuple[Any, Any]) -> None:
        now = clock.thread_time()
        took = now - self._began
        self._count += 1
        if took > self._longest:
            self._longest = took
        if took > LONG:
            self._over += 1
            frame = between[0].gr_frame
            for place in set(self._seen) or {_place(frame) if frame is not None else "it ended"}:
                self._where[place] = max(self._where[place], _ms(took))
                self._times[place] += 1
        if self._seen:
            self._seen = []
        self._began = clock.thread_time()

    def _watch_hub(self) -> None:
        hub = hubs.get_hub()
        wait = hub.wait

        def waits(seconds: float | None = None) -> None:
            now = clock.thread_time()
            self._rounds.append(now - self._looked)
            self._looked = now
            wait(seconds)

        hub.wait = waits

    def _look(self) -> None:
        while True:
            clock.sleep(LOOK_EVERY)
            if clock.clock_gettime(self._clock) - self._began > LONG / 2:
                frame = sys._current_frames().get(self._serving)
                if frame is not None:
                    self._seen.append(_place(frame))


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _place(frame: Any) -> str:
    """The innermost functions of ours, the outer ones first."""
    found: list[str] = []
    while frame is not None:
        code = frame.f_code
        if "/server/" in code.co_filename and len(found) < DEEP:
            found.append(f"{code.co_filename.rpartition('/server/')[2].removesuffix('.py')}.{code.co_name}")
        elif not found:
            found.append(f"{code.co_filename.rpartition('/')[2]}.{code.co_name}")
        frame = frame.f_back
    return " > ".join(reversed(found))


def main(arguments: list[str]) -> None:
    memory.begin()
    app = create_app(load(arguments))
    below = app.wsgi_app
    recorder = Recorder()

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] != "/bench/told":
            return below(environ, start_response)
        body = json.dumps(recorder.told()).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    app.wsgi_app = application
    green.serve(app, "127.0.0.1", 0, on_listen=lambda port: print(f"listening on http://127.0.0.1:{port}", flush=True), on_stop=app.podium.close)


if __name__ == "__main__":
    main(sys.argv[1:])

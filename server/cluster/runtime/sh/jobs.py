"""The builtins that deal with other processes: wait, jobs, kill, fg, bg.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/wait.html
"""

from __future__ import annotations

import re
from typing import Any

from server.cluster.process import Gate, Pass
from server.cluster.runtime import stopping
from server.cluster.runtime.pids import tell
from server.cluster.runtime.sh.builtins import kill_list, signal_of
from server.cluster.runtime.sh.expansion import Going
from server.cluster.runtime.sh.state import NUMBERS
from server.cluster.runtime.signals import SIGNALS


def job_of(sh: Any, word: str) -> dict[str, Any] | None:
    """The job that ``%...`` names."""
    rest = word[1:]
    if rest in ("", "%", "+"):
        return sh.jobs[-1] if sh.jobs else None
    if rest == "-":
        return sh.jobs[-2] if len(sh.jobs) > 1 else None
    if rest.isdigit():
        return next((job for job in sh.jobs if job["id"] == int(rest)), None)
    return next((job for job in sh.jobs if (rest[1:] in job["text"] if rest[0] == "?" else job["text"].startswith(rest))), None)


def wait(sh: Any, argv: list[str], frame: Any) -> Going:
    words = [word for word in argv[1:] if word not in ("-n", "-f", "--")]
    procs = sh.proc.system.procs
    sh.pure = False
    if not words:
        while alive := [pid for job in sh.jobs for pid in job["pids"] if pid in procs and procs[pid].alive]:
            if sh.pending:
                return 128 + sh.pending[0]
            if "-n" in argv and any(not all(pid in alive for pid in job["pids"]) for job in sh.jobs):
                break
            yield Pass(procs[alive[0]].done) if "-n" not in argv else Pass(procs[alive[0]].done)
        sh.collect()
        if "-n" not in argv:
            sh.jobs.clear()
        return 0
    status = 0
    for word in words:
        if word.startswith("%"):
            job = job_of(sh, word)
            if job is None:
                sh.complain(f"{word}: no such job", "wait")
                status = 127 if sh.flavor == "bash" else 2
                continue
            pid = job["pids"][-1]
        elif word.isdigit():
            pid = int(word)
        else:
            if sh.flavor == "bash":
                sh.complain(f"`{word}': not a pid or valid job spec", "wait")
            else:
                sh.complain(f"{'i' if sh.flavor == 'ash' else 'I'}llegal number: {word}", "wait")
            return 1 if sh.flavor == "bash" else 2
        known = str(pid) in sh.state.get("reaped", {}) or pid in procs and procs[pid].ppid == sh.proc.pid
        if not known and sh.flavor == "bash":
            sh.complain(f"pid {pid} is not a child of this shell", "wait")
        status = yield sh.ended(pid, True)
        if status == -1:
            return 128 + sh.pending[0]
        sh.state.get("reaped", {})[str(pid)] = status
        sh.jobs[:] = [job for job in sh.jobs if job["pids"][-1] != pid]
    return status


def jobs(sh: Any, argv: list[str], frame: Any) -> int:
    sh.collect()
    kept = []
    for place, job in enumerate(sh.jobs):
        mark = "+" if place == len(sh.jobs) - 1 else "-" if place == len(sh.jobs) - 2 else " "
        alive = running(sh, job)
        if "-p" in argv:
            sh.proc.out(f"{job['pids'][0]}\n")
        else:
            pid = f"{job['pids'][0]} " if "-l" in argv else ""
            sh.proc.out(f"[{job['id']}]{mark}  {pid}{state_of(sh, job):<{24 if sh.flavor == 'bash' else 27 - len(pid)}}{job['text']}"
                        f"{' &' if sh.flavor == 'bash' and alive and not stopped(sh, job) else ''}\n")
        if alive:
            kept.append(job)
    sh.jobs[:] = kept
    return 0


def running(sh: Any, job: dict[str, Any]) -> bool:
    procs = sh.proc.system.procs
    return any(pid in procs and procs[pid].alive for pid in job["pids"])


def stopped(sh: Any, job: dict[str, Any]) -> list[Any]:
    """The processes of a job that stand still."""
    procs = sh.proc.system.procs
    return [proc for pid in job["pids"] if (proc := procs.get(pid)) is not None and proc.alive and proc.stopped is not None]


def go_on(procs: list[Any]) -> None:
    for group in dict.fromkeys(proc.group for proc in procs):
        for each in [each for each in procs[0].system.procs.values() if each.group == group]:
            stopping.go_on(each)


def state_of(sh: Any, job: dict[str, Any]) -> str:
    if stopped(sh, job):
        return "Stopped"
    if running(sh, job):
        return "Running"
    code = sh.state.get("reaped", {}).get(str(job["pids"][-1]), 0)
    if code > 128 and code - 128 in NUMBERS:
        return {9: "Killed", 15: "Terminated", 2: "Interrupt", 1: "Hangup"}.get(code - 128, NUMBERS[code - 128])
    return "Done" if code == 0 else f"Exit {code}" if sh.flavor == "bash" else f"Done({code})"


def kill(sh: Any, argv: list[str], frame: Any) -> Going:
    words, signal, own = argv[1:], 15, False
    if words[:1] in (["-l"], ["-L"]):
        if len(words) == 1:
            return kill_list(sh)
        for word in words[1:]:
            if word.isdigit():
                value = int(word) - 128 if int(word) > 128 else int(word)
                sh.proc.out(f"{NUMBERS.get(value, value)}\n")
            else:
                sh.proc.out(f"{SIGNALS.get(signal_of(word) or '', word)}\n")
        return 0
    if words and words[0].startswith("-") and words[0] != "--":
        word = words.pop(0)
        name = (words.pop(0) if words else "") if word in ("-s", "-n") else word[1:]
        known = signal_of(name)
        if known is None:
            sh.complain(f"bad signal name '{name}'" if sh.flavor == "ash" else f"{name}: invalid signal specification" if sh.flavor == "bash"
                        else f"invalid signal number or name: {name}", "" if sh.flavor == "ash" else "kill")
            return 1
        signal = SIGNALS.get(known, 0)
    if words[:1] == ["--"]:
        words.pop(0)
    if not words:
        if sh.flavor == "bash":
            sh.proc.err("kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n")
        else:
            sh.complain("you need to specify whom to kill" if sh.flavor == "ash" else "usage: kill [-s sigspec | -signum | -sigspec] [pid | job]...")
        return 1 if sh.flavor != "bash" else 2
    code, system = 0, sh.proc.system
    for word in words:
        if word.startswith("%"):
            job = job_of(sh, word)
            if job is None:
                if sh.flavor == "bash":
                    sh.complain(f"{word}: no such job", "kill")
                    code = 1
                    continue
                raise sh.trouble(f"No such job: {word}" if sh.flavor == "dash" else f"{word}: no such job", "kill")
            pids = job["pids"]
        elif re.fullmatch(r"-?\d{1,9}", word):
            pid = int(word)
            if pid == 0 or pid < -1:
                if "sent" not in frame:
                    system.signal_group(-pid or sh.proc.group, signal)
                own = True
                continue
            pids = [pid] if pid > 0 else [each.pid for each in system.seen() if each.pid not in (1, sh.proc.pid)]
        else:
            sh.complain(f"invalid number '{word}'" if sh.flavor == "ash" else f"{word}: arguments must be process or job IDs"
                        if sh.flavor == "bash" else f"Illegal number: {word}", "" if sh.flavor == "ash" else "kill")
            code = 1 if sh.flavor != "dash" else 2
            continue
        for pid in pids:
            proc = system.procs.get(pid) or next((each for each in system.seen() if each.pid == pid), None)
            if proc is None:
                if not word.startswith("%"):
                    text = {"ash": f"can't kill pid {pid}: No such process", "dash": "No such process\n",
                            "bash": f"({pid}) - No such process"}[sh.flavor]
                    sh.complain(text, "" if sh.flavor == "ash" else "kill")
                    code = 1
            elif signal:
                own = own or pid == sh.proc.pid
                if "sent" not in frame:
                    tell(proc, signal)
    if own:
        frame["sent"] = True
        yield Pass(Gate(), 0.0)
    return code


def fg(sh: Any, argv: list[str], frame: Any) -> Going:
    sh.collect()
    if "job" not in frame:
        job = job_of(sh, argv[1] if len(argv) > 1 else "%+")
        if sh.flavor == "bash" and not sh.option("m"):
            sh.complain("no job control", argv[0])
            return 1
        if job is None:
            text = "No current job" if len(argv) < 2 else f"{argv[1]}: no such job"
            raise sh.trouble(text if sh.flavor != "bash" else text.replace("No current job", "current: no such job"), argv[0])
        parked = stopped(sh, job)
        if argv[0] == "bg" and parked:
            sh.proc.out(f"[{job['id']}]+ {job['text']} &\n" if sh.flavor == "bash" else f"[{job['id']}] {job['text']}\n")
            go_on(parked)
            return 0
        if argv[0] == "bg":
            sh.complain("job already in background" if sh.flavor == "bash" else f"job {job['id']} already in background", "bg")
            return 0
        sh.proc.out(job["text"] + "\n")
        frame["job"] = job["pids"]
        if sh.option("m") and (tty := sh.proc.tty) is not None and job["pids"][0] in sh.proc.system.procs:
            tty.foreground = sh.proc.system.procs[job["pids"][0]].group
        go_on(parked)
    status = 0
    for pid in frame["job"]:
        status = yield sh.ended(pid)
    sh.jobs[:] = [job for job in sh.jobs if job["pids"] != frame["job"] or stopped(sh, job)]
    yield sh._stopped_by(status)
    return status


BUILTINS = {"wait": wait, "jobs": jobs, "kill": kill, "fg": fg, "bg": fg}

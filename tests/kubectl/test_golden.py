"""A day at the terminal, told by transcripts of a real v1.36 cluster (transcripts/): the same commands in the same order against a
simulated cluster print the same, but for times, addresses and generated names.

STORY is what is typed: a number is a transcript to compare with, `!` a command that only sets the stage, `+` virtual seconds to wait.
"""

from __future__ import annotations

import re
from pathlib import Path

from server.cluster.cluster import Cluster
from tests.kubectl.terminal import Terminal
from tests.kubectl.world import FILES

TRANSCRIPTS = {path.name[:3]: path for path in sorted((Path(__file__).parent / "transcripts").glob("*.txt"))}
LETTERS = "bcdfghjklmnpqrstvwxz2456789"
NORMAL = (
    (r"\b\d+[smhd](\d+[smh])?\b", "AGE"),
    (rf"-[{LETTERS}]{{8,10}}-[{LETTERS}]{{5}}\b", "-HASH-NAME"),
    (rf"-[{LETTERS}]{{8,10}}\b", "-HASH"),
    (rf"\b(3-replicaset|nginx-svc|kubernetes)-[{LETTERS}]{{5}}\b", r"\1-NAME"),
    (r"\b\d+\.\d+\.\d+\.\d+\b", "ADDRESS"),
    (r"16443", "6443"),
    (r'("?(uid|resourceVersion)"?): \S+', r"\1: X"),
    (r"20\d\d-\d\d-\d\d[T ][0-9:.]+(Z| \+0000)", "TIME"),
    (r"(LIVE|MERGED|kubectl-edit)-\d+", r"\1-N"),
    (r"kube-api-access-\w+", "kube-api-access-NAME"),
    (r"(containerd://|sha256:)[0-9a-f]+", r"\1X"),
    (rf"\b[{LETTERS}]{{9,10}}\b(?!\.)", "HASH"),
    (r"80:3\d{4}", "80:PORT"),
    (r"\bw\d-k8s\b", "WORKER"),
    (r" +", " "),
)
STORY = """
001 002 007 012 020 021 022 024 025 028 029 030 031 040 041 045
!kubectl apply -f nginx-deploy.yml
+10 056 057 058 +3 060 061 062 +3 064 065 066 067 068 069 072 074 075 076 077 078 079 080 085 086
100 +2 101 102 103 105 106 107 111
!kubectl delete deploy nginx-deploy
+5 205 +5 207 209 211 213 +3 214 215 216 +40 218
271 272 273 276 +3 277 278
!kubectl create service clusterip nginx --tcp=80
279 280 281 283 284 285 288 290
!kubectl delete pod nginx
294 296 297 298 299 300 301 302 303 306 +5 307 308 309 310 311
!kubectl create cm cm1 --from-literal=a=1 --from-literal=b=two
!kubectl create service nodeport n1 --tcp=80:80 --node-port=30123
322 323 326 329 330 331 334 352 353 358 359 360 372 373 374 375 376 377 +2 378 +10
421 426 416 430 434 453 454 457 459 463 465 466 470 471 472 476 481 486 487 488 489
549 551 554 557 559 562 563 564 565 567 572 573 575 577 578 579 580 582 584 585 586 588 589 594 595 596 597 598 599 602 603 613 616
"""


def normal(text: str) -> str:
    for pattern, word in NORMAL:
        text = re.sub(pattern, word, text)
    return text


def transcript(number: str) -> tuple[str, int, str, str]:
    line, _, rest = TRANSCRIPTS[number].read_text().removeprefix("$ ").partition("\n")
    code, _, rest = rest.partition("\n--- stdout\n")
    stdout, _, stderr = rest.partition("--- stderr\n")
    return line, int(code.removeprefix("[exit ").removesuffix("]")), stdout, stderr


def test_a_day_at_the_terminal_reads_as_on_a_real_cluster() -> None:
    cluster = Cluster(seed=8)
    terminal = Terminal(cluster, {**FILES, "pod.yaml": FILES["kiamol.yaml"]})
    wrong, compared = [], 0
    for step in (word for row in STORY.strip().splitlines() for word in ([row] if row.startswith("!") else row.split())):
        if step.startswith("!"):
            assert terminal.run(step[1:]).code == 0, step
        elif step.startswith("+"):
            cluster.clock.run_for(float(step[1:]))
        else:
            line, code, stdout, stderr = transcript(step)
            told = play(terminal, line)
            compared += 1
            if told != (normal(stdout), normal(stderr), code):
                wrong.append((step, line, told, (normal(stdout), normal(stderr), code)))
    assert wrong == []
    assert compared > 150


def play(terminal: Terminal, line: str) -> tuple[str, str, int]:
    editor = re.match(r'KUBE_EDITOR=("[^"]*"|\S+) (.*)', line)
    if editor:
        terminal.env["KUBE_EDITOR"], line = editor.group(1).strip('"'), editor.group(2)
    stdin = None
    piped = re.match(r"cat (\S+) \| (.*)", line)
    if piped:
        stdin, line = terminal.files.read(piped.group(1)), piped.group(2)
    pods = [pod["metadata"]["name"] for pod in terminal.cluster.api.lister("pods").list("default")]
    named = re.search(r"nginx-deploy-[0-9a-f]+-\w{5}\b|nginx-deploy-\w{8,10}-\w{5}\b", line)
    if named:
        line = line.replace(named.group(), next(pod for pod in pods if pod.startswith("nginx-deploy")))
    result = terminal.run(line, stdin=stdin)
    terminal.env.clear()
    return normal(result.stdout), normal(result.stderr), result.code

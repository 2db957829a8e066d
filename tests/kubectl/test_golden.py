"""Days at the terminal, told by transcripts of a real v1.36 cluster (transcripts/): the same commands in the same order against a
simulated cluster print the same, but for times, addresses and generated names.

STORIES are what is typed: a number is a transcript to compare with, `!` a command that only sets the stage, `+` virtual seconds to wait,
`%` a machine that loses its power or, said again, gets it back. A pod's generated name in a transcript stands for the first of its like,
on the machine without power if there is one.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.cluster.cluster import Cluster
from tests.kubectl.desk import Desk
from tests.kubectl.terminal import Terminal
from tests.kubectl.world import FILES

TRANSCRIPTS = {path.name[:3]: path for path in sorted((Path(__file__).parent / "transcripts").glob("*.txt"))}
LETTERS = "bcdfghjklmnpqrstvwxz2456789"
NORMAL = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UID"),
    (r"in \S+ \(\S+ including waiting\)\. Image size: \d+", "in AGE. Image size: N"),
    (r"\b\d+[smhd](\d+[smh])?\b", "AGE"),
    (rf"-[{LETTERS}]{{8,10}}-[{LETTERS}]{{5}}\b", "-HASH-NAME"),
    (rf"-[{LETTERS}]{{8,10}}\b", "-HASH"),
    (rf"(?<=[a-z0-9])-[{LETTERS}]{{5}}\b", "-NAME"),
    (r"-2\d{7}\b", "-MINUTE"),
    (r"\b\d+\.\d+\.\d+\.\d+\b", "ADDRESS"),
    (r"16443", "6443"),
    (r'("?(uid|resourceVersion)"?): \S+', r"\1: X"),
    (r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000", "TIME"),
    (r"20\d\d-\d\d-\d\d[T ][0-9:.]+(Z| \+0000)", "TIME"),
    (r"(LIVE|MERGED|kubectl-edit)-\d+", r"\1-N"),
    (r"kube-api-access-\w+", "kube-api-access-NAME"),
    (r"(containerd://|sha256:)[0-9a-f]+", r"\1X"),
    (rf"\b[{LETTERS}]{{9,10}}\b(?!\.)", "HASH"),
    (r"80:3\d{4}", "80:PORT"),
    (r"\bw\d-k8s\b", "WORKER"),
    (r" +", " "),
)
STORIES = {
    "a day at the terminal": """
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
!kubectl create ingress ing1 --rule="foo.com/bar=svc1:8080"
346
!kubectl delete svc nginx-svc --ignore-not-found
!kubectl create ingress web-ing --class=nginx --rule="a.example.com/*=nginx-svc:8080,tls=tls1"
493
""",
    "workloads and their storage": """
!kubectl apply -f nginx-deploy.yml
!kubectl apply -f x/slowroll.yaml
!kubectl scale deploy slow --replicas=1
+40 192 193 194 195 196
!kubectl scale deploy/slow deploy/nginx-deploy --replicas=2
!kubectl autoscale deploy slow --min=1 --max=5 --cpu=80%
!kubectl autoscale deploy nginx-deploy --max=3 --cpu-percent=50
+16 200 201 202 203 204
!kubectl delete deploy nginx-deploy
+40 205 +5 207 208 209
!kubectl delete rs --all
+40 219 +10 220 221 222 223 224 225 227 228 229 230
!kubectl create job manual --from=cronjob/asdf
+5 233 237 +2 238 239 +3 240 242 243
!kubectl delete cronjob asdf
244 +8 247 248 250
!kubectl scale sts web --replicas=1
+5 253
!kubectl rollout restart sts/web
+5 257 263 265 +20 266
!kubectl delete cronjob testcron
318
!kubectl delete cronjob cj1
348 350 351 552 546
!kubectl delete pdb p1
!kubectl apply -f x/kinds-built.yaml
+2 497 498 506 507 +10 510 511 +4 512 513 +3 514 515 516
!kubectl delete sts web
+40 518
!kubectl apply -f cronjob-fixed.yml
!kubectl apply -f testcron.yaml
!kubectl create cronjob cj1 --image=busybox --schedule="*/5 * * * *" -- date
635
!kubectl delete deploy,rs,ds,sts,job,pods --all
+40 639 642
!kubectl delete svc --all
643
""",
    "nodes and pods in trouble": """
!kubectl create service nodeport n1 --tcp=80:80 --node-port=30123
!kubectl create deployment deploy-nginx --image=nginx --replicas=2
!kubectl apply -f x/multi.yaml
!kubectl apply -f x/config.yaml
!kubectl apply -f x/nodesel.yaml
+3 391 +3 392 393 +30 405 406 410 436
+40 438 439 440 441 443 445 446 447 448 450 451 462
519 520 521
!kubectl uncordon w1-k8s
528
!kubectl taint node w3-k8s key=value:NoSchedule
530 531 532
!kubectl delete pod multi --now
535 536 537 538 539 540 541 542 543
!kubectl delete deploy --all
+40 706 +10 707
%w3-k8s
+50 711 712
%w3-k8s
+30 717 719
""",
}


def normal(text: str) -> str:
    for pattern, word in NORMAL:
        text = re.sub(pattern, word, text)
    return text


def transcript(number: str) -> tuple[str, int, str, str]:
    line, _, rest = TRANSCRIPTS[number].read_text().removeprefix("$ ").partition("\n")
    code, _, rest = rest.partition("\n--- stdout\n")
    stdout, _, stderr = rest.partition("--- stderr\n")
    return line, int(code.removeprefix("[exit ").removesuffix("]")), stdout, stderr


@pytest.mark.parametrize("story", STORIES)
def test_a_story_at_the_terminal_reads_as_on_a_real_cluster(story: str) -> None:
    cluster = Cluster(seed=8)
    terminal = Terminal(cluster, {**FILES, "pod.yaml": FILES["kiamol.yaml"]})
    wrong, compared, dark = [], 0, {}
    for step in (word for row in STORIES[story].strip().splitlines() for word in ([row] if row.startswith("!") else row.split())):
        if step.startswith("!"):
            assert terminal.run(step[1:]).code == 0, step
        elif step.startswith("+"):
            cluster.clock.run_for(float(step[1:]))
        elif step.startswith("%"):
            node = step[1:]
            if node in dark:
                cluster.chaos.heal(dark.pop(node))
            else:
                dark[node] = cluster.chaos.inject("power", node)["id"]
        else:
            line, code, stdout, stderr = transcript(step)
            told = play(terminal, line, next(iter(dark), ""))
            compared += 1
            if told != (normal(stdout), normal(stderr), code):
                wrong.append((step, line, told, (normal(stdout), normal(stderr), code)))
    assert wrong == []
    assert compared > 40


def play(terminal: Terminal, line: str, node: str) -> tuple[str, str, int]:
    """``node`` is where the pod of a generated name in ``line`` runs, if that matters."""
    if line.startswith("KUBE_EDITOR="):
        result = Desk(terminal.cluster).run(line)
        return normal(result.stdout), normal(result.stderr), result.code
    stdin = None
    piped = re.match(r"cat (\S+) \| (.*)", line)
    if piped:
        stdin, line = terminal.files.read(piped.group(1)), piped.group(2)
    named = re.search(rf"\b(nginx-deploy|prometheus-daemonset|web)-([0-9a-f]+-\w{{5}}|[{LETTERS}]{{8,10}}-[{LETTERS}]{{5}}|[{LETTERS}]{{5}})\b", line)
    if named:
        pods = terminal.cluster.api.lister("pods").list("default")
        line = line.replace(named[0], next(pod["metadata"]["name"] for pod in pods
                                           if pod["metadata"]["name"].startswith(named[1]) and node in ("", pod["spec"].get("nodeName"))))
    result = terminal.run(line, stdin=stdin)
    return normal(result.stdout), normal(result.stderr), result.code

"""The room's workstation: a shell with kubectl among its programs, files that stay, jobs in the background, and its bounds."""

from __future__ import annotations

import pytest

from server.cluster.cluster import Cluster
from server.rooms.room import RoomError
from server.rooms.terminal import Terminal
from server.settings import Settings
from tests.rooms.desk import Desk, Screen


@pytest.fixture(scope="module")
def shared():
    return Desk(Cluster(seed=3))


@pytest.fixture
def desk():
    return Desk(Cluster(seed=4))


def test_kubectls_output_goes_through_pipes_and_substitutions(shared):
    assert shared.said("kubectl get nodes --no-headers | grep -c w") == "3\n"
    assert shared.said("for n in $(kubectl get nodes -o name | head -2); do echo \"[$n]\"; done") == "[node/m-k8s]\n[node/w1-k8s]\n"
    assert shared.said("k get nodes -o name > names; wc -l < names; tail -1 names") == "4\nnode/w3-k8s\n"


def test_a_here_document_becomes_a_file_that_kubectl_applies(desk):
    text = "cat > f.yml <<EOF\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: made\ndata:\n  user: $USER\nEOF\nkubectl apply -f f.yml\n"
    assert desk.said(text) == "configmap/made created\n"
    assert desk.said("kubectl get cm made -o jsonpath='{.data.user}'") == "root"
    assert desk.said("kubectl delete -f - <<EOF\n$(cat f.yml)\nEOF") == 'configmap "made" deleted from default namespace\n'
    assert desk.said("sed s/made/other/ f.yml | kubectl apply -f -") == "configmap/other created\n"


def test_a_session_keeps_variables_functions_directory_and_its_context_but_no_other_sees_them(desk):
    desk.run("X=1; export Y=2; greet() { echo hi $1; }; mkdir -p a/b; cd a/b; kubectl config set-context --current --namespace=kube-system")
    assert desk.said("echo $X $Y; greet you; pwd; kubectl get pods -o name | grep -c etcd") == "1 2\nhi you\n/root/a/b\n1\n"
    other = Desk.__new__(Desk)
    other.__dict__.update(desk.__dict__)
    other.terminal = Terminal(desk.room, desk.workstation)
    assert other.said("echo $X$Y; pwd; ls a; kubectl get pods") == "\n/root\nb\nNo resources found in default namespace.\n"


def test_files_stay_with_the_cluster_and_the_examples_are_there(desk):
    assert {"pod.yaml", "nginx-deploy.yml", "cronjob.yml"} <= set(desk.said("ls").split())
    desk.run("echo mine > kept.txt; rm pod.yaml; mkdir folder")
    again = Desk(Cluster.restore(desk.cluster.snapshot()))
    assert again.said("cat kept.txt; ls -d folder; ls pod.yaml") == "mine\nfolder\nls: cannot access 'pod.yaml': No such file or directory\n"


def test_a_background_job_goes_on_behind_the_prompt_and_can_be_killed(desk):
    assert desk.run("sleep 1000 &\njobs").stdout == "[1]+  Running                 sleep 1000 &\n"
    assert "Running" in desk.said("jobs")
    assert desk.said("kill %1; sleep 0.1; jobs").endswith("Terminated              sleep 1000\n")
    assert desk.said("jobs") == ""


def test_a_job_is_announced_where_somebody_types_only(desk):
    assert desk.run("sleep 1 & wait; echo done") == ("done\n", "", 0)
    assert desk.sit("sleep 1 & wait; echo done", 3).text.startswith("[1] ")


def test_watch_fills_the_screen_and_no_more(desk):
    shown = []
    desk.terminal.start("watch seq 9", shown.append, shown.append, lambda code: None, typed=True, columns=40, rows=6)
    desk.pass_(1)
    assert "".join(shown).replace("\r\n", "\n").split("\n")[1:] == ["", "1", "2", "3", "4"]
    wide = []
    desk.terminal.start("watch 'seq -s. 30; echo below; echo out'", wide.append, wide.append, lambda code: None, typed=True, columns=40, rows=5)
    desk.pass_(1)
    assert "".join(wide).replace("\r\n", "\n").split("\n")[3:] == ["below"]


def test_who_leaves_a_node_is_told_so(desk):
    seat = desk.sit("ssh w1-k8s")
    assert seat.type("exit\r").endswith("exit\nlogout\nConnection to w1-k8s closed.\n")


def test_errors_and_exit_codes_are_bashs(shared):
    assert shared.run("nosuch") == ("", "bash: nosuch: command not found\n", 127)
    assert shared.run("if") == ("", "bash: syntax error: unexpected end of file\n", 2)
    assert shared.run("kubectl get pod nope").code == 1
    assert shared.run("kubectl get pod nope || echo none").stdout == "none\n"
    assert shared.run("timeout 5 kubectl get pods -w").code == 124
    assert "kubeconfig" in shared.run("helm ls").stderr


def test_ctrl_c_ends_what_runs_and_the_next_command_is_not_run(desk):
    assert desk.run("kubectl get pods -w; echo next", interrupt_after=5).code == 130
    screen = desk.sit("kubectl get nodes -w")
    assert "w3-k8s" in screen.text
    assert screen.type("\x03").startswith("^C") and screen.code == 130


def test_what_is_typed_goes_to_the_command_that_runs(desk):
    screen = desk.sit("cat; echo over")
    assert screen.type("hello\r") == "hello\nhello\n"
    assert screen.type("\x04") == "over\n" and screen.code == 0
    screen = desk.sit("read -p 'name? ' name; echo \"<$name>\"")
    assert screen.text == "name? "
    assert screen.type("kim\x7fn\r") == "kim\b \bn\n<kin>\n" or "<kin>" in screen.text
    assert desk.said("echo $name") == "kin\n"


def test_what_was_typed_ahead_and_nobody_read_is_told(desk):
    screen = desk.sit("sleep 5")
    screen.type("echo late\rhal", 10)
    assert screen.code == 0 and screen.line.unread == "echo late\nhal"


def test_an_errors_line_is_told_apart_on_a_terminal(desk):
    out, err = [], []
    desk.terminal.start("echo fine; nosuch", out.append, err.append, lambda code: None, typed=True)
    desk.pass_(1)
    assert ("".join(out), "".join(err)) == ("fine\r\n", "bash: nosuch: command not found\r\n")


def test_commands_of_one_text_do_not_all_begin_in_one_instant(desk):
    desk.run("kubectl create deployment web --image=nginx; kubectl get pods > pods")
    assert desk.said("grep -c web- pods") == "1\n"
    desk.room.paused = True
    now = desk.cluster.clock.now
    codes: list[int] = []
    desk.terminal.start("kubectl get nodes; kubectl get ns", str, str, codes.append)
    desk.room.instant()
    assert codes == [0] and desk.cluster.clock.now == now


def test_edit_opens_a_file_of_the_workstation_in_the_editor(desk):
    assert desk.run("edit new.yml") == ("", "", 0)
    assert desk.edited == [("edit", {"name": "new.yml"})] and desk.said("ls new.yml") == "new.yml\n"
    assert desk.run("edit").code == 2 and desk.run("edit /etc").code == 1
    assert desk.run("edit /etc/hosts").stderr == "edit: /etc/hosts: only files below /root stay open in the page: use vi\n"


def test_vi_waits_until_the_page_has_saved_the_file(desk):
    desk.run("echo one > a.txt")
    screen = desk.sit("vi a.txt && cat a.txt")
    assert desk.edited == [("edit", {"name": "a.txt", "id": "1", "text": "one\n", "fresh": False})] and screen.code is None
    assert screen.text.startswith("a.txt is open in the page's editor")
    assert desk.editing.done("1", "two\n") and not desk.editing.done("1", "three\n")
    desk.pass_(1)
    assert screen.text.endswith("two\n") and screen.code == 0 and len(desk.edited) == 1


def test_vi_of_what_is_closed_or_given_up_leaves_the_file_as_it_was(desk):
    closed = desk.sit("vi new.txt")
    assert desk.edited[-1][1]["fresh"] and desk.editing.done("1", None)
    desk.pass_(1)
    assert closed.code == 0 and desk.run("ls new.txt").code == 2
    given_up = desk.sit("nano pod.yaml")
    given_up.type("\x03")
    assert given_up.code == 130 and desk.edited[-1] == ("edit.over", {"id": "2"}) and not desk.editing.done("2", "x")
    desk.pass_(1)
    assert "hello-kiamol-3" in desk.said("cat pod.yaml")


def test_vi_edits_any_file_of_the_machine_while_the_clock_stands(desk):
    desk.room.paused = True
    screen = Screen(desk, "vi /etc/motd")
    assert desk.edited[-1][1]["name"] == "/etc/motd"
    desk.editing.done("1", "hello\n")
    desk.room.instant()
    assert screen.code == 0 and desk.workstation.files.read("/etc/motd") == "hello\n"


def test_what_vi_cannot_open_it_says(desk):
    assert desk.run("vi").stderr == "usage: vi FILE\n" and desk.run("vim /etc").stderr == "vim: /etc: Is a directory\n"
    desk.run("seq 100000 > large")
    assert "longer than the 128 KB" in desk.run("vi large").stderr
    desk.terminal.editing = None
    assert desk.run("vi pod.yaml").code == 1 and "no screen here" in desk.run("vi pod.yaml").stderr


def test_kubectl_edit_goes_through_the_pages_editor(desk):
    screen = desk.sit("kubectl edit configmap -n kube-system kube-proxy")
    name, text = desk.edited[-1][1]["name"], desk.edited[-1][1]["text"]
    assert name.startswith("/tmp/kubectl-edit-") and "kind: ConfigMap" in text
    desk.editing.done("1", text.replace("labels:", "labels:\n    seen: 'yes'", 1))
    desk.pass_(1)
    assert screen.text.endswith("configmap/kube-proxy edited\n") and screen.code == 0
    assert "seen=yes" in desk.said("kubectl get cm -n kube-system kube-proxy --show-labels")
    again = desk.sit("kubectl edit configmap -n kube-system kube-proxy")
    desk.editing.done("2", None)
    desk.pass_(1)
    assert again.text.endswith("Edit cancelled, no changes made.\n") and desk.said("ls /tmp") == ""


def test_the_lines_of_kubectls_own_guide_for_bash_work_and_tab_follows_an_alias(desk):
    assert desk.said("source <(kubectl completion bash)\nalias k8=kubectl\nalias kg='kubectl get'\ncomplete -o default -F __start_kubectl kc\n"
                     "complete -p kc") == "complete -F __start_kubectl kc\n"
    for line in ("k8 get nod", "kg nod", "kc get nod"):
        assert desk.terminal.complete(line, len(line)) == (len(line) - 3, ["nodes"])
    desk.run("complete -W 'alpha beta' mine")
    assert desk.terminal.complete("mine b", 6) == (5, ["beta"])
    assert desk.run("complete -A file x").code == 2 and desk.run("kubectl completion fish").code == 1


def test_sudo_runs_what_it_is_given_and_man_says_where_to_look(desk):
    assert desk.said("sudo kubectl get nodes -o name | head -1; sudo -u root whoami; sudo sh -c 'echo $HOME'") == "node/m-k8s\nroot\n/root\n"
    assert desk.run("sudo nosuch") == ("", "sudo: nosuch: command not found\n", 1)
    assert desk.run("sudo -u kim ls").code == 1 and desk.run("sudo").stderr.startswith("usage: sudo")
    manual = desk.run("man kubectl")
    assert manual.code == 16 and manual.stderr.startswith("No manual entry for kubectl\n") and "kubectl explain" in manual.stderr


def test_a_session_remembers_what_was_typed_in_it(desk):
    for line in ("echo one", "echo two"):
        desk.sit(line)
    assert desk.sit("history 2").text == "    2  echo two\n    3  history 2\n"
    assert desk.sit("(history) | grep 'echo [o]'").text == "    1  echo one\n"
    assert desk.sit("history -c").code == 0 and desk.sit("history").text == "    1  history\n"
    assert desk.run("history x").code == 1


def test_a_text_is_taken_command_by_command(shared):
    take = shared.terminal.take
    assert take("echo a") == ("echo a", "") and take("for i in 1") == ("", "for i in 1")
    assert take("\n\necho a\n\necho b") == ("\n\necho a", "\necho b") and take("\n \n") == ("", "\n \n")
    assert take("kubectl get pods \\") == ("", "kubectl get pods \\") and take("echo a \\\n  b\necho c") == ("echo a \\\n  b", "echo c")
    assert take("echo 'a \\'") == ("echo 'a \\'", "") and take("echo a \\\\") == ("echo a \\\\", "") and take("# a \\\nls") == ("# a \\", "ls")
    assert take("echo a\necho b\nec") == ("echo a", "echo b\nec")
    assert take("for i in 1\ndo echo $i\ndone\nls") == ("for i in 1\ndo echo $i\ndone", "ls")
    assert take("cat <<E\n$(ls)\nE\nls") == ("cat <<E\n$(ls)\nE", "ls")
    long = "cat <<E\n" + "line\n" * 500 + "E\nls"
    first, rest = take(long)
    assert first + ("\n" if rest else "") + rest == long and first.startswith("cat")


def test_tab_completes_programs_files_kubectl_and_nodes(shared):
    complete = lambda text: shared.terminal.complete(text, len(text))  # noqa: E731
    assert complete("kube") == (0, ["kubectl"])
    assert complete("ls; kubectl get no") == (16, ["nodes"])
    assert complete("X=$(k get po") [1] and "pods" in complete("X=$(k get po")[1]
    assert complete("cat nginx-s") == (4, ["nginx-svc.yml"])
    assert complete("cat /etc/hostn") == (4, ["/etc/hostname"])
    assert complete("ssh w") == (4, ["w1-k8s", "w2-k8s", "w3-k8s"])
    assert "nginx-svc.yml" in complete("kubectl apply -f nginx-s")[1]


# bounds


def test_a_loop_that_never_ends_leaves_the_clock_on_time_and_ends_with_ctrl_c(desk):
    screen = desk.sit("while true; do :; done", 30)
    assert screen.code is None and desk.cluster.clock.now >= 30
    screen.type("\x03")
    assert screen.code == 130


def test_a_loop_on_a_paused_clock_stops_and_a_new_command_still_runs(desk):
    desk.room.paused = True
    codes: list[int] = []
    desk.terminal.start("while true; do :; done", str, str, codes.append)
    desk.room.instant()
    assert not codes
    assert desk.run("echo still here").stdout == "still here\n"


def test_a_fork_bomb_fills_the_table_and_is_ended(desk):
    screen = desk.sit("b() { b | b & }; b", 20)
    assert sum(proc.alive for proc in desk.workstation.system.procs.values()) <= 64
    screen.line.hang_up()
    desk.pass_(30)
    assert desk.run("echo free").stdout == "free\n"


def test_output_is_cut_and_what_is_typed_renews_it(desk):
    settings = desk.room.settings = Settings(max_output=20_000)
    cut = desk.run("yes | head -c 50000").stdout
    assert cut.endswith("... output cut: it is longer than this terminal keeps\n") and settings.max_output < len(cut) < settings.max_output + 100
    screen = desk.sit("cat; echo done")
    for _ in range(5):
        screen.type("x" * 3000 + "\n" + "y\n" * 500)
    assert "cut" not in screen.type("z\n")
    screen.line._out.write("w" * (settings.max_output + 1))
    assert screen.text.endswith("terminal keeps\n") and screen.type("again\n") == "again\nagain\n"


def test_too_long_a_line_and_too_many_commands_are_refused(desk):
    with pytest.raises(RoomError) as long:
        desk.run("#" * (desk.room.settings.max_line + 1))
    assert long.value.code == 413
    for _ in range(desk.room.settings.max_commands):
        desk.terminal.start("sleep 1000", str, str, bool)
    with pytest.raises(RoomError) as many:
        desk.run("echo hi")
    assert many.value.code == 429


def test_a_person_who_leaves_takes_all_that_they_started_with_them(desk):
    desk.sit("sleep 1000 &\nkubectl get pods -w")
    desk.terminal.leave()
    desk.pass_(1)
    assert [proc.argv for proc in desk.workstation.system.procs.values() if proc.alive] == [["/sbin/init"]]
    assert desk.room.commands == 0


def test_a_workstation_that_is_full_of_processes_can_still_be_told_to_kill_them(desk):
    full = desk.run("for i in $(seq 1 100); do sleep 1000 & done")
    assert "Resource temporarily unavailable" in full.stderr
    assert desk.said("kill %1 %2 %3; echo killed").endswith("killed\n")
    desk.run("kill $(jobs -p)")
    assert desk.said("sleep 1; ls / | head -1") == "bin\n"

"""kubectl edit: an object goes through a program of the machine and comes back as a patch, or does not, and why."""

from __future__ import annotations

import pytest

from server.cluster.cluster import Cluster
from tests.kubectl.desk import Desk

REPLICAS = "kubectl get deploy web -o jsonpath={.spec.replicas}"


@pytest.fixture
def desk() -> Desk:
    desk = Desk(Cluster(seed=2))
    desk.cluster.clock.run_for(5)
    desk.run("kubectl create deployment web --image=nginx; rm -f /tmp/kubectl-edit-*")
    return desk


def with_editor(desk: Desk, script: str, what: str = "deploy web") -> tuple[str, str, int]:
    """Edits with a script, whose $1 is the file."""
    assert not desk.machine.files.write("/root/ed", script)
    return desk.run(f"KUBE_EDITOR='sh /root/ed' kubectl edit {what}")


def test_only_what_the_editor_changed_is_sent_and_its_file_goes(desk: Desk) -> None:
    assert desk.run("KUBE_EDITOR='sed -i s/Limit:.*/Limit:\\ 3/' kubectl edit deploy web --output-patch") == (
        'Patch: {"spec":{"revisionHistoryLimit":3}}\ndeployment.apps/web edited\n', "", 0)
    assert desk.run("kubectl get deploy web -o jsonpath={.spec.revisionHistoryLimit}; ls /tmp").stdout == "3"


def test_the_editor_is_any_program_of_the_machine_and_prints_to_the_terminal(desk: Desk) -> None:
    out, err, code = desk.run("EDITOR=cat kubectl edit deploy web")
    assert out.startswith("# Please edit the object below.") and "kind: Deployment" in out
    assert (err, code) == ("Edit cancelled, no changes made.\n", 0)
    assert desk.run("KUBE_EDITOR='awk \"{ print toupper(\\$1) }\"' kubectl edit ns default").stdout.startswith("#\n")


def test_an_editor_that_is_missing_or_fails_is_told_in_kubectls_words(desk: Desk) -> None:
    assert desk.run("EDITOR=nosuch kubectl edit deploy web") == ("", 'error: unable to launch the editor "nosuch"\n', 1)
    assert desk.run("EDITOR='false -x' kubectl edit deploy web") == ("", 'error: there was a problem with the editor "false -x"\n', 1)


def test_without_a_page_there_is_no_screen_to_edit_on(desk: Desk) -> None:
    out, err, code = desk.run("kubectl edit deploy web")
    assert (out, code) == ("", 1) and err.startswith("vi: there is no screen here") and err.endswith(
        'error: there was a problem with the editor "vi"\n')


def test_what_is_not_valid_is_opened_again_with_the_reasons(desk: Desk) -> None:
    again = "cp $1 /root/saw; grep -q 'was not valid' $1 && sed -i 's/replicas: -4/replicas: 4/' $1 || sed -i 's/replicas: 1/replicas: -4/' $1"
    assert with_editor(desk, again) == ("deployment.apps/web edited\n", 'error: deployments.apps "web" is invalid\n', 0)
    reasons = '#\n# deployments.apps "web" was not valid:\n# * spec.replicas: Invalid value: -4: must be greater than or equal to 0\n#\n'
    assert reasons in (desk.read("saw") or "")
    assert desk.run(f"{REPLICAS}; ls /tmp").stdout == "4"


def test_a_syntax_error_is_opened_again_too_and_a_copy_is_kept_of_who_gives_up(desk: Desk) -> None:
    out, err, code = with_editor(desk, "cp $1 /root/saw; sed -i 's/^  replicas: 1/ replicas: 1/' $1")
    path = desk.run("ls /tmp/kubectl-edit-* | tail -1").stdout.strip()
    assert (out, err, code) == (
        "", f'A copy of your changes has been stored to "{path}"\nerror: Edit cancelled, no valid changes were saved.\n', 1)
    assert "# The edited file had a syntax error: error parsing edited-file: error converting YAML to JSON: yaml: line " in (desk.read("saw") or "")


def test_an_empty_file_and_another_name_change_nothing(desk: Desk) -> None:
    assert with_editor(desk, ": > $1") == ("", "Edit cancelled, saved file was empty.\n", 0)
    assert desk.run("ls /tmp").stdout == ""
    out, err, code = with_editor(desk, "sed -i 's/^  name: web/  name: other/' $1")
    assert (out, code) == ("", 1) and err.endswith("error: At least one of apiVersion, kind and name was changed\n")


def test_who_edits_what_is_deleted_meanwhile_is_told_where_the_text_is(desk: Desk) -> None:
    out, err, code = with_editor(desk, "sed -i 's/replicas: 1/replicas: 2/' $1; kubectl delete deploy web > /dev/null")
    path = desk.run("ls /tmp/kubectl-edit-*").stdout.strip()
    assert (out, err, code) == ("", f'''error: deployments.apps "web" could not be found on the server
The edits you made on deleted resources have been saved to "{path}"
''', 1)


def test_several_objects_are_edited_one_after_another(desk: Desk) -> None:
    out, err, code = with_editor(desk, "grep -q 'name: web' $1 && sed -i 's/replicas: 1/replicas: 5/' $1; true", "deploy/web ns/default")
    assert (out, err, code) == ("deployment.apps/web edited\n", "Edit cancelled, no changes made.\n", 0)

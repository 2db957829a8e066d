"""The editor as a person uses it: completion and documentation, checks and repairs, diff, format, gallery, tabs, files dropped in, export."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.page import apply, paste, pods, post, ready, run, things, until

pytestmark = pytest.mark.browser
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: web
        image: nginx
"""


def write(page: Any, text: str, cursor: str = "|") -> None:
    """Puts a text into the editor, with the cursor where the sign for it is."""
    page.evaluate("""async ([text, cursor]) => {
        const view = await podium.editor.open();
        await view.ready;
        const at = text.indexOf(cursor);
        podium.editor.set(text.replace(cursor, ""));
        if (at >= 0) podium.editor.surface.select(at, at);
        podium.editor.focus();
    }""", [text, cursor])


def offered(page: Any) -> list[str]:
    """What completion offers at the cursor; a key is taken by it from 75 ms after it came, lest one is meant for the text."""
    page.keyboard.press("Control+Space")
    options = page.locator(".cm-tooltip-autocomplete .cm-completionLabel")
    until(page, options.count, "something offered")
    page.wait_for_timeout(100)
    return options.all_text_contents()


def text(page: Any) -> str:
    return page.evaluate("podium.editor.text")


def test_completion_offers_what_the_schema_has_and_writes_what_is_required(visit: Callable[..., Any], room: dict[str, str],
                                                                           picture: Callable[[Any, str], None]) -> None:
    page = visit(room["url"])
    write(page, "kind: Deploy|")
    assert offered(page)[0] == "Deployment"
    page.keyboard.press("Enter")
    until(page, lambda: "containers:" in text(page), "the skeleton")
    assert text(page).startswith("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: name\nspec:\n")
    until(page, lambda: page.evaluate("text => podium.api.apply(text, true).then(answer => answer.results.every(one => one.ok))", text(page)),
          "the API server to take it as it is")

    write(page, DEPLOYMENT.replace("replicas: 2", "re|"))
    assert "replicas" in offered(page) and "selector" not in offered(page)
    page.keyboard.press("Escape")
    write(page, f"# first\nkind: [broken\n---\n{DEPLOYMENT}        imagePull|\n---\nkind: Service\n  bad")
    assert offered(page)[0] == "imagePullPolicy"
    until(page, page.locator(".cm-completionInfo").count, "what it is")
    assert "Always, Never, IfNotPresent" in page.locator(".cm-completionInfo").inner_text()
    picture(page, "30-completion")
    page.keyboard.press("Enter")
    assert set(offered(page)) == {"Always", "IfNotPresent", "Never"}


def test_completion_knows_the_names_and_labels_of_the_cluster_and_of_the_text(visit: Callable[..., Any], room: dict[str, str]) -> None:
    post(room, "terminal", {"line": "kubectl create ns dev; kubectl create cm settings --from-literal=colour=red; "
                                    "kubectl create secret generic pass -n dev --from-literal=a=b; kubectl run api --image=nginx --labels=app=api"})
    page = visit(room["url"])
    write(page, DEPLOYMENT + "        envFrom:\n        - configMapRef:\n            name: |")
    assert "settings" in offered(page)
    write(page, DEPLOYMENT + "        env:\n        - name: A\n          valueFrom:\n            configMapKeyRef:\n"
                             "              name: settings\n              key: |")
    assert offered(page) == ["colour"]
    write(page, DEPLOYMENT.replace("  name: web\nspec", "  name: web\n  namespace: dev\nspec", 1)
          + "      volumes:\n      - name: x\n        secret:\n          secretName: |")
    assert offered(page) == ["pass"]
    write(page, f"{DEPLOYMENT}---\napiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  selector:\n    app: |")
    assert set(offered(page)) == {"api", "web"}


def test_hovering_a_field_tells_what_kubernetes_says_of_it_and_opens_explain(visit: Callable[..., Any], room: dict[str, str],
                                                                             picture: Callable[[Any, str], None]) -> None:
    page = visit(room["url"])
    write(page, DEPLOYMENT)
    page.get_by_text("replicas", exact=True).first.hover()
    told = page.locator(".doc.hover")
    until(page, told.count, "the documentation")
    assert all(part in told.inner_text() for part in ("integer", "Number of desired pods", "default: 1"))
    picture(page, "31-hover")
    told.get_by_role("button", name="kubectl explain deployments.spec.replicas").click()
    until(page, lambda: "FIELD: replicas <integer>" in page.locator("#terminal-log").inner_text(), "explain in the terminal")


def test_an_unknown_field_is_marked_and_repaired(visit: Callable[..., Any], room: dict[str, str], picture: Callable[[Any, str], None]) -> None:
    page = visit(room["url"])
    write(page, f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: fine\n---\n{DEPLOYMENT.replace('replicas', 'replica')}")
    mark = page.locator(".cm-lintRange-error")
    until(page, mark.count, "a mark")
    assert "replica" in mark.first.inner_text()
    mark.first.hover()
    repair = page.locator(".cm-diagnosticAction").first
    until(page, repair.count, "a repair")
    picture(page, "32-repair")
    assert "replicas" in repair.inner_text()
    repair.click()
    assert text(page).count("  replicas: 2\n") == 1
    until(page, lambda: not mark.count(), "no mark")


def test_the_difference_is_what_apply_would_change_and_nothing_else(visit: Callable[..., Any], room: dict[str, str],
                                                                    picture: Callable[[Any, str], None]) -> None:
    post(room, "apply", DEPLOYMENT)
    page = visit(room["url"])
    write(page, f"{DEPLOYMENT.replace('image: nginx', 'image: nginx:1.28')}---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: new\n"
                "data:\n  a: b\n---\napiVersion: v1\nkind: Nonsense\n")
    page.get_by_role("button", name="Diff against live").click()
    dialog = page.get_by_role("dialog", name="What Apply would change")
    until(page, lambda: dialog.locator("section").count() == 3, "three documents")
    assert dialog.locator(".minus code").all_text_contents() == ["      - image: nginx"]
    assert dialog.locator("section").first.locator(".plus code").all_text_contents() == ["      - image: nginx:1.28"]
    assert "would be refused" in dialog.inner_text() and "new" in dialog.locator("section").nth(1).inner_text()
    picture(page, "33-diff")
    dialog.get_by_role("button", name="One column").click()
    assert dialog.locator("table.split").count() == 0 and dialog.locator(".minus").count() == 1
    page.keyboard.press("Escape")
    assert post(room, "terminal", {"line": "kubectl get deploy web -o jsonpath='{.spec.template.spec.containers[0].image}'"})["stdout"] == "nginx"
    write(page, DEPLOYMENT)
    page.get_by_role("button", name="Diff against live").click()
    until(page, lambda: dialog.get_by_text("no change").count() == 1, "no difference")


def test_formatting_keeps_every_comment_and_changes_nothing_of_the_meaning(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    write(page, "# whole\nkind: ConfigMap # what\nmetadata:\n    labels: {a: b}\n    # its name\n    name:   x\napiVersion: v1\ndata:\n    n: \"1\"\n"
                "    y: 'yes'\n    m: 0644\n    # the list\n    t: |+\n        a\n          b\n\n---\n\n---\nkind: Pod\napiVersion: v1\nspec:\n"
                "    containers:\n        - name: a # first\n          image: b\n", cursor="@")
    page.keyboard.press("Alt+Shift+F")
    until(page, lambda: text(page).startswith("# whole\napi"), "the order")
    assert text(page) == (
        "# whole\napiVersion: v1\nkind: ConfigMap # what\nmetadata:\n  # its name\n  name: x\n  labels: {a: b}\ndata:\n  n: \"1\"\n  y: 'yes'\n"
        "  m: 0644\n  # the list\n  t: |+\n    a\n      b\n\n---\napiVersion: v1\nkind: Pod\nspec:\n  containers:\n"
        "  - name: a # first\n    image: b\n")
    write(page, "a: [\n")
    page.keyboard.press("Alt+Shift+F")
    until(page, lambda: "Line" in page.locator("#toasts").inner_text(), "what is wrong")
    assert text(page) == "a: [\n"


@pytest.mark.parametrize(("locale", "theme", "title", "find"), [("en-US", "dark", "Examples and files", "label"),
                                                                ("ko-KR", "light", "예제와 파일", "레이블")])
def test_the_gallery_is_searched_looked_through_opened_and_applied(visit: Callable[..., Any], room: dict[str, str],
                                                                   picture: Callable[[Any, str], None], locale: str, theme: str, title: str,
                                                                   find: str) -> None:
    page = visit(room["url"], locale=locale, theme=theme)
    page.locator("#panel-editor .bar .button").first.click()
    dialog = page.get_by_role("dialog", name=title)
    options = dialog.get_by_role("option")
    until(page, lambda: options.count() > 20, "examples")
    picture(page, f"34-gallery-{locale}")
    dialog.locator(".gallery-kinds button").first.click()
    dialog.get_by_role("combobox").fill(find)
    assert 0 < options.count() < 20
    dialog.get_by_role("combobox").fill("crash-loop")
    assert options.count() == 1 and "exit 1" in dialog.locator(".gallery-text").inner_text()
    page.keyboard.press("Control+Enter")
    until(page, lambda: [pod for pod in pods(page).values() if pod["name"].startswith("crashing")], "its pod")
    assert page.locator(".file-tabs [aria-selected=true]").inner_text() == "crash-loop.yaml"


def test_files_are_in_tabs_marked_while_unsaved_renamed_closed_and_there_after_a_reload(visit: Callable[..., Any], room: dict[str, str],
                                                                                        picture: Callable[[Any, str], None]) -> None:
    page = visit(room["url"])
    tabs = page.locator(".file-tabs [role=tab]")
    page.evaluate("podium.editor.files.new('a: 1\\n')")
    assert tabs.all_text_contents() == ["nginx-deploy.yml", "manifest-1.yaml"]
    assert tabs.last.get_attribute("aria-label") == "manifest-1.yaml, not saved"
    tabs.last.focus()
    page.keyboard.press("F2")
    page.keyboard.type("mine")
    page.keyboard.press("Enter")
    until(page, lambda: tabs.last.inner_text() == "mine.yaml", "the new name")
    page.keyboard.press("ArrowLeft")
    assert "Deployment" in text(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+s")
    until(page, lambda: tabs.last.get_attribute("aria-label") == "mine.yaml", "saved")
    assert run(page, "cat mine.yaml") == "a: 1\n"
    write(page, "a: 2\n|")
    page.reload()
    page.wait_for_selector("body[data-ready=true]")
    until(page, lambda: text(page) == "a: 2\n", "the unsaved text")
    assert tabs.all_text_contents() == ["nginx-deploy.yml", "mine.yaml"]
    picture(page, "35-tabs")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_title("Close mine.yaml").click()
    until(page, lambda: tabs.all_text_contents() == ["nginx-deploy.yml"], "closed")


def drop(page: Any, selector: str, files: dict[str, str]) -> None:
    page.evaluate("""([selector, files]) => {
        const data = new DataTransfer();
        for (const [name, text] of Object.entries(files)) data.items.add(new File([text], name));
        const about = { dataTransfer: data, bubbles: true, cancelable: true };
        for (const type of ["dragover", "drop"]) document.querySelector(selector).dispatchEvent(new DragEvent(type, about));
    }""", [selector, files])


def test_files_dropped_on_the_editor_or_the_canvas_are_opened_and_too_large_ones_are_refused(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    drop(page, "#panel-editor", {"one.yaml": "a: 1\r\n", "two.yaml": "b: 2\n"})
    tabs = page.locator(".file-tabs [role=tab]")
    until(page, lambda: tabs.all_text_contents() == ["nginx-deploy.yml", "one.yaml", "two.yaml"], "two tabs")
    drop(page, "#stage", {"three.yaml": "c: 3\n", "huge.yaml": "x" * 1_100_000})
    until(page, lambda: text(page) == "c: 3\n", "the third")
    until(page, lambda: "huge.yaml is larger than 1024 KB" in page.locator("#toasts").inner_text(), "the refusal")
    assert tabs.count() == 4


def test_the_menu_applies_one_document_tries_and_deletes_with_kubectls_own_words(visit: Callable[..., Any], room: dict[str, str],
                                                                                 picture: Callable[[Any, str], None]) -> None:
    page = visit(room["url"])
    write(page, f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n---\n{DEPLOYMENT.replace('replicas: 2', 'replicas|: -2')}")
    results = page.get_by_role("log", name="Results")

    def choose(name: str) -> None:
        page.get_by_role("button", name="More", exact=True).click()
        page.get_by_role("menuitem", name=name).click()

    choose("Apply this document only")
    until(page, lambda: "spec.replicas: Invalid value: -2" in results.inner_text() and "(11:" in results.inner_text(), "the error at its line")
    results.get_by_role("button").click()
    assert page.evaluate("podium.editor.view.state.doc.lineAt(podium.editor.surface.selection.from).number") == 11
    write(page, "|apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: two\n")
    choose("Try it")
    until(page, lambda: "configmap/two created (server dry run)" in results.inner_text(), "the dry run")
    choose("Apply this document only")
    until(page, lambda: results.inner_text().strip() == "configmap/one created", "one alone")
    page.get_by_role("button", name="More", exact=True).click()
    picture(page, "36-menu")
    page.get_by_role("menuitem", name="Delete what is in this file").click()
    until(page, lambda: "kubectl delete -f nginx-deploy.yml" in page.locator("#terminal-log").inner_text()
          and 'configmap "one" deleted' in page.locator("#terminal-log").inner_text(), "the deletion in the terminal")


def test_everything_is_exported_and_makes_the_same_in_another_room(visit: Callable[..., Any], room: dict[str, str]) -> None:
    post(room, "apply", DEPLOYMENT)
    page = visit(room["url"])
    page.evaluate("podium.actions.all.get('export').run()")
    until(page, lambda: "name: web" in text(page), "the export in a tab")
    assert "kind: Deployment" in text(page) and "status" not in text(page)
    said = page.evaluate("text => podium.api.apply(text, true).then(answer => answer.results.map(one => one.message))", text(page))
    assert said == ["deployment.apps/web unchanged (server dry run)"]
    with page.expect_download() as download:
        page.evaluate("podium.actions.all.get('exportDownload').run()")
    assert download.value.suggested_filename == f"{room['room']}.yaml"


def test_the_keyboard_leaves_the_editor_after_escape_and_the_past_cannot_be_changed(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    write(page, "a: 1\n|")
    page.keyboard.press("Tab")
    assert text(page) == "a: 1\n  "
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert text(page) == "a: 1\n  " and page.evaluate("!document.activeElement.closest('.cm-editor')")
    page.evaluate("document.body.dataset.past = '5'")
    bar = page.locator("#panel-editor .bar")
    apply, save = (bar.get_by_role("button", name=name, exact=True) for name in ("Apply", "Save"))
    until(page, lambda: apply.is_disabled() and save.is_disabled(), "nothing to be done")
    page.evaluate("delete document.body.dataset.past")
    until(page, lambda: apply.is_enabled() and save.is_enabled(), "now again")


def test_until_it_is_reached_for_the_editor_is_a_plain_text_area_that_loses_nothing(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    assert page.locator(".cm-editor").count() == 0 and page.locator(".standin .key").count() > 5
    paste(page, DEPLOYMENT)
    page.keyboard.press("Control+Enter")
    ready(page, 2)
    until(page, page.locator(".cm-editor").count, "the editor proper")
    assert text(page) == DEPLOYMENT
    assert things(page, "Deployment")


def waiting(page: Any, line: str) -> str:
    """Types a line that opens something in the editor: the tab's name."""
    page.locator("#terminal").click()
    page.keyboard.type(line)
    page.keyboard.press("Enter")
    until(page, lambda: page.evaluate("podium.editor.files.now.waits !== undefined"), "the editor")
    until(page, lambda: page.evaluate("document.activeElement.className === 'cm-content'"), "the cursor in it")
    return page.evaluate("podium.editor.tabs.querySelector('[aria-selected=true]').textContent")


def back(page: Any) -> str:
    until(page, lambda: page.evaluate("podium.terminal.running === null"), "the command to end")
    until(page, lambda: page.evaluate("!!document.activeElement.closest('#terminal')"), "the cursor at the prompt")
    return page.locator("#terminal-log pre").last.text_content()


def test_kubectl_edit_opens_the_object_in_the_editor_and_saving_changes_it(visit: Callable[..., Any], room: dict[str, str],
                                                                           picture: Callable[[Any, str], None]) -> None:
    post(room, "apply", DEPLOYMENT)
    page = visit(room["url"])
    ready(page, 2)
    assert waiting(page, "kubectl edit deployment web").startswith("kubectl-edit-")
    bar = page.locator("#panel-editor .bar")
    assert bar.get_by_role("button", name="Save").is_enabled() and not bar.get_by_role("button", name="Apply").is_visible()
    until(page, lambda: page.evaluate("!document.querySelector('.cm-lint-marker')"), "a check that finds nothing")
    picture(page, "kubectl-edit")
    paste(page, text(page).replace("replicas: 2\n  revision", "replicas: -3\n  revision"))
    page.keyboard.press("Control+s")
    until(page, lambda: "was not valid" in text(page), "the file again, with the reason")
    paste(page, text(page).replace("replicas: -3", "replicas: 3"))
    page.keyboard.press("Control+Enter")
    assert "deployment.apps/web edited" in back(page)
    ready(page, 3)
    assert page.evaluate("podium.editor.files.open.map(one => one.name)") == ["nginx-deploy.yml"]
    waiting(page, "kubectl edit deployment web")
    page.get_by_role("button", name="Close kubectl-edit").or_(page.locator(".file button.icon")).last.click()
    assert "Edit cancelled, no changes made." in back(page)


def test_vi_waits_for_a_file_in_its_tab_and_ctrl_c_leaves_what_was_typed_unsaved(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    assert waiting(page, "vi mine.yaml") == "mine.yaml"
    paste(page, "kind: Pod\n")
    page.keyboard.press("Control+s")
    back(page)
    assert run(page, "cat mine.yaml") == "kind: Pod\n" and page.evaluate("podium.editor.files.now.name") == "mine.yaml"
    assert waiting(page, "nano mine.yaml") == "mine.yaml"
    paste(page, "kind: Service\n")
    page.locator("#terminal").click()
    page.keyboard.press("Control+c")
    until(page, lambda: page.evaluate("podium.editor.files.now.waits === undefined"), "nobody to wait")
    assert run(page, "cat mine.yaml") == "kind: Pod\n" and text(page) == "kind: Service\n"
    run(page, "echo more >> mine.yaml; edit mine.yaml")
    until(page, lambda: "more" in page.evaluate("podium.editor.kept"), "the file to be known")
    assert text(page) == "kind: Service\n"


def test_each_of_several_errors_is_marked_and_apply_names_the_tab_s_file(visit: Callable[..., Any], room: dict[str, str]) -> None:
    page = visit(room["url"])
    wrong = ("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  restartPolicy: Perhaps\n"
             "  containers:\n  - name: x\n    image: nginx\n    imagePullPolicy: Now\n")
    paste(page, wrong)
    marks = page.locator(".cm-lintRange-error")
    until(page, lambda: marks.all_inner_texts() == ["restartPolicy: Perhaps", "imagePullPolicy: Now"], "both marked")
    name = page.evaluate("podium.editor.files.now.name")
    assert f'error when creating "{name}": ' in apply(page, wrong.replace("restartPolicy: Perhaps", "restartPoliczy: Never"))

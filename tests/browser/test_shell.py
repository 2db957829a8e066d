"""The page's terminal as a shell: keys that go to a running command, lines that are not whole, files in the editor, the address bar."""

from __future__ import annotations

from tests.browser.page import open_tab, post, run, until


def log(page) -> str:
    return "".join(page.locator("#terminal-log pre").all_text_contents())


def typed(page, text: str, then: str) -> None:
    """Types a line and waits until the log says something."""
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    until(page, lambda: then in log(page), f"{then!r} after {text}")


def test_a_command_that_runs_hears_what_is_typed(visit, room, picture):
    page = visit(room["url"])
    assert run(page, "kubectl get nodes | grep -c w") == "3\n"
    typed(page, "ssh w1-k8s", "root@w1-k8s:~# ")
    typed(page, "docker ps -q | wc -l; echo on $(hostname)", "on w1-k8s\n")
    typed(page, "exit", "Connection to w1-k8s closed.")
    until(page, lambda: page.evaluate("podium.terminal.running === null"), "the way back")
    page.keyboard.type("cat")
    page.keyboard.press("Enter")
    typed(page, "hello there", "hello there\nhello there\n")
    page.keyboard.press("Control+d")
    until(page, lambda: page.evaluate("podium.terminal.running === null"), "the end of input")
    page.keyboard.type("sleep 1000")
    page.keyboard.press("Enter")
    until(page, lambda: page.evaluate("podium.terminal.running !== null && podium.terminal.sent === null"), "it to run")
    page.keyboard.press("Control+c")
    until(page, lambda: page.evaluate("podium.terminal.running === null"), "Ctrl-C")
    assert run(page, "echo $?") == "130\n"
    picture(page, "shell")


def test_a_terminal_that_comes_up_under_a_press_is_typed_into(visit, room):
    page = visit(room["url"])
    box = page.locator("#terminal").bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 60)
    page.mouse.down()
    until(page, lambda: page.evaluate("podium.terminal.screen !== null"), "the terminal")
    page.mouse.up()
    typed(page, "echo heard", "heard\n")


def test_lines_that_are_not_whole_wait_and_a_paste_runs_command_by_command(visit, room):
    page = visit(room["url"])
    page.locator("#terminal").click()
    typed(page, "for i in 1 2", "")
    until(page, lambda: page.evaluate("podium.terminal.pending") == "for i in 1 2\n", "the second prompt")
    page.keyboard.type("do echo n$i; done")
    page.keyboard.press("Enter")
    until(page, lambda: "n1\nn2\n" in log(page), "the loop")
    page.evaluate("text => podium.terminal.screen.paste(text)", "cd /tmp\ncat > f <<E\nin here\nE\ncat f\npw")
    until(page, lambda: page.evaluate("podium.terminal.line.line") == "pw", "what is left of the paste")
    assert log(page).endswith("$ cat > f <<E\nin here\nE$ cat f" + "in here\n") or "in here\n" in log(page)
    page.keyboard.type("d")
    page.keyboard.press("Enter")
    until(page, lambda: log(page).endswith("/tmp\n"), "the directory")
    assert page.evaluate("podium.terminal.place") == "/tmp"


def test_the_editors_file_is_the_shells(visit, room):
    page = visit(room["url"])
    run(page, "echo 'kind: Pod' > mine.yaml; edit mine.yaml")
    until(page, lambda: page.evaluate("podium.editor.text") == "kind: Pod\n", "the editor")
    page.get_by_role("textbox", name="Manifest in YAML").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("# more")
    page.keyboard.press("Control+s")
    until(page, lambda: page.evaluate("podium.editor.kept.includes('more')"), "the file to be kept")
    assert run(page, "cat mine.yaml") == "kind: Pod\n# more"
    run(page, "echo 'kind: Service' > mine.yaml")
    until(page, lambda: page.evaluate("podium.editor.text") == "kind: Service\n", "the change")


def test_the_address_bar_shows_what_a_browser_outside_gets(visit, room, picture):
    post(room, "terminal", {"line": "kubectl create deployment web --image=nginx; kubectl expose deployment web --port=80 --type=NodePort; "
                                    "kubectl wait --for=condition=Available deploy/web"})
    port = post(room, "terminal", {"line": "kubectl get svc web -o jsonpath='{.spec.ports[0].nodePort}'"})["stdout"]
    page = visit(room["url"])
    open_tab(page, "Browser")
    bar = page.get_by_role("combobox", name="Address")
    bar.fill(f"192.168.1.101:{port}")
    bar.press("Enter")
    frame = page.frame_locator("#panel-browser iframe")
    until(page, lambda: frame.locator("h1").count() and frame.locator("h1").inner_text() == "Welcome to nginx!", "the page")
    assert "200 OK" in page.locator("#panel-browser .status").inner_text() and page.locator("#panel-browser .way li").count() >= 2
    picture(page, "address-bar")
    bar.fill("192.168.1.101:31999")
    bar.press("Enter")
    until(page, lambda: "ERR_CONNECTION_REFUSED" in page.locator("#panel-browser .status").inner_text(), "the refusal")
    assert "refused to connect" in frame.locator("body").inner_text()


def test_the_browsers_own_words_are_on_the_pages_ground_and_a_servers_page_on_white(visit, room):
    post(room, "terminal", {"line": "kubectl create deployment web --image=nginx; kubectl expose deployment web --port=80 --type=NodePort; "
                                    "kubectl wait --for=condition=Available deploy/web"})
    port = post(room, "terminal", {"line": "kubectl get svc web -o jsonpath='{.spec.ports[0].nodePort}'"})["stdout"]
    page = visit(room["url"], theme="dark")
    open_tab(page, "Browser")
    frame = page.frame_locator("#panel-browser iframe")
    look = """() => { const frame = document.querySelector("#panel-browser iframe"), page = frame.contentDocument;
        return [getComputedStyle(frame).backgroundColor, page.defaultView.getComputedStyle(page.body).color]; }"""
    clear, light, white, black = "rgba(0, 0, 0, 0)", "rgb(255, 255, 255)", "rgb(255, 255, 255)", "rgb(0, 0, 0)"
    until(page, lambda: frame.locator("p").count() and page.evaluate(look) == [clear, light], "light words on the dark page")
    page.evaluate("podium.actions.all.get('theme.light').run()")
    until(page, lambda: frame.locator("p").count() and page.evaluate(look) == [clear, black], "dark words on the light page")
    page.evaluate("podium.actions.all.get('theme.dark').run()")
    bar = page.get_by_role("combobox", name="Address")
    bar.fill(f"192.168.1.101:{port}")
    bar.press("Enter")
    until(page, lambda: frame.locator("h1").count() and page.evaluate(look)[0] == white, "a page on white")


def test_a_command_that_goes_on_is_named_and_the_keyboard_can_leave_it(visit, room):
    page = visit(room["url"])
    page.locator("#terminal").click()
    page.keyboard.type("watch -n 1 date")
    page.keyboard.press("Enter")
    hint = page.get_by_role("status").filter(has_text="watch -n 1 date runs")
    until(page, hint.count, "the hint")
    page.keyboard.press("Control+`")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "treeitem"
    page.keyboard.press("Control+`")
    frames = page.locator("#terminal-log [data-frame]")
    first = until(page, lambda: frames.count() and frames.last.inner_text(), "a frame")
    until(page, lambda: frames.last.inner_text() != first, "the next frame")
    assert frames.count() == 1 and page.locator("#terminal-log").get_attribute("aria-live") == "off"
    page.keyboard.press("Control+c")
    until(page, lambda: page.evaluate("podium.terminal.running === null"), "Ctrl-C")
    assert page.locator("#terminal-log").get_attribute("aria-live") == "polite" and not hint.count()


def test_what_is_marked_is_copied_and_the_clipboard_is_pasted_by_key(visit, room):
    page = visit(room["url"])
    run(page, "echo marked")
    row = page.evaluate("""() => {
        const buffer = podium.terminal.screen.buffer.active;
        return [...Array(buffer.length).keys()].findIndex(y => buffer.getLine(y).translateToString(true) === "marked");
    }""")
    page.evaluate("row => podium.terminal.screen.selectLines(row, row)", row)
    page.keyboard.press("Control+c")
    until(page, lambda: page.evaluate("navigator.clipboard.readText()").strip() == "marked", "the copy")
    page.keyboard.type("echo ")
    page.keyboard.press("Control+v")
    until(page, lambda: page.evaluate("podium.terminal.line.line").startswith("echo marked"), "the paste")


def test_the_last_line_is_whole_and_the_terminal_grows_for_programs_that_fill_it(visit, room, picture):
    page = visit(room["url"], width=1440, height=900)
    page.evaluate("podium.terminal.open()")
    room_below = """() => {
        const bottom = name => document.querySelector(name).getBoundingClientRect().bottom;
        return bottom("#terminal") - bottom("#terminal .xterm-screen");
    }"""
    assert page.evaluate(room_below) >= 0
    rows = page.evaluate("podium.terminal.screen.rows")
    button = page.get_by_role("button", name="Large terminal")
    button.click()
    until(page, lambda: page.evaluate("podium.terminal.screen.rows") > 2 * rows, "more rows")
    assert button.get_attribute("aria-pressed") == "true" and page.evaluate(room_below) >= 0 and not page.locator("#empty").is_visible()
    page.locator("#terminal").click()
    page.keyboard.type("top")
    page.keyboard.press("Enter")
    until(page, lambda: "bash" in log(page), "a process")
    picture(page, "24-top")
    page.keyboard.press("q")
    until(page, lambda: page.evaluate("podium.terminal.running === null"), "the end of top")
    button.click()
    until(page, lambda: page.evaluate("podium.terminal.screen.rows") == rows, "as it was")


def test_in_a_narrow_dock_the_name_of_the_open_file_keeps_its_room(visit, room):
    page = visit(room["url"], width=1100, height=800)
    run(page, "echo 'kind: Pod' > my-first-manifest.yaml; edit my-first-manifest.yaml")
    until(page, lambda: page.evaluate("podium.editor.text") == "kind: Pod\n", "the editor")
    assert page.get_by_role("tab", name="my-first-manifest.yaml").bounding_box()["width"] > 100
    assert page.locator("#panel-editor .bar").evaluate("bar => bar.scrollWidth <= bar.clientWidth")


def test_a_paste_from_a_guide_runs_with_its_blank_lines_comments_and_continued_lines(visit, room):
    page = visit(room["url"])
    run(page, "echo ready")
    page.evaluate("text => podium.terminal.screen.paste(text)",
                  "\n# all of it\n\nkubectl get nodes \\\n  -o name\n\n\necho a \\\n\\\n b\n\n")
    until(page, lambda: log(page).endswith("a b\n"), "both commands")
    assert "node/w3-k8s\n" in log(page) and "not found" not in log(page)
    typed(page, "echo one \\", "")
    until(page, lambda: page.evaluate("podium.terminal.pending") == "echo one \\\n", "the second prompt")
    typed(page, "two", "one two\n")


def test_ctrl_r_finds_a_command_again(visit, room):
    page = visit(room["url"])
    run(page, "echo first")
    run(page, "echo second")
    page.keyboard.press("Control+r")
    page.keyboard.type("fir")
    shown = "(() => { const b = podium.terminal.screen.buffer.active; return b.getLine(b.baseY + b.cursorY).translateToString(true); })()"
    until(page, lambda: page.evaluate(shown) == "(reverse-i-search)`fir': echo first", "the search")
    page.keyboard.press("Enter")
    until(page, lambda: log(page).count("first\n") == 4, "it to run again")


def test_while_the_only_pods_come_or_have_gone_the_strip_does_not_say_that_there_are_none(visit, room):
    page = visit(room["url"])
    until(page, lambda: "no pods yet" in page.locator(".plights").inner_text(), "an empty cluster")
    post(room, "clock", {"paused": True})
    run(page, "kubectl run one --image=busybox --restart=Never -- true")
    until(page, lambda: "1 pod starting" in page.locator(".plights").inner_text(), "the pod")
    assert "no pods yet" not in page.locator(".plights").inner_text()
    post(room, "clock", {"advance": 20})
    until(page, lambda: page.evaluate("podium.scene.get('Pod/default/one')?.state") == "succeeded", "its end")
    until(page, lambda: "starting" not in page.locator(".plights").inner_text(), "the strip")
    assert "no pods yet" not in page.locator(".plights").inner_text()

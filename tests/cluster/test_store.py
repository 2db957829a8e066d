import pytest

from server.cluster.errors import ApiError
from server.cluster.store import Cause, Store


def obj(name, **fields):
    return {"metadata": {"name": name, "namespace": "default"}, **fields}


def test_every_write_has_a_revision_and_watchers_hear_of_it_in_order():
    store, heard = Store(), []
    store.watch("pods", heard.append)
    store.put("pods", ("default", "a"), obj("a"), Cause("kubectl", "me", "create"))
    store.put("services", ("default", "s"), obj("s"), Cause())
    store.put("pods", ("default", "a"), obj("a", spec=1), Cause())
    store.delete("pods", ("default", "a"), Cause())
    assert [(event.type, event.revision) for event in heard] == [("ADDED", 1), ("MODIFIED", 3), ("DELETED", 4)]
    assert heard[0].cause.client == "kubectl"
    assert heard[1].previous is heard[0].object
    assert heard[2].object["metadata"]["resourceVersion"] == "4"


def test_what_is_stored_is_not_what_was_given():
    store, given = Store(), obj("a")
    store.put("pods", ("default", "a"), given, Cause())
    assert "resourceVersion" not in given["metadata"]


def test_a_watch_from_a_compacted_revision_is_told_so():
    store = Store(history=5)
    for number in range(20):
        store.put("pods", ("default", f"p{number}"), obj(f"p{number}"), Cause())
    with pytest.raises(ApiError) as error:
        store.since(1)
    assert error.value.code == 410
    assert [event.revision for event in store.since(18)] == [19, 20]


def test_the_past_can_be_read_while_it_is_kept():
    store = Store()
    store.put("pods", ("default", "a"), obj("a"), Cause())
    store.put("pods", ("default", "b"), obj("b"), Cause())
    store.put("pods", ("default", "a"), obj("a", spec=2), Cause())
    store.delete("pods", ("default", "b"), Cause())
    assert sorted(store.table_at("pods", 2)) == [("default", "a"), ("default", "b")]
    assert "spec" not in store.table_at("pods", 2)["default", "a"].object
    assert sorted(store.table_at("pods", 4)) == [("default", "a")]


def test_an_object_is_encoded_once():
    store, heard = Store(), []
    store.watch("pods", heard.append)
    record = store.put("pods", ("default", "a"), obj("a"), Cause())
    assert record.json() is record.json()
    assert heard[0].wire() is heard[0].wire()
    assert record.json() in heard[0].wire()


def test_dump_and_load_are_the_whole_store():
    store = Store()
    store.put("pods", ("default", "b"), obj("b"), Cause())
    store.put("pods", ("default", "a"), obj("a"), Cause())
    store.state.set("kubelet/x", {"due": 1.5})
    copy = Store()
    copy.load(store.dump())
    assert copy.dump() == store.dump()
    assert copy.revision == 2
    with pytest.raises(ApiError):
        copy.since(1)

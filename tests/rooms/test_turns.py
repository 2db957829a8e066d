"""Who comes when: a room's requests and its cluster's reactions take turns, and other rooms have theirs in between."""

import time

from server import green
from server.rooms.manager import Rooms
from server.settings import Settings


def test_a_request_meets_a_long_reaction_before_or_after_and_others_are_served_meanwhile(tmp_path):
    rooms = Rooms(Settings(data=str(tmp_path)))
    room = rooms.create(seed=1)
    room.set_clock(paused=True)
    made, met, elsewhere = [], [], []

    def reaction():
        client = room.cluster.client("reaction")
        for number in range(40):
            end = time.perf_counter() + 0.001
            while time.perf_counter() < end:
                pass
            made.append(client.create("configmaps", {"metadata": {"name": f"c{number}", "namespace": "default"}}))

    def request():
        while not made:
            green.sleep(0)
        room.wait_turn()
        met.append(len(made))

    def other():
        while not made:
            green.sleep(0)
        while len(made) < 40:
            elsewhere.append(len(made))
            green.sleep(0)

    room.cluster.clock.call_later(0.5, reaction)
    threads = [green.spawn(request), green.spawn(other), green.spawn(room.advance, 1)]
    for thread in threads:
        thread.wait()
    rooms.close()
    assert met == [40]
    assert elsewhere and elsewhere[0] < 40

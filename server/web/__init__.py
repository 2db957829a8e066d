"""The rooms' HTTP interface, a blueprint a subject. Requests come in; what a room answers goes out as JSON."""

from server.web import faults, inspecting, near, network, pace, pages, replay, schema, why, workfiles

BLUEPRINTS = (pages.http, pace.http, network.http, faults.http, inspecting.http, near.http, why.http, workfiles.http, replay.http, schema.http)

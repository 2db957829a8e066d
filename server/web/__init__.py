"""The rooms' HTTP interface, a blueprint a subject. Requests come in; what a room answers goes out as JSON."""

from server.web import faults, inspecting, network, pace, pages, workfiles

BLUEPRINTS = (pages.http, pace.http, network.http, faults.http, inspecting.http, workfiles.http)

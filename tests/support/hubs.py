"""The end of a hub, whatever its test left open."""

from __future__ import annotations

from webapp.events.hub import EventHub


def let_go(hub: EventHub) -> None:
    """Close a hub with its subscriptions. One that had any left would look for its server, and say so, for ever."""
    hub.close()
    for channel in list(hub._channels.values()):
        for listener in channel.listeners:
            hub.leave(listener)

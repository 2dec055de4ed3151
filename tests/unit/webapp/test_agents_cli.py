"""`flask agents list`, for people and for scripts."""

from __future__ import annotations

import json

from flask import Flask


def test_the_agents_are_listed_for_scripts(app: Flask) -> None:
    listed = json.loads(app.test_cli_runner().invoke(args=["agents", "list", "--json"]).stdout)
    one = next(each for each in listed if each["name"] == "ai_service")
    assert (one["queue"], one["parameters"]["param1"]) == ("io", True)
    assert one["source"].endswith(tuple("0123456789"))


def test_people_see_what_each_takes_and_which_of_it_may_be_left_out(app: Flask) -> None:
    printed = app.test_cli_runner().invoke(args=["agents", "list"]).stdout
    assert "ai_service" in printed
    assert "param1, [" in printed

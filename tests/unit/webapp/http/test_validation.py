from __future__ import annotations

from webapp.http.validation import MAX_ERRORS, describe_errors


def test_nested_fields_and_indexes_are_a_path_and_a_pointer() -> None:
    [error] = describe_errors({"json": {"options": {"tags": {2: ["Not a string."]}}}})

    assert error == {
        "location": "body",
        "pointer": "#/options/tags/2",
        "field": "options.tags.2",
        "message": "Not a string.",
    }


def test_each_message_of_a_field_is_an_error() -> None:
    errors = describe_errors({"json": {"a": ["Too short.", "Not a word."]}})

    assert [error["message"] for error in errors] == ["Too short.", "Not a word."]


def test_a_fault_of_the_whole_object_has_the_path_of_the_object() -> None:
    [error] = describe_errors({"json": {"options": {"_schema": ["Invalid input type."]}}})

    assert (error["pointer"], error["field"]) == ("#/options", "options")


def test_a_fault_of_the_whole_body_points_to_the_body() -> None:
    [error] = describe_errors({"json": ["Invalid input type."]})

    assert (error["pointer"], error["field"]) == ("#", "")


def test_a_query_has_no_pointer() -> None:
    [error] = describe_errors({"query": {"limit": ["Not an integer."]}})

    assert error == {"location": "query", "field": "limit", "message": "Not an integer."}


def test_a_pointer_escapes_what_separates_its_parts() -> None:
    [error] = describe_errors({"json": {"a/b~c": ["Unknown field."]}})

    assert error["pointer"] == "#/a~1b~0c"


def test_a_million_mistakes_do_not_make_a_giant_answer() -> None:
    errors = describe_errors({"json": {str(number): ["No."] for number in range(10_000)}})

    assert len(errors) == MAX_ERRORS


def test_a_name_that_the_caller_invented_is_not_echoed_at_any_length() -> None:
    [error] = describe_errors({"json": {"x" * 100_000: ["Unknown field."]}})

    assert len(error["field"]) <= 100

import pytest

from chaoskit.errors import SetupFailed
from chaoskit.load.references import resolved


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("${TOKEN}", "s3cret"),
        ("Bearer ${TOKEN}/${USER_1}", "Bearer s3cret/me"),
        ("$TOKEN ${} ${1X} ${TOKEN", "$TOKEN ${} ${1X} ${TOKEN"),
        ("${NESTED}", "${TOKEN}"),
    ],
)
def test_references_become_what_the_environment_holds(text: str, value: str) -> None:
    variables = {"TOKEN": "s3cret", "USER_1": "me", "NESTED": "${TOKEN}"}
    assert resolved({"key": text}, "credential", variables) == {"key": value}


def test_a_variable_that_is_not_set_fails_the_set_up() -> None:
    with pytest.raises(SetupFailed, match="credential key refers to the environment variable TOKEN, which is not set"):
        resolved({"key": "${TOKEN}"}, "credential", {})

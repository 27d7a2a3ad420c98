from chaoskit.proxy.refusal import bad_body, missing_field


def test_wording_is_toxiproxys() -> None:
    assert (bad_body("EOF").status, bad_body("EOF").message) == (400, "bad request body: EOF")
    assert missing_field("name").message == "missing required field: name"

from exchange.engine.intents import Intents


def test_a_second_order_of_an_intent_counts_and_a_second_fill_of_an_order_does_not() -> None:
    intents = Intents()
    for client_id, account, order_id in (
        ("intent:a:0", 1, 10),
        ("intent:a:0", 1, 10),  # the same order, filled by another trade
        ("intent:b:0", 1, 11),
        ("intent:a:0", 2, 12),  # another account may call its intent the same
    ):
        intents.note(client_id, account, order_id)
    assert (intents.filled, intents.double_fills) == (3, 0)
    intents.note("intent:a:1", 1, 13)
    intents.note("intent:a:2", 1, 14)
    assert (intents.filled, intents.double_fills) == (3, 2)

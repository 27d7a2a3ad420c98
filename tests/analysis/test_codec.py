import json

import pytest

from chaoskit.analysis import analyse, decode, encode
from chaoskit.errors import StoreError
from tests.support.simulation import Day, simulate


def test_a_result_comes_back_as_it_was() -> None:
    result = analyse(*simulate(Day()))
    assert decode(encode(result)) == result


def test_the_document_is_canonical() -> None:
    document = encode(analyse(*simulate(Day())))
    assert document == (json.dumps(json.loads(document), ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


@pytest.mark.parametrize("document", [b"", b"{}", b'{"version": 1}'])
def test_what_is_no_result_is_named(document: bytes) -> None:
    with pytest.raises(StoreError, match=r"result\.json does not fit version 1"):
        decode(document)

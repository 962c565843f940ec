"""How a test says that AWS refuses a call: with which code, and in which words."""

import re
from contextlib import contextmanager

import pytest
from botocore.exceptions import ClientError


@contextmanager
def refused(code: str, text: str | None = None):
    """The block must end in a `ClientError` with `code`, whose message holds `text`."""
    with pytest.raises(ClientError) as raised:
        yield raised
    error = raised.value.response["Error"]
    assert error["Code"] == code, error
    if text is not None:
        assert re.search(re.escape(text), error["Message"]), error
    assert raised.value.response["ResponseMetadata"]["RequestId"], raised.value.response

"""What the contract cannot say about a good request, said to schemathesis."""

import json

import schemathesis
from schemathesis import GenerationMode

# Only the service can make one: such a parameter stays where an answer of the same list held the value.
OPAQUE = "continuationToken"
# A good one repeats the token's tenant, or names a project of it, and a document cannot know them.
OWNERS = ("X-Stella-Tenant", "X-Stella-Project")

# Waiting proves nothing here and takes all the time there is.
WAIT, WAIT_MAX_MS = "waitMs", 50

# Who this run speaks as: it must not take its own credentials away.
OURSELVES = "operator"

given = set()


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.hook
def after_call(context, case, response):
    try:
        given.add((case.operation.label, response.json()[OPAQUE]))
    except (ValueError, KeyError, TypeError):
        pass  # not a page


def printable(value):
    """The value without NULs, which may stand in no text though JSON Schema cannot say so."""
    if isinstance(value, str):
        return value.replace("\0", "0")
    if isinstance(value, list):
        return [printable(item) for item in value]
    if isinstance(value, dict):
        return {printable(name): printable(item) for name, item in value.items()}
    return value


@schemathesis.hook
def before_call(context, case, kwargs):
    if isinstance(case.body, dict) and case.body.get("subject") == OURSELVES:
        case.body["subject"] = "somebody"
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    if case.query and (case.operation.label, case.query.get(OPAQUE)) not in given:
        case.query.pop(OPAQUE, None)
    for owner in OWNERS:
        if case.headers and owner in case.headers:
            del case.headers[owner]
    if isinstance(case.body, dict) and isinstance(case.body.get(WAIT), int):
        case.body[WAIT] = min(case.body[WAIT], WAIT_MAX_MS)
    if isinstance(case.body, (dict, list)):
        case.body = printable(case.body)

"""Compares an answer's JSON with the service model that botocore carries. Used by the tests of every answer."""

import json
import re

# The service breaks its own pattern: `Import Job Completed Successfully.` is not `[\w]+`.
UNCHECKED_PATTERNS = {"CompletionMessageType"}


class Inspector:
    """Looks at every answer that a boto3 client gets, raw, and keeps what the model does not allow."""

    def __init__(self, client):
        self.problems = []
        self.answers = []
        client.meta.events.register("after-call.*.*", self.inspect)

    def inspect(self, http_response, parsed, model, **_):
        """botocore's hook; called for errors too, before they are raised."""
        body = json.loads(http_response.content or b"{}")
        operation = model.name
        self.answers.append((operation, http_response.status_code, body))
        if not parsed["ResponseMetadata"].get("RequestId"):
            self.problems.append(f"{operation}: no request id")
        if not http_response.headers.get("content-type", "").startswith("application/x-amz-json-1."):
            self.problems.append(f"{operation}: content type {http_response.headers.get('content-type')}")
        if http_response.status_code >= 300:
            named = [key for key in body if key not in ("__type", "message", "Message", "reasonCode")]
            self.problems += [f"{operation}: an error with {key}" for key in named]
        elif model.output_shape is None:
            self.problems += [f"{operation}: {key} in an answer without members" for key in body]
        else:
            compare(body, model.output_shape, operation, self.problems)


def compare(value, shape, place, problems):
    """Adds to `problems` where `value` is not what `shape` says, members that the model does not know included."""
    match shape.type_name:
        case "structure":
            if not isinstance(value, dict):
                problems.append(f"{place}: {value!r} is no structure")
                return
            problems += [f"{place}.{key}: not in the model" for key in value.keys() - shape.members.keys()]
            problems += [f"{place}.{key}: missing" for key in shape.required_members if key not in value]
            for key in value.keys() & shape.members.keys():
                compare(value[key], shape.members[key], f"{place}.{key}", problems)
        case "list":
            if not isinstance(value, list):
                problems.append(f"{place}: {value!r} is no list")
                return
            for at, item in enumerate(value):
                compare(item, shape.member, f"{place}[{at}]", problems)
        case "map":
            for key, item in value.items():
                compare(item, shape.value, f"{place}[{key}]", problems)
        case kind:
            scalar(value, kind, shape, place, problems)


def scalar(value, kind, shape, place, problems):
    """Compares a value without parts."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    fits = {
        "string": isinstance(value, str),
        "integer": number and isinstance(value, int),
        "long": number and isinstance(value, int),
        "boolean": isinstance(value, bool),
        "timestamp": number,
    }
    if not fits[kind]:
        problems.append(f"{place}: {value!r} is no {kind}")
        return
    if kind != "string":
        return
    if shape.enum and value not in shape.enum:
        problems.append(f"{place}: {value!r} is none of {shape.enum}")
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", len(value))
    if not least <= len(value) <= most:
        problems.append(f"{place}: {value!r} is not {least} to {most} characters long")
    pattern = shape.metadata.get("pattern", ".*")
    # Python's expressions have no `\p{…}`.
    checked = shape.name not in UNCHECKED_PATTERNS and "\\p{" not in pattern
    if checked and not re.fullmatch(pattern, value, re.ASCII | re.DOTALL):
        problems.append(f"{place}: {value!r} is not {pattern}")

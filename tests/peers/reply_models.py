"""Holds raw replies against AWS's own models: the SDKs fill gaps silently, this does not.

A reply may hold no member that the model lacks, must hold every member that the model requires, and each value must be of the model's
type: numbers as numbers, enumerated strings out of their list, times in the protocol's form. An error must be one that the operation
has, or one of the few that every operation can give.
"""

import json
import re
from functools import cache
from xml.etree import ElementTree

from botocore.session import get_session

# Codes that AWS answers without modelling them for each operation.
COMMON_ERRORS = {
    "json": {
        "AccessDeniedException", "ExpiredTokenException", "IncompleteSignatureException", "InvalidSignatureException",
        "MissingAuthenticationTokenException", "SerializationException", "ThrottlingException", "UnknownOperationException",
        "UnrecognizedClientException",
    },
    "query": {
        "AccessDenied", "ExpiredToken", "IncompleteSignature", "InternalFailure", "InvalidAction", "InvalidClientTokenId",
        "MissingAuthenticationToken", "ServiceUnavailable", "SignatureDoesNotMatch", "Throttling", "ValidationError",
    },
}
ISO_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
INTEGERS, FLOATS = {"integer", "long"}, {"float", "double"}


class ReplyCheck:
    """Sees every reply of the clients it is registered with, and keeps the faults."""

    def __init__(self):
        self.faults: list[str] = []
        self.operations: set[str] = set()
        self.last: dict = {}

    def see(self, operation_model, response_dict, **_):
        """Handler of botocore's `before-parse` event."""
        self.last = response_dict
        service = operation_model.service_model
        operation = f"{service.service_name}:{operation_model.name}"
        self.operations.add(operation)
        self.faults.extend(f"{operation}: {fault}" for fault in check(operation_model, response_dict))


def check(operation_model, reply: dict) -> list[str]:
    """The faults of one raw reply."""
    headers = {name.lower(): value for name, value in reply["headers"].items()}
    faults = [f"no {name} header" for name in ("x-amzn-requestid", "date") if name not in headers]
    spoken = operation_model.service_model.resolved_protocol
    if spoken == "smithy-rpc-v2-cbor":
        # botocore reads CBOR strictly by itself; what it does not look at is looked at here.
        has_body = reply["status_code"] >= 300 or operation_model.output_shape is not None
        told = (headers.get("smithy-protocol"), headers.get("content-type"))
        return faults if told == ("rpc-v2-cbor", "application/cbor" if has_body else None) else [*faults, f"the headers tell {told}"]
    protocol = "json" if spoken == "json" else "query"
    version = operation_model.service_model.metadata.get("jsonVersion", "1.0")
    expected = f"application/x-amz-json-{version}" if protocol == "json" else "text/xml"
    if headers.get("content-type") != expected:
        faults.append(f"content-type {headers.get('content-type')}, not {expected}")
    form = _Json if protocol == "json" else _Xml
    if reply["status_code"] >= 300:
        return faults + form.error(operation_model, reply)
    return faults + form.success(operation_model, reply)


def _scalar(shape, value, where: str) -> list[str]:
    """Faults that do not depend on the protocol."""
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        return [f"{where}: {value!r} is none of {enum}"]
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name == "string" and high is not None and len(value) > high:
        return [f"{where}: {len(value)} characters, at most {high} are allowed"]
    if shape.type_name in INTEGERS and not (low is None or value >= low) or shape.type_name in INTEGERS and high and value > high:
        return [f"{where}: {value} is not between {low} and {high}"]
    return []


@cache
def _shapes(service: str) -> dict:
    """The model as AWS wrote it: botocore's own view leaves out which errors are the server's fault."""
    return get_session().get_service_data(service)["shapes"]


def _modelled_error(operation_model, code: str, status: int, protocol: str) -> list[str]:
    for shape in operation_model.error_shapes:
        details = shape.metadata.get("error", {})
        if code == details.get("code", shape.name):
            fault = _shapes(operation_model.service_model.service_name)[shape.name].get("fault")
            wanted = details.get("httpStatusCode", 500 if fault else 400)
            return [] if status == wanted else [f"{code} with status {status}, not {wanted}"]
    return [] if code in COMMON_ERRORS[protocol] else [f"the operation has no error {code}"]


class _Json:
    @staticmethod
    def success(operation_model, reply) -> list[str]:
        body = json.loads(reply["body"] or b"{}")
        shape = operation_model.output_shape
        return _Json.walk(shape, body, "reply") if shape else ([] if body == {} else ["a reply without a model"])

    @staticmethod
    def error(operation_model, reply) -> list[str]:
        body = json.loads(reply["body"])
        code = body.get("__type", "").rsplit("#")[-1]
        faults = [] if body.get("message") else [f"{code} without a message"]
        protocol = "json"
        if "awsQueryCompatible" in operation_model.service_model.metadata:
            # Such a service tells the shape in the body, and the code that its query protocol has in a header.
            told = {name.lower(): value for name, value in reply["headers"].items()}.get("x-amzn-query-error", "")
            shapes = {shape.metadata.get("error", {}).get("code", shape.name): shape.name for shape in operation_model.error_shapes}
            queried, _, kind = told.partition(";")
            if kind not in ("Sender", "Receiver") or code != shapes.get(queried, queried):
                faults.append(f"{code} with the query error {told!r}")
            code, protocol = queried, "query" if queried in COMMON_ERRORS["query"] else "json"
        return faults + _modelled_error(operation_model, code, reply["status_code"], protocol)

    @staticmethod
    def walk(shape, value, where: str) -> list[str]:
        kind = shape.type_name
        if kind == "structure":
            if not isinstance(value, dict):
                return [f"{where}: {type(value).__name__}, not a structure"]
            faults = [f"{where}.{name} is unknown" for name in value if name not in shape.members]
            faults += [f"{where}.{name} is missing" for name in shape.required_members if name not in value]
            known = ((name, member) for name, member in shape.members.items() if name in value)
            return faults + [fault for name, member in known for fault in _Json.walk(member, value[name], f"{where}.{name}")]
        if kind == "list":
            if not isinstance(value, list):
                return [f"{where}: {type(value).__name__}, not a list"]
            return [fault for index, item in enumerate(value) for fault in _Json.walk(shape.member, item, f"{where}[{index}]")]
        if kind == "map":
            if not isinstance(value, dict):
                return [f"{where}: {type(value).__name__}, not a map"]
            return [fault for key, item in value.items() for fault in _Json.walk(shape.value, item, f"{where}[{key}]")]
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        fits = {
            "string": isinstance(value, str), "boolean": isinstance(value, bool), "timestamp": number,
        }.get(kind, number and (kind in FLOATS or isinstance(value, int)))
        return _scalar(shape, value, where) if fits else [f"{where}: {value!r} is no {kind}"]


class _Xml:
    @staticmethod
    def name(element) -> str:
        return element.tag.rsplit("}", 1)[-1]

    @staticmethod
    def success(operation_model, reply) -> list[str]:
        root = ElementTree.fromstring(reply["body"])
        faults = [] if _Xml.name(root) == f"{operation_model.name}Response" else [f"the root is {_Xml.name(root)}"]
        if operation_model.service_model.resolved_protocol == "rest-xml":
            # Its members stand in the root itself, and the request's id in a header alone.
            return faults + (_Xml.walk(operation_model.output_shape, root, "reply") if operation_model.output_shape else [])
        children = {_Xml.name(child): child for child in root}
        metadata = children.get("ResponseMetadata")
        if metadata is None or not [child for child in metadata if _Xml.name(child) == "RequestId"]:
            faults.append("no ResponseMetadata/RequestId")
        shape = operation_model.output_shape
        if shape is None:
            return faults
        wrapper = shape.serialization.get("resultWrapper")
        if wrapper not in children:
            return [*faults, f"no {wrapper} below the root"]
        return faults + _Xml.walk(shape, children[wrapper], "reply")

    @staticmethod
    def error(operation_model, reply) -> list[str]:
        root = ElementTree.fromstring(reply["body"])
        if _Xml.name(root) != "ErrorResponse":
            return [f"the root of an error is {_Xml.name(root)}"]
        texts = {_Xml.name(child): child.text for child in root.iter()}
        faults = [f"no {name} in an error" for name in ("Type", "Code", "Message", "RequestId") if not texts.get(name)]
        return faults + _modelled_error(operation_model, texts.get("Code") or "", reply["status_code"], "query")

    @staticmethod
    def walk(shape, element, where: str) -> list[str]:
        kind, text = shape.type_name, element.text or ""
        if kind == "structure":
            names = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()
                     if member.serialization.get("location") not in ("header", "headers", "statusCode")}
            present = [_Xml.name(child) for child in element]
            faults = [f"{where}.{name} is unknown" for name in present if name not in names]
            faults += [f"{where}.{name} is there {present.count(name)} times" for name in set(present) if present.count(name) > 1]
            faults += [f"{where}.{name} is missing" for name, (member, _) in names.items()
                       if member in shape.required_members and name not in present]
            known = [child for child in element if _Xml.name(child) in names]
            return faults + [fault for child in known
                             for fault in _Xml.walk(names[_Xml.name(child)][1], child, f"{where}.{_Xml.name(child)}")]
        if kind == "list":
            item = shape.member.serialization.get("name", "member")
            faults = [f"{where} holds {_Xml.name(child)}, not {item}" for child in element if _Xml.name(child) != item]
            return faults + [fault for index, child in enumerate(element)
                             for fault in _Xml.walk(shape.member, child, f"{where}[{index}]")]
        if kind in INTEGERS:
            return _scalar(shape, int(text), where) if re.fullmatch(r"-?\d+", text) else [f"{where}: {text!r} is no {kind}"]
        if kind == "boolean":
            return [] if text in ("true", "false") else [f"{where}: {text!r} is no boolean"]
        if kind == "timestamp":
            return [] if ISO_TIME.match(text) else [f"{where}: {text!r} is no ISO 8601 time in UTC"]
        return _scalar(shape, text, where) if kind == "string" else []

"""The OpenAPI document, made from the table of operations and their models."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

import framestyle
from framestyle.doors.studio.models import Problem
from framestyle.doors.studio.operations import OPERATIONS, Operation

REFERENCE = "#/components/schemas/{model}"
QUERY = {
    "page": ("A name that the page gives itself", {"type": "string"}),
    "path": ("A folder, from the root, with /", {"type": "string"}),
    "offset": ("How many to pass over", {"type": "integer", "minimum": 0}),
    "limit": ("How many at most", {"type": "integer", "minimum": 1, "maximum": 500}),
    "name": ("A name", {"type": "string"}),
    "side": ("Longest side, px", {"type": "integer", "minimum": 1, "maximum": 4096}),
    "at": ("Seconds from a clip's start", {"type": "number", "minimum": 0}),
    "download": ("To be saved, not shown", {"type": "string"}),
    "overwrite": ("Replace a preset of your own that has the name", {"type": "string"}),
}


def document() -> dict[str, Any]:
    """OpenAPI 3.1, complete."""
    schemas = _schemas()
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "FrameStyle studio",
            "version": framestyle.__version__,
            "description": "Previews, presets and a queue of renders. Errors are of the schema Problem.",
        },
        "security": [{"bearer": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "framestyle_studio_PORT"},
            },
            "responses": {
                "Problem": {
                    "description": "Not done, and why",
                    "content": _json({"$ref": _reference(Problem)}),
                }
            },
        },
    }


def _models() -> list[type[BaseModel]]:
    found: list[type[BaseModel]] = [Problem]
    for operation in OPERATIONS:
        for one in (operation.answer, operation.body):
            model = _model_in(one)
            if model is not None and model not in found:
                found.append(model)
    return found


def _schemas() -> dict[str, Any]:
    _, schema = models_json_schema([(model, "validation") for model in _models()], ref_template=REFERENCE)
    schemas: dict[str, Any] = schema["$defs"]
    return schemas


def _model_in(one: Any) -> type[BaseModel] | None:
    inner = getattr(one, "__args__", (one,))[0]
    return inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None


def _reference(model: type[BaseModel]) -> str:
    return REFERENCE.format(model=model.__name__)


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _content(one: Any) -> dict[str, Any]:
    if isinstance(one, str):
        return {one: {"schema": {"type": "string", "contentMediaType": one}}}
    model = _model_in(one)
    if model is not None and one is not model:
        return _json({"type": "array", "items": {"$ref": _reference(model)}})
    return _json({"$ref": _reference(model)} if model is not None else TypeAdapter(one).json_schema())


def _described(operation: Operation) -> dict[str, Any]:
    inside = re.findall(r"{(\w+)}", operation.path)
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in inside
    ]
    for name in operation.query:
        said, schema = QUERY[name]
        parameters.append({"name": name, "in": "query", "description": said, "schema": schema})
    described: dict[str, Any] = {
        "operationId": f"{operation.handler.__module__.rpartition('_')[2]}_{operation.handler.__name__}",
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {
            "2XX": {"description": operation.summary, "content": _content(operation.answer)},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _content(operation.body)}
    return described

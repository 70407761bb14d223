"""Values that are names in a registry: checked as pydantic checks a `Literal`, with plugins' names beside our own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from framestyle.plugins import Registry


@dataclass(frozen=True, eq=False)
class OneOf:
    """Marks a text that must be a name in a registry: `Annotated[str, OneOf(STATISTICS)]`."""

    registry: Registry

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._checked)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        # An editor's schema is the same on every machine.
        return {"enum": list(self.registry.built_in_names), "type": "string"}

    def _checked(self, value: Any) -> str:
        if isinstance(value, str):
            if value in self.registry:
                return value
            if (why := self.registry.why_broken(value)) is not None:
                raise ValueError(why)
        names = [repr(name) for name in self.registry.names()]
        expected = " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
        raise PydanticCustomError("literal_error", "Input should be {expected}", {"expected": expected})


@dataclass(frozen=True)
class OneOfOrPath:
    """Marks a text that is a name in a registry, or the path of a picture; any text passes."""

    registry: Registry

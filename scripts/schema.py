"""Makes docs/documents.schema.json: the JSON Schema of what commands print as JSON, read off the records that print it.

Every record says in its ``to_dict`` what stands in a document, by names and by expressions of its fields, and its fields have
types. This module reads those expressions, as a compiler would, so that nothing is typed twice. What it cannot tell may be
anything.
"""

from __future__ import annotations

import ast
import enum
import inspect
import json
import textwrap
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import numpy as np

from goodmeasure.auditing.finding import Audit
from goodmeasure.cli import _planning, _scoring, losses
from goodmeasure.decisions.rules import ActDecision, Decision
from goodmeasure.making.card import Card
from goodmeasure.monitoring.monitored import Monitored
from goodmeasure.report.scored import ScoredRows
from goodmeasure.study.study import Study
from goodmeasure.traits.certificate import LineCertificate

PAGE = Path(__file__).resolve().parent.parent / "docs" / "documents.schema.json"
Schema = dict[str, Any]
ANYTHING: Schema = {}
NUMBER: Schema = {"type": ["number", "null"]}
# What each command prints with --json; `decide` a decision for each group of rows.
PRINTED: dict[str, Any] = {
    "run": Study,
    "demo": Study,
    "report": ScoredRows,
    "monitor": Monitored,
    "choose": _planning.document,
    "score": _scoring.document,
    "decide": dict[str, Decision | ActDecision],
    "losses": losses.listed,
    "losses NAME": Card,
    "losses NAME --certificates": list[LineCertificate],
    "audit": Audit,
}


@dataclass(frozen=True)
class Value:
    """What is known of an expression: its shape as JSON, made when it is asked for, and its type in Python where known."""

    made: Schema | Callable[[], Schema]
    hint: Any = None

    @property
    def schema(self) -> Schema:
        return self.made() if callable(self.made) else self.made


@dataclass
class Shapes:
    """The shapes of records by name, each made once."""

    defs: dict[str, Schema] = field(default_factory=dict)
    open: list[type] = field(default_factory=list)

    def printed(self, what: Any) -> Schema:
        """The shape of what a function returns, or of records of a type."""
        if not inspect.isfunction(what):
            return self.of_hint(what, records=True)
        hints = typing.get_type_hints(what)
        arguments = {name: Value(ANYTHING, hint) for name, hint in hints.items()}
        return Reading(self, arguments).of_function(what)

    def record(self, kind: type) -> Schema:
        """A reference to the shape of what a record's ``to_dict`` gives."""
        name = kind.__name__
        if name not in self.defs:
            self.defs[name] = {}  # a record may hold others of its kind
            self.defs[name] = Reading(self, {"self": Value(ANYTHING, kind)}, kind).of_function(kind.to_dict)
        return {"$ref": f"#/$defs/{name}"}

    def of_hint(self, hint: Any, *, records: bool = False) -> Schema:
        """The shape of a value of this type, whose records are written by their fields, or as they write themselves."""
        origin, parts = get_origin(hint), get_args(hint)
        if origin in (Union, types.UnionType):
            return either(*(self.of_hint(part, records=records) for part in parts))
        if origin is Literal:
            return {"enum": list(parts)}
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self.of_hint(parts[1], records=records)}
        if origin is np.ndarray:
            return {"type": "array"}
        if isinstance(origin, type) and issubclass(origin, Sequence):
            items = either(*(self.of_hint(part, records=records) for part in parts if part is not ...))
            return {"type": "array", "items": items}
        return self._of_class(hint, records=records)

    def _of_class(self, hint: Any, *, records: bool) -> Schema:
        plain = {bool: "boolean", int: "integer", str: "string", type(None): "null"}
        if hint in plain:
            return {"type": plain[hint]}
        if hint is float:
            return NUMBER
        if not isinstance(hint, type):
            return ANYTHING
        if records and hasattr(hint, "to_dict"):
            return self.record(hint)
        if issubclass(hint, enum.Enum):
            return {"type": "string"}
        return self.by_fields(hint) if is_dataclass(hint) else ANYTHING

    def by_fields(self, kind: type) -> Schema:
        """The shape of a record that is written by its fields."""
        if kind in self.open:  # it holds others of its kind
            return ANYTHING
        self.open.append(kind)
        hints = typing.get_type_hints(kind)
        found = closed({one.name: self.of_hint(hints[one.name]) for one in fields(kind)})
        self.open.pop()
        return found


def closed(properties: dict[str, Schema]) -> Schema:
    """An object of these names and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def either(*shapes: Schema) -> Schema:
    """One of several shapes; anything, if one of them may be anything."""
    flat = [one for shape in shapes for one in shape.get("anyOf", [shape])]
    kept = [shape for k, shape in enumerate(flat) if shape not in flat[:k]]
    if not kept or ANYTHING in kept:
        return ANYTHING
    return kept[0] if len(kept) == 1 else {"anyOf": kept}


@dataclass
class Reading:
    """How the expressions of one function are read: what its names hold, and the class that it belongs to."""

    shapes: Shapes
    names: dict[str, Value]
    owner: type | None = None
    function: Callable[..., Any] | None = None
    returned: list[Schema] = field(default_factory=list)

    def of_function(self, function: Callable[..., Any]) -> Schema:
        """The shape of what a function returns."""
        self.function = inspect.unwrap(function)
        tree = ast.parse(textwrap.dedent(inspect.getsource(self.function))).body[0]
        assert isinstance(tree, ast.FunctionDef)
        self.block(tree.body)
        return either(*self.returned)

    def block(self, lines: Sequence[ast.stmt], *, surely: bool = True) -> None:
        """Follow statements; those of a branch may not have been followed."""
        for line in lines:
            if isinstance(line, ast.Return) and line.value is not None:
                self.returned.append(self.of(line.value).schema)
            elif isinstance(line, ast.Assign | ast.AnnAssign) and line.value is not None:
                target = line.targets[0] if isinstance(line, ast.Assign) else line.target
                self.assign(target, self.of(line.value), surely=surely)
            elif isinstance(line, ast.If):
                self.block(line.body, surely=False)
                self.block(line.orelse, surely=False)
            elif isinstance(line, ast.For):
                self.names |= dict.fromkeys(_names(line.target), Value(ANYTHING))
                self.loosen(line)

    def assign(self, target: ast.expr, value: Value, *, surely: bool) -> None:
        if isinstance(target, ast.Name):
            self.names[target.id] = value
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            held = self.names.get(target.value.id, Value(ANYTHING)).schema
            name = target.slice.value if isinstance(target.slice, ast.Constant) else None
            if not held.get("properties") or name is None:
                return
            before = held["properties"].get(name)
            shape = value.schema if surely or before is None else either(before, value.schema)
            changed = {**held, "properties": {**held["properties"], name: shape}}
            self.names[target.value.id] = Value(changed)

    def loosen(self, loop: ast.For) -> None:
        """A loop that changes what names hold: those may be anything from then on."""
        for node in ast.walk(loop):
            if isinstance(node, ast.Assign):
                self.names |= dict.fromkeys(_names(node.targets[0]) & set(self.names), Value(ANYTHING))

    def of(self, node: ast.expr) -> Value:
        """What is known of an expression; anything, where nothing is."""
        reader = getattr(self, f"_{type(node).__name__.lower()}", None)
        return reader(node) if reader else Value(ANYTHING)

    def _typed(self, hint: Any) -> Value:
        return Value(lambda: self.shapes.of_hint(hint), hint)

    def _constant(self, node: ast.Constant) -> Value:
        return Value({"type": "null"} if node.value is None else {"const": node.value}, type(node.value))

    def _joinedstr(self, node: ast.JoinedStr) -> Value:
        return self._typed(str)

    def _compare(self, node: ast.Compare) -> Value:
        return self._typed(bool)

    def _name(self, node: ast.Name) -> Value:
        return self.names.get(node.id, Value(ANYTHING))

    def _attribute(self, node: ast.Attribute) -> Value:
        held = self.of(node.value).hint
        if node.attr == "value" and isinstance(held, type) and issubclass(held, enum.Enum):
            return self._typed(type(next(iter(held)).value))
        return self._typed(_hint_of(held, node.attr))

    def _ifexp(self, node: ast.IfExp) -> Value:
        return Value(either(self.of(node.body).schema, self.of(node.orelse).schema))

    def _boolop(self, node: ast.BoolOp) -> Value:
        return Value(either(*(self.of(each).schema for each in node.values)))

    def _binop(self, node: ast.BinOp) -> Value:
        if isinstance(node.op, ast.BitOr):
            return Value(self.joined([self.of(node.left).schema, self.of(node.right).schema]))
        return Value(NUMBER)

    def _dict(self, node: ast.Dict) -> Value:
        parts = []
        for key, value in zip(node.keys, node.values, strict=True):
            shape = self.of(value).schema
            if isinstance(key, ast.Constant):
                parts.append(closed({key.value: shape}))
            else:
                parts.append(shape if key is None else {"type": "object", "additionalProperties": shape})
        return Value(self.joined(parts) if parts else closed({}))

    def joined(self, parts: Sequence[Schema]) -> Schema:
        """Objects written into one, the later over the earlier; open, if one of them is not known by its names."""
        properties: dict[str, Schema] = {}
        required: dict[str, None] = {}
        others: list[Schema] = []
        for part in map(self.one_object, parts):
            properties |= part.get("properties", {})
            required |= dict.fromkeys(part.get("required", ()))
            if part.get("additionalProperties") is not False:
                others.append(part.get("additionalProperties", ANYTHING))
        return {
            **closed(properties),
            "required": list(required),
            "additionalProperties": either(*others) if others else False,
        }

    def one_object(self, shape: Schema) -> Schema:
        """An object behind a reference, or one of several as the object that holds what all of them must."""
        if "$ref" in shape:
            return self.one_object(self.shapes.defs[shape["$ref"].rpartition("/")[2]])
        if "anyOf" not in shape:
            return shape
        each = [self.one_object(one) for one in shape["anyOf"]]
        needed = [name for name in each[0].get("required", ()) if all(name in one.get("required", ()) for one in each)]
        return {**self.joined(each), "required": needed}

    def _subscript(self, node: ast.Subscript) -> Value:
        hint = self.of(node.value).hint
        parts = get_args(hint)
        if get_origin(hint) is tuple and isinstance(node.slice, ast.Constant) and ... not in parts:
            return self._typed(parts[node.slice.value])
        return self._typed(parts[-1]) if parts and isinstance(get_origin(hint), type) else Value(ANYTHING)

    def _dictcomp(self, node: ast.DictComp) -> Value:
        over = node.generators[0].iter
        if isinstance(over, ast.Call) and ast.unparse(over) == "fields(self)":
            return Value(self.shapes.by_fields(self.names["self"].hint))
        inner = self.inside(node.generators)
        return Value({"type": "object", "additionalProperties": inner.of(node.value).schema})

    def _listcomp(self, node: ast.ListComp) -> Value:
        return Value({"type": "array", "items": self.inside(node.generators).of(node.elt).schema})

    def _list(self, node: ast.List) -> Value:
        return Value({"type": "array", "items": either(*(self.of(each).schema for each in node.elts))})

    def inside(self, loops: Sequence[ast.comprehension]) -> Reading:
        """The same, with the names of loops bound to what they run over."""
        inner = Reading(self.shapes, dict(self.names), self.owner, self.function)
        for loop in loops:
            inner.names |= inner.bound(loop.target, loop.iter)
        return inner

    def bound(self, target: ast.expr, over: ast.expr) -> dict[str, Value]:
        """What the names of a loop hold."""
        if isinstance(over, ast.Call) and isinstance(over.func, ast.Attribute) and over.func.attr == "items":
            parts = get_args(self.of(over.func.value).hint)
            hints = list(parts) if len(parts) == 2 else [Any, Any]
        else:
            parts = [part for part in get_args(self.of(over).hint) if part is not ...]
            hints = [parts[0] if len(parts) == 1 else Any]
        each = target.elts if isinstance(target, ast.Tuple) else [target]
        hints = hints if len(hints) == len(each) else [Any] * len(each)
        return {one.id: self._typed(hint) for one, hint in zip(each, hints, strict=True) if isinstance(one, ast.Name)}

    def _call(self, node: ast.Call) -> Value:
        if isinstance(node.func, ast.Attribute):
            return self.method(node, node.func)
        return self.plain_call(node, node.func.id) if isinstance(node.func, ast.Name) else Value(ANYTHING)

    def method(self, node: ast.Call, called: ast.Attribute) -> Value:
        """A call of a method: a record that writes itself, an array as lists, or what the method says that it returns."""
        if called.attr == "to_dict":
            if isinstance(called.value, ast.Call) and ast.unparse(called.value) == "super()":
                assert self.owner is not None
                parent = next(one for one in self.owner.__mro__[1:] if "to_dict" in vars(one))
                return Value(Reading(self.shapes, self.names, parent).of_function(parent.to_dict))
            return Value(self.written(self.of(called.value).hint))
        hint = self.of(called.value).hint
        if called.attr == "tolist":
            return Value({"type": "array"} if get_origin(hint) is np.ndarray else ANYTHING)
        return self._typed(_hint_of(hint, called.attr))

    def written(self, hint: Any) -> Schema:
        """What a record, or one of several kinds of records, writes of itself."""
        kinds = [one for one in (get_args(hint) or (hint,)) if one is not type(None)]
        if all(isinstance(one, type) and hasattr(one, "to_dict") for one in kinds):
            return either(*map(self.shapes.record, kinds))
        return ANYTHING

    def plain_call(self, node: ast.Call, name: str) -> Value:
        """A call of a function: those of Python that are plain, and our own by what they return."""
        known = {"str": str, "len": int, "int": int, "float": float, "bool": bool}
        if name in known:
            return self._typed(known[name])
        first = self.of(node.args[0]) if node.args else Value(ANYTHING)
        if name in ("asdict", "vars"):
            return Value(self.shapes.by_fields(first.hint) if is_dataclass(first.hint) else ANYTHING)
        if isinstance(_hint_of(self.of(node.func).hint, "__call__"), typing.TypeVar):
            return first  # a function that gives back what it takes, in another size
        if name == "dict" and get_origin(first.hint) is tuple:  # of pairs
            (pair, *_) = get_args(first.hint)
            return Value({"type": "object", "additionalProperties": self.shapes.of_hint(get_args(pair)[-1])})
        if name in ("dict", "plain_values", "sorted"):
            return first
        if name == "list":
            return Value(first.schema if first.schema.get("type") == "array" else {"type": "array"}, first.hint)
        function = vars(inspect.getmodule(self.function)).get(name)
        if not inspect.isfunction(function) or "return" not in function.__annotations__:
            return Value(ANYTHING)
        hints = typing.get_type_hints(function)
        arguments = {one: self._typed(hint) for one, hint in hints.items() if one != "return"}
        if dict in (get_origin(part) for part in (hints["return"], *get_args(hints["return"]))):
            return Value(Reading(self.shapes, arguments).of_function(function))
        return self._typed(hints["return"])


def _names(target: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}


def _hint_of(kind: Any, name: str) -> Any:
    """The type of an attribute, or of what a method returns."""
    kinds = [
        one
        for one in (get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,))
        if one is not type(None)
    ]
    found = kinds[0] if len(kinds) == 1 else None
    if not isinstance(found, type):
        return Any
    held = inspect.getattr_static(found, name, None)
    made = held.fget if isinstance(held, property) else getattr(held, "func", held)
    if inspect.isfunction(made):
        return typing.get_type_hints(made).get("return", Any)
    return typing.get_type_hints(found).get(name, Any) if is_dataclass(found) else Any


def schema() -> Schema:
    """The schema of all documents: one of those that commands print."""
    shapes = Shapes()
    printed = {name: shapes.printed(what) for name, what in PRINTED.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What goodmeasure prints as JSON, by command: version 1",
        "anyOf": [{"$ref": f"#/$defs/{name.replace(' ', '%20')}"} for name in printed],
        "$defs": {**printed, **shapes.defs},
    }


def page() -> str:
    """The schema as a file."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"

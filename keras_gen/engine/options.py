"""The options that a model takes: which there are, their types, and errors for the others."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any

from keras_gen.suggestions import nearest

# Arguments of the constructor that every model has, and that no preset sets.
COMMON = ("seed", "name", "dtype", "trainable")
SIMPLE = {int: "an integer", float: "a number", str: "text", bool: "True or False"}


def parameters(cls: type, function: str) -> dict[str, inspect.Parameter]:
    """Returns what a method takes, by name.

    Where the method hands `**options` on to the base class's method, that method's parameters are
    among them, except what the class sets itself.
    """
    found: dict[str, inspect.Parameter] = {}
    for own in _functions(cls, function):
        inherited, handed_on = bool(found), False
        _, *taken = inspect.signature(own).parameters.values()  # without self or cls
        for parameter in taken:
            if parameter.kind is parameter.VAR_KEYWORD:
                handed_on = True
            elif parameter.name not in found and parameter.name not in cls.sets_itself:
                kind = parameter.KEYWORD_ONLY if inherited else parameter.kind
                found[parameter.name] = parameter.replace(kind=kind)
        if not handed_on:
            break
    return found


def _functions(cls: type, name: str) -> list[Callable]:
    """The functions of that name in a class and its bases, in the order of their calls."""
    found = (vars(each)[name] for each in cls.__mro__ if name in vars(each))
    return [getattr(each, "__func__", each) for each in found]


def _hints(cls: type, function: str) -> dict[str, Any]:
    """The type hints of all that a method takes."""
    hints: dict[str, Any] = {}
    for own in _functions(cls, function):
        hints = typing.get_type_hints(own) | hints
    return hints


def signature(cls: type) -> inspect.Signature:
    """Returns the signature of a model's constructor with all that it takes."""
    return inspect.Signature(list(parameters(cls, "__init__").values()))


def model_options(cls: type) -> dict[str, Any]:
    """Returns the model's own hyperparameters: name -> type hint."""
    hints = _hints(cls, "__init__")
    return {
        name: hints.get(name, Any)
        for name, parameter in parameters(cls, "__init__").items()
        if parameter.default is not parameter.empty and name not in COMMON
    }


def network_options(cls: type) -> dict[str, Any]:
    """Returns the options of the model's default networks: name -> type hint."""
    own, hints = parameters(cls, "__init__"), _hints(cls, "for_data")
    return {
        name: hints.get(name, Any)
        for name, parameter in parameters(cls, "for_data").items()
        if parameter.default is not parameter.empty and name not in (*own, *COMMON)
    }


class takes_options(classmethod):
    """A class method that names all its options and refuses unknown ones, as `for_data` does.

    `inspect.signature` shows the options of the default networks and of the model's constructor.
    """

    def __get__(self, instance, owner=None):
        method = super().__get__(instance, owner)
        cls, name = owner or type(instance), method.__name__
        taken = parameters(cls, name)
        more = {
            each: parameter.replace(kind=parameter.KEYWORD_ONLY)
            for each, parameter in parameters(cls, "__init__").items()
            if each not in taken and parameter.default is not parameter.empty
        }

        @functools.wraps(method)
        def checked(*args, **kwargs):
            check_known(f"{cls.__name__}.{name}", kwargs, taken | more)
            return method(*args, **kwargs)

        checked.__signature__ = inspect.Signature([*taken.values(), *more.values()])
        return checked


def check_known(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Checks that options exist.

    Raises:
        TypeError: if one does not; the message suggests the nearest that does.
    """
    for name in given:
        if name not in known:
            raise TypeError(f"{what} has no option {name!r}.{nearest(name, known)}")


def check_value(name: str, value: Any, hint: Any) -> None:
    """Checks the type of an option whose hint is a simple type, or a union of such.

    Raises:
        ValueError: if the value is of another type.
    """
    union = isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union
    kinds = set(typing.get_args(hint)) if union else {hint}
    if not kinds <= {*SIMPLE, type(None)}:
        return  # the model checks what is composed
    allowed = kinds | ({int} if float in kinds else set())
    if type(value) not in allowed:
        wanted = " or ".join(text for kind, text in SIMPLE.items() if kind in kinds)
        raise ValueError(f"{name} must be {wanted}, got {value!r}.")

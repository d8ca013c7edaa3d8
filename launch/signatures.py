"""Signatures and docstrings of constructors, read from their source without importing it.

A wrong flag is answered before TensorFlow is imported, so what a constructor takes is read from
its source file: arguments, defaults and annotations from the signature, texts from the `Args:`
section of the docstring. `**kwargs` are followed to the base class, or to the function, that they
are handed on to.

Example:
    >>> read("tfmgaug.learners.FOMAML").arguments["inner_steps"]
    Argument(name='inner_steps', default=5, annotation=None, text='int >= 1, in training ...')
"""

import ast
import functools
import importlib.util
import inspect
import pathlib
import re
from typing import Any, NamedTuple

REQUIRED = inspect.Parameter.empty  # the default of an argument that has none


class Argument(NamedTuple):
    """An argument of a constructor.

    Attributes:
        name: in the signature.
        default: its value, or `REQUIRED`.
        annotation: source of its type, or None.
        text: what the docstring says of it.
    """

    name: str
    default: Any
    annotation: str | None
    text: str


class Constructor(NamedTuple):
    """A class or function that makes an object.

    Attributes:
        name: of the class or function.
        arguments: dictionary from names to `Argument`, in the order of the signature, those that
            `**kwargs` hand on last.
    """

    name: str
    arguments: dict


class _Definition(NamedTuple):
    module: str
    node: Any


@functools.cache
def read(path):
    """Reads what a constructor takes.

    Args:
        path: dotted path, as `tfmgaug.learners.MAML`.

    Returns:
        A `Constructor`.

    Raises:
        ValueError: there is no such class or function.
    """
    module, _, name = path.rpartition(".")
    definition = _find(module, name)
    if definition is None or not isinstance(definition.node, (ast.ClassDef, ast.FunctionDef)):
        raise ValueError(f"Expected the path of a class or function. Received: {path!r}.")
    return Constructor(name, _arguments(definition))


def first_line(module):
    """Returns the first line of a module's docstring.

    Args:
        module: dotted path.
    """
    return ast.get_docstring(_tree(module)).partition("\n")[0]


@functools.cache
def _tree(module):
    """The parsed source of a module, or None where it has none."""
    top, *inner = module.split(".")
    spec = importlib.util.find_spec(top)  # which imports nothing: the module is no submodule
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    folder = pathlib.Path(spec.origin).parent
    file = pathlib.Path(spec.origin) if not inner else folder.joinpath(*inner[:-1], inner[-1])
    if inner:
        file = file / "__init__.py" if file.is_dir() else file.with_suffix(".py")
    return ast.parse(file.read_text()) if file.is_file() else None


def _find(module, name):
    """Follows imports from a module to where a name is defined; None: out of reach."""
    first, _, rest = name.partition(".")
    tree = _tree(module)
    for node in tree.body if tree else ():
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name:
            return _Definition(module, node)
        if isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                if (alias.asname or alias.name) == first:
                    inside = f"{node.module}.{alias.name}"
                    return _find(inside, rest) if rest else _find(node.module, alias.name)
    return None


def _arguments(definition):
    if isinstance(definition.node, ast.FunctionDef):
        return _of_function(definition)
    return _of_class(definition)


def _of_function(definition):
    texts = _texts(definition.node)
    arguments = _signature(definition.node.args, texts)
    if definition.node.args.kwarg is None:
        return arguments
    call = _call_with(definition.node, definition.node.args.kwarg.arg)
    callee = call and _find(definition.module, ast.unparse(call.func))
    return _with_inherited(arguments, callee and _arguments(callee), call)


def _of_class(definition):
    texts = _texts(definition.node)
    if any("dataclass" in ast.unparse(mark) for mark in definition.node.decorator_list):
        return _of_dataclass(definition, texts)
    init = next((n for n in definition.node.body if getattr(n, "name", "") == "__init__"), None)
    if init is None:
        return _retold(_inherited(definition), texts)
    arguments = _signature(init.args, texts)
    arguments.pop("self")
    if init.args.kwarg is None:
        return arguments
    call = _call_with(init, init.args.kwarg.arg)
    return _with_inherited(arguments, _inherited(definition), call, texts)


def _of_dataclass(definition, texts):
    arguments = dict(_inherited(definition) or {})
    for node in definition.node.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id
            default = REQUIRED if node.value is None else _constant(node.value)
            annotation = ast.unparse(node.annotation)
            arguments[name] = Argument(name, default, annotation, texts.get(name, ""))
    return arguments


def _inherited(definition):
    """The arguments of the first base class whose source is within reach."""
    inherited = {}
    for base in definition.node.bases:
        ancestor = _find(definition.module, ast.unparse(base))
        inherited = _arguments(ancestor) if ancestor else {}
        if inherited:
            break
    return inherited


def _with_inherited(arguments, inherited, call, texts=None):
    """Adds what `**kwargs` hand on, but for what the call itself decides."""
    decided = {keyword.arg for keyword in _keywords(call)} if call else set()
    decided |= set(list(inherited or {})[: len(call.args) if call else 0])
    more = {n: a for n, a in (inherited or {}).items() if n not in {*arguments, *decided}}
    return {**arguments, **_retold(more, texts or {})}


def _retold(arguments, texts):
    """Arguments with the texts of a subclass in the place of its base's."""
    return {n: a._replace(text=texts.get(n, a.text)) for n, a in arguments.items()}


def _call_with(node, name):
    """The call in a body that hands on `**name`, or `**fixed(self, name, first_order=True)`."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call):
            handed = [k.value for k in call.keywords if k.arg is None]
            handed += [part for value in handed for part in getattr(value, "args", ())]
            if any(isinstance(value, ast.Name) and value.id == name for value in handed):
                return call
    return None


def _keywords(call):
    """The keywords that a call decides, those within `**fixed(...)` too."""
    within = [k.value.keywords for k in call.keywords if isinstance(k.value, ast.Call)]
    return [*call.keywords, *(keyword for keywords in within for keyword in keywords)]


def _signature(arguments, texts):
    positional = [*arguments.posonlyargs, *arguments.args]
    missing = [None] * (len(positional) - len(arguments.defaults))
    pairs = [*zip(positional, [*missing, *arguments.defaults])]
    pairs += zip(arguments.kwonlyargs, arguments.kw_defaults)
    return {
        node.arg: Argument(
            node.arg,
            REQUIRED if default is None else _constant(default),
            None if node.annotation is None else ast.unparse(node.annotation),
            texts.get(node.arg, ""),
        )
        for node, default in pairs
    }


def _constant(node):
    """The value of an expression of literals, as `5 / 6` or `(1, 1, 5, 5)`."""
    return eval(compile(ast.Expression(node), "<default>", "eval"), {"__builtins__": {}})


def _texts(node):
    """What the `Args:` section of a docstring says of each argument."""
    texts, name, inside = {}, None, False
    for line in (ast.get_docstring(node) or "").splitlines():
        started = re.match(r"    (\w+): (.*)", line)
        if not line.startswith(" "):
            inside = line == "Args:" or (inside and not line)
        elif inside and started:
            name = started[1]
            texts[name] = started[2]
        elif inside and name and line.startswith("        "):
            texts[name] += " " + line.strip()
        else:
            name = None
    return texts

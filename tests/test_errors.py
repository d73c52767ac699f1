from __future__ import annotations

import inspect

from ohmnas import errors


def test_every_error_is_an_ohmnas_error_and_a_builtin_of_its_kind() -> None:
    classes = [value for _, value in inspect.getmembers(errors, inspect.isclass)]
    for error in classes:
        assert issubclass(error, errors.OhmnasError)
        if error is not errors.OhmnasError:
            assert any(base.__module__ == "builtins" for base in error.__bases__)

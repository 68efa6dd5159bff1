"""Mistakes in parameters, in words."""

from pydantic import ValidationError


def in_words(place: str, error: ValidationError) -> str:
    """Return the mistakes that a validation found: one line each, with the parameter's full name and the value.

    Args:
        place: where the validated block stands, such as ``addl``.
        error: of the validation.
    """
    lines = []
    for found in error.errors():
        where = ".".join([place, *(str(part) for part in found["loc"])])
        value = "" if found["type"] == "missing" or isinstance(found["input"], dict) else f", found {found['input']!r}"
        unknown = found["type"] == "extra_forbidden"
        said = found["msg"].removeprefix("Value error, ")  # pydantic's words before those of a validator
        lines.append(f"{where}: {'there is no such parameter' if unknown else said + value}")
    return "; ".join(lines)

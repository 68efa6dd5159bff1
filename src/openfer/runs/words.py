"""Mistakes in parameters, in words."""

from pydantic import ValidationError

from openfer.parameters import UNKNOWN


def in_words(place: str, error: ValidationError) -> str:
    """Return the mistakes that a validation found, with the parameter's full name, the value and the nearest name.

    Args:
        place: where the validated block stands, such as ``addl``.
        error: of the validation.
    """
    errors = error.errors()
    unknown_method = any(found["loc"] == ("method",) for found in errors)
    lines = []
    for found in errors:
        if unknown_method and found["loc"][:1] == ("settings",):
            continue  # whose settings they are is not known
        parts = [place, *(str(part) for part in found["loc"])]
        if found["type"] == UNKNOWN:
            unknown = found["ctx"]
            lines.append(f"{'.'.join([*parts, unknown['key']])}: there is no such parameter; {unknown['near']}")
            continue
        said = found["msg"].removeprefix("Value error, ").removeprefix("Input ")  # pydantic's own beginnings
        value, is_block = repr(found["input"]), isinstance(found["input"], dict)
        told = found["type"] == "missing" or is_block or value in said
        lines.append(f"{'.'.join(parts)}: {said}{'' if told else f', found {value}'}")
    return "; ".join(lines)

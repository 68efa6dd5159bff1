"""Kedro's context, with parameters that are not valid in openfer's words."""

from collections.abc import Mapping
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.pipeline import Pipeline
from kedro.validation.exceptions import ParameterValidationError
from kedro.validation.parameter_validator import ParameterValidator
from kedro.validation.type_extractor import TypeExtractor
from kedro.validation.utils import resolve_nested_dict_path
from pydantic import BaseModel, ValidationError

from openfer.errors import ParameterError
from openfer.runs.words import in_words


class Context(KedroContext):
    """Names the parameter, the value and the rule; Kedro would show pydantic's report."""

    @property
    def params(self) -> dict[str, Any]:
        """The parameters, as the types that nodes ask for.

        Raises:
            ParameterError: if one is not valid.
        """
        try:
            found: dict[str, Any] = super().params
        except ParameterValidationError as error:
            raise _worded(error, dict(pipelines), self.config_loader["parameters"]) from error
        return found

    def _get_parameters(self) -> dict[str, Any]:
        """Return what the catalog is to hold of the parameters: whole blocks, and the nested ones that a node reads.

        Kedro makes a dataset of every nested value, some thousands of them.
        """
        read = {name for pipeline in pipelines.values() for node in pipeline.nodes for name in node.inputs}
        found: dict[str, Any] = super()._get_parameters()
        return {name: value for name, value in found.items() if "." not in name or name in read}


def typed_parameters(nodes: Mapping[str, Pipeline], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as the types that the nodes of some pipelines ask for.

    Raises:
        ParameterError: if one is not valid.
    """
    try:
        return ParameterValidator(dict(nodes)).validate_raw_params(dict(parameters))
    except ParameterValidationError as error:
        raise _worded(error, nodes, parameters) from error


def _worded(
    error: ParameterValidationError, nodes: Mapping[str, Pipeline], parameters: Mapping[str, Any]
) -> ParameterError:
    """Validate once more, as Kedro keeps pydantic's text only; its words stand for what pydantic does not refuse."""
    mistakes = []
    for name, model in TypeExtractor(dict(nodes)).extract_types_from_pipelines().items():
        value = resolve_nested_dict_path(dict(parameters), name)
        if isinstance(model, type) and issubclass(model, BaseModel):
            try:
                model.model_validate(value)
            except ValidationError as invalid:
                mistakes.append(in_words(name, invalid))
    return ParameterError("; ".join(mistakes) or " ".join(str(error).split()))

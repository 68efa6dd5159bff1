"""Which model checks which block of parameters."""

from pydantic import BaseModel
from tools.documentation.models import nested

from openfer.datasets.registry import READERS
from openfer.doctor.config import DoctorConfig
from openfer.faces.config import FacesConfig
from openfer.inference.settings import PredictSettings
from openfer.methods.declaration import METHODS
from openfer.nn.open_features_settings import OpenFeaturesSettings
from openfer.pipelines.complexity.settings import ComplexitySettings
from openfer.protocols.config import DatasetProtocol, ProtocolConfig
from openfer.runs.export_settings import ExportSettings
from openfer.runs.settings import RunSettings
from openfer.runs.study_settings import Study
from openfer.tracking import TrackingSettings
from openfer_faces.landmarks.settings import LandmarkerChoice
from openfer_faces.synthetic.config import SyntheticConfig


def method_model(name: str) -> type[BaseModel]:
    """Return the model of a method's ``settings``."""
    return METHODS[name].settings


def every_model() -> dict[str, dict[str, type[BaseModel]]]:
    """Return all models of parameters by chapter and title; each model is there once."""
    chapters: dict[str, dict[str, type[BaseModel]]] = {
        "A run of any method": {"`<method>`": RunSettings},
        "Methods": {f"`{name}.settings`": method_model(name) for name in METHODS},
        "Datasets": {
            "`<dataset>.faces`": FacesConfig,
            "`<dataset>.protocol`": DatasetProtocol,
            **{f"`{name}.options`": READERS[name].options_class for name in READERS},
        },
        "Rendered faces": {"`synthetic`": SyntheticConfig, "`protocol`": ProtocolConfig},
        "Studies": {"`<study>`": Study},
        "Other pipelines": {
            "`doctor`": DoctorConfig,
            "`landmarks.use`": LandmarkerChoice,
            "`complexity`": ComplexitySettings,
            "`open_features`": OpenFeaturesSettings,
            "`export`": ExportSettings,
            "`predict`": PredictSettings,
            "`mlflow.yml`": TrackingSettings,
        },
    }
    seen: set[type[BaseModel]] = set()
    for chapter, models in chapters.items():
        chapters[chapter] = {}
        for title, model in models.items():
            for name, found in [(title, model), *((_place(inner), inner) for inner in nested(model))]:
                if found not in seen and (found.model_fields or found is model):
                    seen.add(found)
                    chapters[chapter][name] = found
    return chapters


def _place(model: type[BaseModel]) -> str:
    """Return module and name: two methods may each have a model called Weights."""
    return f"{model.__module__.rpartition('.')[2]}.{model.__name__}"

"""What an agent's file imports. Only Python's standard library stands behind it."""

from tasks.sdk.artifacts import Artifact
from tasks.sdk.catalogue import Catalogue
from tasks.sdk.context import Context
from tasks.sdk.declaration import agent
from tasks.sdk.description import Agent
from tasks.sdk.encoding import encode_result
from tasks.sdk.errors import AgentError, Canceled, ProviderError, ResultError
from tasks.sdk.faults import CatalogueError, Fault
from tasks.sdk.files import File
from tasks.sdk.generation import Completion, Message, Provider, Usage
from tasks.sdk.parameters import Choice, ListOf, Param, Parameter, ParameterType, Record, Scalar, Slot, Upload
from tasks.sdk.payload import PayloadError, PayloadFault
from tasks.sdk.report import Finding, Report
from tasks.sdk.returns import ReturnKind, Returns

__all__ = [
    "Agent",
    "AgentError",
    "Artifact",
    "Canceled",
    "Catalogue",
    "CatalogueError",
    "Choice",
    "Completion",
    "Context",
    "Fault",
    "File",
    "Finding",
    "ListOf",
    "Message",
    "Param",
    "Parameter",
    "ParameterType",
    "PayloadError",
    "PayloadFault",
    "Provider",
    "ProviderError",
    "Record",
    "Report",
    "ResultError",
    "ReturnKind",
    "Returns",
    "Scalar",
    "Slot",
    "Upload",
    "Usage",
    "agent",
    "encode_result",
]

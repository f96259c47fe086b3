"""What every table of a configuration has in common."""

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """A frozen table of settings that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

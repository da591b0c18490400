"""All mutants."""

from typing import Final

from tests.mutants.deciding import DECIDING
from tests.mutants.forgetting import FORGETTING
from tests.mutants.mutant import Mutant
from tests.mutants.publishing import PUBLISHING
from tests.mutants.reading import READING

MUTANTS: Final[tuple[Mutant, ...]] = (*READING, *PUBLISHING, *DECIDING, *FORGETTING)

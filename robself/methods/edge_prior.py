"""Back-projected bicubic with its edges steepened: what RobSelf's refinement does without RobSelf.

D. Krishnan and R. Fergus, "Fast image deconvolution using hyper-Laplacian priors", 2009. Of depth; NIR has too
many edges for it, and stays as back-projected.
"""

from __future__ import annotations

from robself.methods.bicubic import improved
from robself.methods.method import Estimate, Method, Settings
from robself.pair import Pair
from robself.refinement import Refinement
from robself.schedule import SCHEDULES


def run(pair: Pair, settings: Settings) -> Estimate:
    return improved(pair, Refinement(SCHEDULES["coarse_to_fine"], sharp=settings.modality == "depth"))


EDGE_PRIOR = Method("edge_prior", run, "bicubic and RobSelf's refinement (Krishnan and Fergus, 2009)")

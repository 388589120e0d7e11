"""Back-projected bicubic with its edges steepened: what RobSelf's refinement does without RobSelf.

D. Krishnan and R. Fergus, "Fast image deconvolution using hyper-Laplacian priors", 2009. Of depth; NIR has too
many edges for it, and stays as back-projected.
"""

from __future__ import annotations

import torch

from robself.methods.masking import masked_estimate
from robself.methods.method import Estimate, Method, Settings
from robself.normalisation import Normalisation
from robself.pair import Pair
from robself.preparation import observe
from robself.refinement import Refinement
from robself.schedule import SCHEDULES
from robself.upsampling import bicubic


def run(pair: Pair, settings: Settings) -> Estimate:
    normalisation = Normalisation.of(pair)
    start = torch.from_numpy(normalisation.source(bicubic(pair.source, pair.valid, pair.size)))[None, None]
    refine = Refinement(SCHEDULES["coarse_to_fine"], sharp=settings.modality == "depth")
    sr = refine(start, observe(pair, normalisation, 1.0, torch.device("cpu")))[0, 0]
    return masked_estimate(normalisation.restore(sr.numpy()), pair)


EDGE_PRIOR = Method("edge_prior", run, "bicubic and RobSelf's refinement (Krishnan and Fergus, 2009)")

"""`robself bench`: what this implementation costs beside the paper's written out, as ratios within one run."""

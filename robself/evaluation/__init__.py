"""Methods run on datasets and scored: what `robself eval` does."""

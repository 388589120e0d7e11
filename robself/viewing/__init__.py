"""Runs in the Rerun viewer (rerun.io): needs the extra `view`."""

from robself.viewing.rerun_file import write_rrd
from robself.viewing.viewed_run import ViewedRun, find_run
from robself.viewing.viewer import open_viewer

__all__ = ["ViewedRun", "find_run", "open_viewer", "write_rrd"]

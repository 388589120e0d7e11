"""What a process holds, as Linux's /proc tells it."""

from __future__ import annotations

from dataclasses import dataclass
from glob import glob
from pathlib import Path

FILES, LOCK = ("/dev/shm/fastrtps_", "/dev/shm/fastdds_"), "_el"


@dataclass(frozen=True)
class ProcessState:
    """At one moment.

    Attributes:
        rss: resident memory, bytes, shared libraries and shared memory included. anonymous: the part of it that
            no file and no other process has a share in: heap and stacks.
        shared_memory: segments and ports of Fast DDS that are its own.
    """

    rss: int
    anonymous: int
    threads: int
    descriptors: int
    shared_memory: int

    @classmethod
    def of(cls, pid: int) -> ProcessState:
        """The state of a running process.

        Raises:
            OSError: no such process, or not one of this user's.
        """
        process = Path(f"/proc/{pid}")
        fields = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        kilobytes = {name: int(fields[name].split()[0]) for name in ("VmRSS", "RssAnon")}
        return cls(
            rss=1024 * kilobytes["VmRSS"],
            anonymous=1024 * kilobytes["RssAnon"],
            threads=int(fields["Threads"]),
            descriptors=sum(1 for _ in (process / "fd").iterdir()),
            shared_memory=len(dds_shared_memory(pid)),
        )


def dds_shared_memory(pid: int) -> set[Path]:
    """The segments and ports of Fast DDS that are a process's own: those whose locks it holds.

    Raises:
        OSError: no such process, or not one of this user's.
    """
    held = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            held.add(str(descriptor.readlink()))
        except OSError:  # it was closed meanwhile
            continue
    return {Path(name.removesuffix(LOCK)) for name in held if name.startswith(FILES) and name.endswith(LOCK)}


def all_dds_shared_memory() -> set[Path]:
    """What there is of any process, also of those that were killed before they could clean up."""
    return {Path(name) for start in FILES for name in glob(f"{start}*")}


def left_behind(files: set[Path]) -> set[Path]:
    """Those that still exist though no process has mapped them any more, and their locks."""
    free = set(files)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            maps = (process / "maps").read_text()
        except OSError:  # it has ended, or is another user's
            continue
        free = {file for file in free if str(file) not in maps}
    return {one for file in free for one in (file, file.with_name(f"{file.name}{LOCK}")) if one.exists()}

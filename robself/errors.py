"""One root for every error the project raises on purpose, a subclass per boundary."""


class RobSelfError(Exception):
    """Root of all errors raised on purpose: one line saying what, where and what was expected."""


class InputError(RobSelfError, ValueError):
    """An image, file or message that cannot be used as it is."""


class ConfigError(RobSelfError, ValueError):
    """A preset, parameter or option that is unknown or out of range."""


class RecordingError(RobSelfError):
    """A bag that cannot be read, or lacks what was asked of it."""


class DatasetError(RobSelfError, ValueError):
    """A folder that is no dataset, or a case of it whose files do not fit together."""


class OutputError(RobSelfError, OSError):
    """A result that cannot be written where it was asked for."""


class MissingPackageError(RobSelfError, ImportError):
    """An optional package that is not installed: which one, and the extra that brings it."""


class MemoryExhausted(RobSelfError, MemoryError):
    """A pair that does not fit the memory, in smaller tiles neither."""


class Interrupted(RobSelfError):
    """Optimisation was stopped from outside before it had a result."""


class EvaluationError(RobSelfError):
    """Runs of an evaluation that failed, or a folder of results that cannot be gone on with."""

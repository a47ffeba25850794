"""Every error that Oneiro raises on purpose. A message says what was expected, what came, and what to do."""

from __future__ import annotations


class OneiroError(Exception):
    """Base of them all; `code` is stable for machines, and the same as in TypeScript."""

    code = "ONEIRO"


class BadInputError(OneiroError, ValueError):
    """An argument or a file is not what was expected. The world is as before."""

    code = "BAD_INPUT"


class NotReadyError(OneiroError, RuntimeError):
    """A call came before `reset`."""

    code = "NOT_READY"

    def __init__(self, call: str):
        super().__init__(f"{call}() was called before reset(). Call reset(seed) first.")


class EpisodeOverError(OneiroError, RuntimeError):
    """A step came for places that have ended, in a vector environment that resets nothing by itself."""

    code = "EPISODE_OVER"


class WorldClosedError(OneiroError, RuntimeError):
    """A call came after `close`."""

    code = "WORLD_CLOSED"

    def __init__(self, call: str):
        super().__init__(f"{call}() was called after close(). Open a new world.")


class SnapshotMismatchError(OneiroError, ValueError):
    """A snapshot of another world, model or version."""

    code = "SNAPSHOT_MISMATCH"

    def __init__(self, field: str, expected: str, got: str):
        super().__init__(
            f"The snapshot's {field} is {got}, but this world needs {expected}. Restore it in the world that made it."
        )


class AssetMissingError(OneiroError, FileNotFoundError):
    """A file that the world needs is not there."""

    code = "ASSET_MISSING"

    def __init__(self, file: str, folder: str):
        super().__init__(
            f'{file} is missing: there is no such file in the folder "{folder}". Give the folder that world.json lies '
            "in, and check that it is complete."
        )


class AssetCorruptError(OneiroError):
    """A file is there, but not the one that the manifest describes: truncated, altered or not readable."""

    code = "ASSET_CORRUPT"

    def __init__(self, file: str, what: str):
        super().__init__(f"{file} is damaged: {what}. Put the world's folder in place anew.")


class ManifestVersionError(OneiroError):
    """`world.json` is of a version that this release does not read."""

    code = "MANIFEST_VERSION"

    def __init__(self, expected: int, got: object):
        super().__init__(
            f"world.json is version {got}, but this release reads version {expected}. Install the release that the "
            "world was exported by, or export the world again."
        )


class ManifestInvalidError(OneiroError):
    """`world.json` is no manifest, or one of its fields is wrong."""

    code = "MANIFEST_INVALID"

    def __init__(self, what: str):
        super().__init__(f"world.json is not valid: {what}. Export the world again.")


class BackendError(OneiroError):
    """ONNX Runtime could not make or run a session."""

    code = "BACKEND"

    def __init__(self, doing: str, why: object):
        super().__init__(f"ONNX Runtime failed while {doing}: {why}")


class SelfTestError(OneiroError):
    """The first tick on this machine is not what the manifest says it must be."""

    code = "SELF_TEST"

    def __init__(self, off: float, tolerance: float, what: str = "latent"):
        computed = f"computes wrong numbers here: the first tick is off by {off:.3g}"
        if what == "picture":
            computed = f"draws a wrong picture here: the first frame is off by {off:.3g} levels of 255 on average"
        super().__init__(
            f"ONNX Runtime {computed}, but at most {tolerance:g} is right. Install another version of onnxruntime."
        )


class PromptEncoderError(OneiroError):
    """The prompt encoder could not be loaded or run."""

    code = "PROMPT_ENCODER"


class ServerRefusedError(OneiroError):
    """What a server says about a connection, beside the errors of worlds: UNAUTHORIZED, SERVER_FULL, ..."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class ConnectionLostError(OneiroError, ConnectionError):
    """The server does not answer, or the connection is gone."""

    code = "CONNECTION_LOST"

    def __init__(self, url: str, why: object):
        super().__init__(
            f"The server at {url} cannot be reached ({why}). Check that it runs, and open the world again."
        )


class WireMalformedError(OneiroError):
    """A message that is not what the wire's layout says."""

    code = "WIRE_MALFORMED"

    def __init__(self, message: str, what: str):
        super().__init__(
            f'The message "{message}" cannot be read: {what[:300]}. Check that both ends are of the same release.'
        )


class WireVersionError(OneiroError):
    """The server speaks another version of the wire."""

    code = "WIRE_VERSION"

    def __init__(self, expected: int, got: int):
        super().__init__(
            f"This end speaks version {expected} of the wire, but version {got} came. Update the older of the two."
        )


_WORLDS = {kind.code: kind for kind in (BadInputError, NotReadyError, SnapshotMismatchError, WorldClosedError)}


def error_of(code: str, message: str) -> OneiroError:
    """The error that a server told of, with its class."""
    kind = _WORLDS.get(code)
    if kind is None:
        return ServerRefusedError(code, message)
    error = kind.__new__(kind, message)
    error.args = (message,)
    return error

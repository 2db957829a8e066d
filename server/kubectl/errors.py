"""How kubectl says that something failed.

In: an ApiError from the API server, or one of the classes here, raised by a command. Out: the text for stderr and the
exit code. It exists so that every command fails with the same words in the same shape: `Error from server (NotFound): ...`,
`The Deployment "x" is invalid: ...`, `error: ...`, several errors one a line.
"""

from __future__ import annotations

from server.cluster.errors import ApiError, Unreachable


class CommandError(Exception):
    """A client-side failure, printed as `error: MESSAGE`."""

    def __init__(self, message: str, code: int = 1):
        super().__init__(message)
        self.message = message
        self.code = code


class PlainError(CommandError):
    """A failure whose text is printed as it stands, without `error: `."""


class UsageError(CommandError):
    """A wrong call: the message and a pointer to the command's help. main knows the command's path."""


class WrappedApiError(ApiError):
    """An ApiError told with its context: `error when creating "f": ...`. Code, reason and details stay the server's."""

    def __init__(self, prefix: str, cause: ApiError):
        super().__init__(cause.code, cause.reason, f"{prefix}{cause.message}", cause.details)


class Errors(Exception):
    """Several failures of one command."""

    def __init__(self, errors: list[Exception]):
        super().__init__("; ".join(map(str, errors)))
        self.errors = errors


class Exit(Exception):
    """Leave with this code; everything has been said."""

    def __init__(self, code: int = 1):
        super().__init__(code)
        self.code = code


def no_resource_type(resource: str) -> CommandError:
    return CommandError(f'the server doesn\'t have a resource type "{resource}"')


def when(action: str, source: str, error: Exception) -> Exception:
    """The error with `error when ACTION "SOURCE": ` before its message."""
    prefix = f'error when {action} "{source}": '
    if not source or isinstance(error, Unreachable):
        return error
    if isinstance(error, ApiError):
        return WrappedApiError(prefix, error)
    if isinstance(error, CommandError):
        return CommandError(prefix + error.message, error.code)
    return error


def raise_all(errors: list[Exception]) -> None:
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise Errors(errors)


def render(error: Exception) -> tuple[str, int]:
    """Text for stderr (without the last newline) and exit code."""
    if isinstance(error, Exit):
        return "", error.code
    if isinstance(error, Errors):
        only = error.errors[0]
        if len(error.errors) == 1 and isinstance(only, Errors):
            return render(only) if len(only.errors) > 1 else render(only.errors[0])
        return "\n".join(_one_of_many(each) for each in error.errors), 1
    if isinstance(error, ApiError):
        return (_invalid(error) if error.reason == "Invalid" else server_message(error)), 1
    if isinstance(error, PlainError):
        return error.message, error.code
    if isinstance(error, CommandError):
        prefix = "" if error.message.startswith("error: ") else "error: "
        return prefix + error.message, error.code
    raise error


def message_of(error: Exception) -> str:
    """The error as Go's err.Error() says it, to be set into another message."""
    return getattr(error, "message", None) or str(error)


def server_message(error: ApiError) -> str:
    if isinstance(error, Unreachable):
        return error.message
    if error.reason == "Unauthorized":
        return f"error: You must be logged in to the server ({error.message})"
    if error.reason:
        return f"Error from server ({error.reason}): {error.message}"
    return f"Error from server: {error.message}"


def _one_of_many(error: Exception) -> str:
    if isinstance(error, Errors):
        told = list(dict.fromkeys(message_of(each) for each in error.errors))
        return told[0] if len(told) == 1 else f"[{', '.join(told)}]"
    return server_message(error) if isinstance(error, ApiError) else message_of(error)


def _invalid(error: ApiError) -> str:
    details = error.details or {}
    if not details:
        return f"The request is invalid: {error.message}" if error.message else "The request is invalid"
    causes = details.get("causes") or []
    text = "The request is invalid"
    if details.get("kind") or details.get("name"):
        text = f'The {details.get("kind", "")} "{details.get("name", "")}" is invalid'
    elif error.message and not causes:
        text += f": {error.message}"
    if not causes:
        return text
    lines = list(dict.fromkeys(f"{cause.get('field', '')}: {cause.get('message', '')}" for cause in causes))
    if len(lines) == 1:
        return f"{text}: {lines[0]}\n"
    return f"{text}: \n" + "".join(f"* {line}\n" for line in lines)

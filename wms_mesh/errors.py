"""The one error that reaches a user: a sentence that says what to do."""


class MeshError(Exception):
    """Something a user can act on.

    The command line prints the message alone (no traceback) and exits with ``exit_code``;
    the message is one sentence that names the fact and the next step.
    """

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code

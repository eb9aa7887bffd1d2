"""What may go wrong, as the client and the operator see it."""


class StartError(Exception):
    """The image cannot serve: settings, signature and model do not fit. The message names what to mend."""


class RequestError(Exception):
    """A request that is answered with an error. `status` is the HTTP status; gRPC translates it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

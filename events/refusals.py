"""What a service answers when an act would break a rule; the message tells an editor what to do instead."""


class Refused(Exception):
    """An act that would break a rule of the desk or of the record."""


class NothingChanged(Refused):
    pass


class NoteRequired(Refused):
    pass


class NotMinor(Refused):
    """`fields` names what states another fact than before."""

    def __init__(self, fields):
        self.fields = fields
        super().__init__(
            f"This changes facts ({', '.join(fields)}), so it is no minor change. "
            "Publish it as an update or a correction, or ask a chief to override."
        )


class Stale(Refused):
    """The working copy or what is public of it was changed since the `lock_version` that the editor saw."""

    def __init__(self):
        super().__init__("This entry was changed by someone else in the meantime. Look at their changes first.")


class Overtaken(Refused):
    """Something that belongs to no entry was changed since the editor saw it."""


class Pending(Refused):
    pass


class NotPending(Refused):
    pass


class WrongKind(Refused):
    pass


class WrongState(Refused):
    pass


class BadMoment(Refused):
    pass


class BadTopic(Refused):
    pass

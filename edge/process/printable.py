"""Text from outside, made fit to be printed.

Names of files, cameras, microphones and settings come from other people: one with escape sequences
would paint the terminal, one with a line end would forge a line of the journal. Everything that
is printed goes through here at the moment when it is.
"""


def printable(text: object) -> str:
    r"""*text* as one line that only prints.

    Control characters, line ends, marks that turn the direction of writing, what no character is
    assigned to, and bytes of a name that are no UTF-8 are shown as escapes: \x1b, \n, \u202e, \xff.
    """
    return "".join(sign if sign.isprintable() else _escape(sign) for sign in str(text))


def _escape(sign: str) -> str:
    if "\udc80" <= sign <= "\udcff":  # how Python keeps a byte that is no UTF-8
        return f"\\x{ord(sign) - 0xDC00:02x}"
    return sign.encode("unicode_escape").decode("ascii")

"""Page reload: the document web. To see what is new, load the whole page again.

By itself with ``<meta http-equiv="refresh">`` (Netscape 1.1 called it client pull), or by hand.
What a person writes goes up as a form; the answer redirects to the page, which loads whole again.
"""

from clients.kinds.reload_client import ReloadClient


class PageReloadClient(ReloadClient):
    """Loads the whole page every ``interval`` seconds and picks out what is new."""

    __slots__ = ()
    technique = "page_reload"
    path = "/page_reload"

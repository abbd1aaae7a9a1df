"""Small self-contained HTML pages from a description, judged by reading them and by pressing their buttons."""

from redraft.tasks.page.task import Page, PageDials

__all__ = ["Page", "PageDials"]

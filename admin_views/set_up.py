"""Set up: the page that leads to what is configured and looked after, each for those who may."""

from flask_admin import expose

from .rails.door import Page, me


class SetUpView(Page):
    noun, title, found_in, place = "set_up", "Set up", "drawer", 99

    def found(self):
        """The views that this person finds here, in the order of their places."""
        views = [view for view in self.admin._views if view.found_in == "set up"]
        mine = [
            view
            for view in views
            if view.is_accessible() and (view.found_by is None or me().may(view.found_by))
        ]
        return sorted(mine, key=lambda view: view.place)

    def is_accessible(self):
        return super().is_accessible() and bool(self.found())

    @expose("/")
    def index_view(self):
        return self.render("set_up/page.html", views=self.found())

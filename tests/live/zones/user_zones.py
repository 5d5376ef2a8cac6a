"""What a user might write: zones with and without a list of their names, and two that fail."""


class Unlisted:
    there = {
        "": [],
        "a": [("TXT", "text"), ("AAAA", "2001:db8::1")],
        "b": [],
        "c.b": [("A", "192.0.2.1")],
        "wild": [],
        "*.wild": [("TXT", "any")],
    }

    def lookup(self, name, client):
        return self.there.get(name)


class Listed(Unlisted):
    def names(self):
        return [name for name, found in self.there.items() if found]


class Failing(Listed):
    def lookup(self, name, client):
        if name == "boom":
            raise ValueError("the user's code has a fault")
        return super().lookup(name, client)


class Unlistable(Listed):
    def names(self):
        raise ValueError("the user's list has a fault")

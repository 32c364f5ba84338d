#!/usr/bin/env python3
"""A person at a browser without scripts: follows redirects, signs in, allows, and is back at the client; or decides what a
device or, in the background, a client asks for.

As a program it prints the address at which the client gets its answer; at the address that a device shows, the name of the
last page; or how many requests that clients have made in the background were decided:

    person.py FIXTURE.json AUTHORIZATION_URL
    person.py FIXTURE.json VERIFICATION_URI_COMPLETE confirm|deny
    person.py FIXTURE.json allow|deny
"""

import html.parser
import json
import sys
import urllib.parse

import requests


class Form:
    """A form of a page: where it goes, what it carries, which buttons it has."""

    def __init__(self, attributes):
        self.action, self.method = attributes.get("action"), attributes.get("method", "get")
        self.fields, self.buttons = {}, []


class Page(html.parser.HTMLParser):
    """The parts of a page that a person acts on: its forms and links are those in `main`, because the footer's form, which shows
    the page in another language, answers nothing."""

    def __init__(self, text):
        super().__init__()
        self.name, self.language, self.forms, self.links = None, None, [], []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.language = attributes.get("lang")
        elif tag == "main":
            self.name, self.inside = attributes.get("data-page"), True
        elif not self.inside:
            return
        elif tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        elif tag == "form":
            self.forms.append(Form(attributes))
        elif tag == "input" and self.forms and "name" in attributes:
            self.forms[-1].fields[attributes["name"]] = attributes.get("value", "")
        elif tag == "button" and self.forms:
            self.forms[-1].buttons.append((attributes.get("name", ""), attributes.get("value", "")))

    def handle_endtag(self, tag):
        self.inside &= tag != "main"


class Person:
    """One person with one browser."""

    def __init__(self, username, password, authority=None):
        """`authority`: the file of the one whose certificates the browser trusts instead of the public ones."""
        self.username, self.password = username, password
        self.browser = requests.Session()
        self.browser.trust_env = False
        self.browser.verify = authority or True
        self.seen = []  # names of the pages, in order

    def authorize(self, url):
        """Goes where the client sends us; answers the address at which the client gets its answer."""
        home = urllib.parse.urlsplit(url).netloc
        answer = self.browser.get(url, allow_redirects=False)
        for _ in range(10):
            if answer.is_redirect:
                url = urllib.parse.urljoin(answer.url, answer.headers["Location"])
                if urllib.parse.urlsplit(url).netloc != home:
                    return url
                answer = self.browser.get(url, allow_redirects=False)
                continue
            page = Page(answer.text)
            self.seen.append(page.name)
            if not page.forms or answer.status_code >= 400:
                raise RuntimeError(f"page {page.name!r} with status {answer.status_code} leads nowhere")
            form = page.forms[0]
            url = urllib.parse.urljoin(answer.url, form.action or answer.url)
            if urllib.parse.urlsplit(url).netloc != home:  # response_mode=form_post
                return f"{url}?{urllib.parse.urlencode(form.fields)}"
            if self.seen.count(page.name) > 1:
                raise RuntimeError(f"page {page.name!r} came again")
            answer = self.browser.post(url, data=self.fill_in(form), allow_redirects=False)
        raise RuntimeError("no answer for the client after ten pages")

    def decide(self, url, action):
        """At the address that a device shows (RFC 8628 section 3.3.1): enters the code that is filled in, and says whether the
        device is ours (`confirm`, `deny`); answers the name of the last page."""
        answer = self.browser.get(url)
        for _ in range(6):
            page = Page(answer.text)
            self.seen.append(page.name)
            if not page.forms:
                return page.name
            form = page.forms[0]
            fields = self.fill_in(form)
            if page.name == "confirm-device":
                fields |= {"action": action}
            answer = self.browser.post(urllib.parse.urljoin(answer.url, form.action or answer.url), data=fields)
        raise RuntimeError(f"no decision after the pages {self.seen}")

    def decide_all(self, approvals, action):
        """Presses this button for each request that the page `approvals` lists (CIBA Core section 8); how many there were."""
        answer, page = self.open(approvals)
        links = dict.fromkeys(urllib.parse.urljoin(answer.url, link) for link in page.links)
        decided = 0
        for link in (link for link in links if link.startswith(f"{approvals}/")):
            answer, page = self.open(link)
            for form in (form for form in page.forms if ("action", action) in form.buttons):
                self.send(answer, form, form.fields | {"action": action})
                decided += 1
        return decided

    def open(self, url):
        """A page; if it asks who is there, the one behind it."""
        answer = self.browser.get(url)
        answer.raise_for_status()
        page = Page(answer.text)
        for form in (form for form in page.forms if "password" in form.fields):
            answer = self.send(answer, form, self.fill_in(form))
            return answer, Page(answer.text)
        return answer, page

    def send(self, answer, form, fields):
        """What a form of this page is answered with."""
        answer = self.browser.post(urllib.parse.urljoin(answer.url, form.action or answer.url), data=fields)
        answer.raise_for_status()
        return answer

    def fill_in(self, form):
        """The form with name and password, and the button that goes on."""
        fields = dict(form.fields)
        if "username" in fields:
            fields |= {"username": self.username, "password": self.password}
        for choice in ("login", "allow"):
            if ("action", choice) in form.buttons:
                return fields | {"action": choice}
        return fields | dict(form.buttons[:1])


def main():
    fixture = json.load(open(sys.argv[1], encoding="utf-8"))
    person = Person(fixture["username"], fixture["password"], fixture.get("authority"))
    if sys.argv[2] in ("allow", "deny"):
        print(person.decide_all(f"{fixture['issuer']}/approvals", sys.argv[2]))
    else:
        print(person.decide(*sys.argv[2:]) if len(sys.argv) > 3 else person.authorize(sys.argv[2]))


if __name__ == "__main__":
    main()

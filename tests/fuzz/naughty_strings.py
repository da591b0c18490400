"""Strings that break things: the Big List of Naughty Strings, and what is aimed at mails in particular.

`naughty/blns.json` is github.com/minimaxir/big-list-of-naughty-strings at commit db33ec7b1d5d9616a88c76394b7d0897bd0b97eb,
under the MIT licence beside it, unchanged.
"""

import hashlib
import json
from pathlib import Path
from typing import Final

_FILE: Final = Path(__file__).parent / "naughty" / "blns.json"
_SHA256: Final = "b5edb4dffb234fa8b37c6353ec2cbd414ce721a03968d26343a7c276ab360f63"
COUNT: Final = 515


def _listed() -> tuple[str, ...]:
    raw = _FILE.read_bytes()
    if hashlib.sha256(raw).hexdigest() != _SHA256:
        raise RuntimeError(f"{_FILE.name} is not the list that was looked at")
    strings = tuple(json.loads(raw))
    assert len(strings) == COUNT
    return strings


_INJECTED: Final = "Bcc: evil@example.org"
_ENDS: Final = ("\r\n", "\n", "\r", "\n\r", "%0d%0a", "%0a", "\\r\\n", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\0")
_BREAKS: Final = tuple(f"a{end}{_INJECTED}" for end in _ENDS) + tuple(f"{end}{_INJECTED}{end}{end}body" for end in _ENDS)
_SMTP: Final = (
    ".",
    "..",
    "\r\n.\r\n",
    "\n.\n",
    "\r\n.\r\nMAIL FROM:<evil@example.org>\r\nRCPT TO:<evil@example.org>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n",
    "a\n.\r\nRCPT TO:<evil@example.org>",
    "\r.\r",
    ".\r\n.",
    "From evil@example.org\n>From x",
    "a@b.example>\r\nRCPT TO:<evil@example.org",
    "a@b.example> SIZE=1 <",
    "a@b.example,evil@example.org",
    "evil@example.org, a@b.example",
    "a@b.example;evil@example.org",
    '"a\r\nBcc: x"@b.example',
    '"a b"@b.example',
    "a@b.example (\r\n evil)",
    "<a@b.example>",
    "a%evil.example@b.example",
    "a!b@c.example",
    "@evil.example:a@b.example",
)
_MIME: Final = (
    "--=_aiguilleur",
    "\r\n--=_aiguilleur\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>\r\n--=_aiguilleur--\r\n",
    "--=_aiguilleur--",
    "=",
    "=\r\n",
    "=3D=0D=0ABcc: x",
    "=0D=0A=2E=0D=0A",
    "=?utf-8?q?=0D=0ABcc:_evil=40example.org?=",
    "=?utf-8?b?DQpCY2M6IGV2aWxAZXhhbXBsZS5vcmc=?=",
    "=?utf-8?q?a",
    "?=",
    "=?x-unknown?q?a?=",
    "a =?utf-8?b?w6k=?= b",
    "begin 644 a.exe\n#0V%T\n`\nend",
    "Content-Type: text/html",
    "trailing \t \nspaces \n",
    "\t\t\n\t",
)
_MARKUP: Final = (
    "<b>gras</b>",
    "</p></div><h1>x</h1>",
    "<br>",
    "<!-- ",
    "-->",
    "<![CDATA[x]]>",
    "<script>alert(1)</script>",
    '"><a href="http://evil.example">cliquez</a>',
    "' onmouseover='alert(1)",
    "<img src=x onerror=alert(1)>",
    "<style>*{display:none}</style>",
    "&lt;b&gt; &amp; &#60; &#x3c;",
    "javascript:alert(1)",
    "http://evil.example/a?b=1&c=2",
)
_TEMPLATES: Final = (
    "{{ 7*7 }}",
    "{% for x in y %}",
    "{# x #}",
    "${7*7}",
    "#{7*7}",
    "%s%d%(x)s%",
    "%(name)s",
    "{0}{name}{}",
    "{",
    "}",
    "{!r}",
    "\\1\\g<0>",
    "blank.text",
    "\ue000\ue001\ue008\ue00a\ue012",
)
_UNICODE: Final = (
    "\u202eevil\u202c",
    "\u2066a\u2069",
    "\u200f\u200e",
    "a\u200bb\u200cc\u200dd\u2060e",
    "\ufeffa",
    "\ufffe\uffff",
    "e\u0301",
    "\u0301",
    "Z\u0351\u036b\u0343" * 60,
    "\ud800",
    "a\udfffb",
    "\ud83d\ude00",
    "\U0001f469\u200d\U0001f467",
    "\u00a0\u3000\u2003",
    "\u0130\u0131\u00df\ufb01",
    "\u05d0\u0627",
    "\U000e0041\U000e007f",
)
_LONG: Final = (
    "x" * 998,
    "x" * 999,
    "x" * 15_000,
    "\u00e9" * 3_000,
    "\U0001f600" * 1_200,
    " " * 5_000 + "x",
    "a " * 4_000,
    "\n" * 3_000 + "x",
    "<" * 3_000,
)
VARIANTS: Final = (*_BREAKS, *_SMTP, *_MIME, *_MARKUP, *_TEMPLATES, *_UNICODE, *_LONG)
"""Aimed at headers, SMTP, MIME, HTML, templates, and at readers."""
LISTED: Final = _listed()
STRINGS: Final = (*LISTED, *VARIANTS)

"""As much of curl as the documentation uses, for machines that have none: `python -m tests.curl …`."""

import argparse
import sys

import requests

parser = argparse.ArgumentParser()
parser.add_argument("-s", action="store_true")
parser.add_argument("--fail-with-body", action="store_true")
parser.add_argument("-G", action="store_true")
parser.add_argument("-H", action="append", default=[])
parser.add_argument("-X")
parser.add_argument("-u")
parser.add_argument("-d", action="append", default=[])
parser.add_argument("--data-urlencode", action="append", default=[])
parser.add_argument("url")
asked = parser.parse_args()

encoded = [
    f"{name}={requests.utils.quote(value, safe='')}"
    for name, _, value in (each.partition("=") for each in asked.data_urlencode)
]
data = "&".join([*asked.d, *encoded]) or None
headers = {"Content-Type": "application/x-www-form-urlencoded"} if data else {}
headers |= dict(header.split(": ", 1) for header in asked.H)
credentials = tuple(asked.u.split(":", 1)) if asked.u else None
method = asked.X or ("POST" if data and not asked.G else "GET")
url = f"{asked.url}{'&' if '?' in asked.url else '?'}{data}" if asked.G and data else asked.url
answer = requests.request(
    method, url, headers=headers, data=None if asked.G else data, auth=credentials, timeout=30, allow_redirects=False
)
print(answer.text, end="")
sys.exit(22 if asked.fail_with_body and answer.status_code >= 400 else 0)

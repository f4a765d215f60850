"""As much of curl as the README uses, for machines that have none: `python -m tests.curl …`."""

import argparse

import requests

parser = argparse.ArgumentParser()
parser.add_argument("-s", action="store_true")
parser.add_argument("-H", action="append", default=[])
parser.add_argument("-u")
parser.add_argument("-d")
parser.add_argument("url")
asked = parser.parse_args()

headers = {"Content-Type": "application/x-www-form-urlencoded"} if asked.d else {}
headers |= dict(header.split(": ", 1) for header in asked.H)
credentials = tuple(asked.u.split(":", 1)) if asked.u else None
method = "POST" if asked.d else "GET"
print(requests.request(method, asked.url, headers=headers, data=asked.d, auth=credentials, timeout=30).text, end="")

"""The least that a Chalice app with a database can do: one route that makes one botocore read."""

import json
import os
import sys

import botocore.session
from chalice.app import Chalice

app = Chalice(app_name="minimal")
client = botocore.session.get_session().create_client(
    "dynamodb", region_name="us-east-1", endpoint_url=os.environ["KEYTURN_DYNAMODB_ENDPOINT"]
)


@app.route("/api/rest/oauth2/introspect", methods=["POST"], content_types=["application/x-www-form-urlencoded"])
def read() -> dict[str, bool]:
    key = {"pk": {"S": "COUNT#USERS"}, "sk": {"S": "00"}}
    client.get_item(TableName="keyturn", Key=key, ConsistentRead=True)
    return {"active": True}


print(app(json.load(sys.stdin), None)["body"], flush=True)

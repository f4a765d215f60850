"""Keyturn as Chalice finds it: the Lambda function behind API Gateway, and the local server."""

from chalice.app import Chalice

from chalicelib import rest

app = Chalice(app_name="keyturn")
rest.register(app)

"""Keyturn as Chalice finds it: the Lambda function behind API Gateway."""

import gc

gc.disable()  # what a starting process makes, it keeps: looking for garbage would only cost time

import os  # noqa: E402

from chalice.app import Chalice  # noqa: E402

from chalicelib import jobs, routes  # noqa: E402
from chalicelib.web import routing  # noqa: E402

app = Chalice(app_name="keyturn")
for middleware in routes.MIDDLEWARE:
    app.register_middleware(middleware, "http")
routing.register(app, routes.TABLE)
tell_events, every_minute = jobs.register(app)  # by these names Lambda finds them

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # Lambda gives a starting process a whole processor, and a request only its share of one.
    from chalicelib.composition.keyturn import keyturn
    from chalicelib.rest.oauth import introspection  # noqa: F401 - the view that will most often be called

    keyturn().warm_up()

gc.freeze()
gc.enable()

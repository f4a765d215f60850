"""Two peers from Django's world: django-rest-knox and djangorestframework-api-key, each as its guide shows it.

As a program, `python -m benchmarks.peers.django_server` makes the database and prints one token and one key.
"""

from __future__ import annotations

import json
import os

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["PEER_DATABASE"],
            "CONN_MAX_AGE": None,  # as the guide to databases has it for speed
            "OPTIONS": {"init_command": "PRAGMA journal_mode=wal;"},
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "knox",
        "rest_framework_api_key",
    ],
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
    REST_FRAMEWORK={"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]},
    REST_KNOX={"TOKEN_TTL": None},
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ["PEER_SECRET"],
    USE_TZ=True,
)
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402 - Django wants to be set up first
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402
from knox.auth import TokenAuthentication  # noqa: E402
from knox.models import AuthToken  # noqa: E402
from rest_framework.permissions import IsAuthenticated  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from rest_framework_api_key.models import APIKey  # noqa: E402
from rest_framework_api_key.permissions import HasAPIKey  # noqa: E402


class Knox(APIView):
    """Whose the token is."""

    authentication_classes = (TokenAuthentication,)
    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        return Response({"active": True, "username": request.user.get_username()})


class ApiKey(APIView):
    """That the key is good; it belongs to nobody."""

    authentication_classes = ()
    permission_classes = (HasAPIKey,)

    def get(self, request: Request) -> Response:
        return Response({"active": True})


urlpatterns = [path("knox", Knox.as_view()), path("api-key", ApiKey.as_view())]
application = get_wsgi_application()


def main() -> None:
    """Make the database, with one of each."""
    call_command("migrate", verbosity=0)
    bot = get_user_model().objects.create_user("bench-bot")
    _, token = AuthToken.objects.create(bot)
    _, key = APIKey.objects.create_key(name="bench")
    print(json.dumps({"knox": token, "api-key": key}))


if __name__ == "__main__":
    main()

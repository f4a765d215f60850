"""After DELETE answers, the very next verification is refused, in every process, however warm."""

from embedded.api import introspect
from embedded.stack import Stack


def test_the_next_verification_is_refused_in_both_of_two_warm_processes(stack: Stack) -> None:
    api = stack.administrator()
    secret = stack.secrets.read("service-ci") or ""
    second = stack.start_server()
    try:
        api.post("/users", {"login": "bot", "name": "Bot", "type": "bot"})
        for round in range(10):
            token = api.post("/users/bot/permanenttokens", {"name": f"t{round}", "scope": [{"key": "ci"}]})
            for url in (stack.url, second.url, stack.url, second.url):
                assert introspect(url, "ci", secret, token["token"])["active"]
            assert api.call("DELETE", f"/users/bot/permanenttokens/{token['id']}").status_code == 200
            for url in (second.url, stack.url):
                assert introspect(url, "ci", secret, token["token"]) == {"active": False}
    finally:
        second.stop()


def test_a_ban_reaches_a_warm_process_at_its_next_request(stack: Stack) -> None:
    api = stack.administrator()
    secret = stack.secrets.read("service-ci") or ""
    second = stack.start_server()
    try:
        api.post("/users", {"login": "bot", "name": "Bot", "type": "bot"})
        token = api.post("/users/bot/permanenttokens", {"name": "t", "scope": [{"key": "ci"}]})["token"]
        assert introspect(second.url, "ci", secret, token)["active"]
        api.post("/users/bot", {"banned": True})
        assert introspect(second.url, "ci", secret, token) == {"active": False}
        api.post("/users/bot", {"banned": False})
        assert introspect(second.url, "ci", secret, token)["active"]
    finally:
        second.stop()

"""The module `keyturn.hub.user`: in real plays where they matter, else by itself."""

from embedded.stack import Stack
from tests.collection.conftest import Play, bot, user


def test_an_account_is_created_once(perform: Play, stack: Stack) -> None:
    run = perform(bot("once"), bot("once"))
    assert run.changed == [True, False]
    assert run.results[0]["user"]["id"] == run.results[1]["user"]["id"]
    assert stack.administrator().get("/users/once?fields=login,name,type") == {
        "login": "once",
        "name": "once",
        "type": "bot",
    }


def test_check_mode_tells_the_truth_and_changes_nothing(play: Play, stack: Stack) -> None:
    checked = play(bot("checked", banned=True, ban_reason="test"), arguments=("--check", "--diff"))
    assert checked.changed == [True]
    assert stack.administrator().call("GET", "/users/checked").status_code == 404
    done = play(bot("checked", banned=True, ban_reason="test"))
    predicted, actual = checked.results[0]["user"], done.results[0]["user"]
    assert {name: actual[name] for name in predicted} == predicted

    checked = play(user("checked", name="Renamed"), user("checked", state="absent"), arguments=("--check",))
    assert checked.changed == [True, True]
    assert stack.administrator().get("/users/checked?fields=name") == {"name": "checked"}


def test_only_what_is_declared_changes(perform: Play) -> None:
    run = perform(
        bot("partly", banned=True, ban_reason="test"),
        user("partly", name="New name"),
        user("partly"),
        user("partly", banned=False),
    )
    assert run.changed == [True, True, False, True]
    assert run.results[1]["user"]["banReason"] == "test"
    assert run.results[3]["user"]["name"] == "New name"
    assert run.results[3]["user"]["banReason"] is None


def test_absent_twice_is_fine(perform: Play) -> None:
    assert perform(bot("leaves"), user("leaves", state="absent"), user("leaves", state="absent")).changed == [
        True,
        True,
        False,
    ]


def test_the_diff_shows_what_changes(play: Play) -> None:
    run = play(bot("differs"), user("differs", name="Other name"), arguments=("--diff",))
    assert run.results[1]["diff"]["before"]["name"] == "differs"
    assert run.results[1]["diff"]["after"]["name"] == "Other name"
    assert '+    "name": "Other name"' in run.output


def test_errors_name_the_option(perform: Play) -> None:
    run = perform(
        user("nameless"),
        user("a b", name="x"),
        bot("retyped"),
        user("retyped", type="user"),
        user("retyped", name="\u202e"),
    )
    messages = [result.get("msg", "") for result in run.results]
    assert messages[0] == "Option name: is required to create the account nameless."
    assert messages[1].startswith("Option login: ")
    assert messages[3] == "Option type: retyped is a bot, and no account can change its type."
    assert messages[4].startswith("Option name: ")
    assert [bool(result.get("failed")) for result in run.results] == [True, True, False, True, True]

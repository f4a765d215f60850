"""The forms of primary keys, each in one place. A partition holds what is read or deleted together."""

from chalicelib.core.common import validation

PROFILE = "PROFILE"  # the sort key of a thing's own record, beside what hangs on it
TOKEN_PREFIX = "TOKEN#"
GRANT_PREFIX = "GRANT#"
MEMBER_PREFIX = "MEMBER#"
SESSION_PREFIX = "SESSION#"
APPLICATION_PASSWORD_PREFIX = "APP_PASSWORD#"
APPROVED_SCOPE_PREFIX = "APPROVED#"
DELEGATION_PREFIX = "DELEGATION#"
TRUST_RULE_PREFIX = "TRUST#"
SHARDS = 8  # counters of one collection: writers of different shards do not disturb each other

MAX_POSITION_BYTES = 900  # of a name, before a login: DynamoDB takes 1,024 in a sort key

Key = tuple[str, str]


def sortable(text: str) -> str:
    """By what a text is sorted and found: case-folded, which can make it three times as long, and cut."""
    return text.casefold().encode()[:MAX_POSITION_BYTES].decode(errors="ignore")


def user(user_id: str) -> Key:
    return f"USER#{user_id}", PROFILE


def token(user_id: str, token_id: str) -> Key:
    return f"USER#{user_id}", f"{TOKEN_PREFIX}{token_id}"


def token_name(user_id: str, name: str) -> Key:
    return f"USER#{user_id}", f"TOKEN_NAME#{name}"


def due(at: int, token_id: str) -> str:
    """Where a token stands among all, by when it has to be looked at (milliseconds since the epoch)."""
    return f"{at:015d}#{token_id}"


def token_label(user_id: str, label: str, token_id: str) -> Key:
    return f"USER#{user_id}", f"TOKEN_LABEL#{label}#{token_id}"


def event(token_id: str, sequence: int) -> Key:
    """A token's events stand together, in order."""
    return f"EVENTS#{token_id}", f"{sequence:012d}"


def outgoing(destination_id: str, token_id: str) -> Key:
    """How far a token's events have got on their way to one destination."""
    return f"OUTGOING#{destination_id}", token_id


def webhook(webhook_id: str) -> Key:
    return f"WEBHOOK#{webhook_id}", PROFILE


def webhook_name(name: str) -> Key:
    return f"WEBHOOK_NAME#{validation.folded(name)}", PROFILE


def sweep(partition: str) -> Key:
    """That something may be left in this partition, whose own thing is gone."""
    return f"SWEEP#{partition}", PROFILE


EXPIRY_SWEEP: Key = ("LIFECYCLE", PROFILE)
MIGRATIONS: Key = ("MIGRATIONS", PROFILE)


def application_password(user_id: str, password_id: str) -> Key:
    return f"USER#{user_id}", f"{APPLICATION_PASSWORD_PREFIX}{password_id}"


def application_password_name(user_id: str, name: str, epoch: int) -> Key:
    """Names of passwords that have ended together are free at once, wherever they are still stored."""
    return f"USER#{user_id}", f"APP_PASSWORD_NAME{f'.{epoch}' if epoch else ''}#{name}"


def session(user_id: str, session_id: str) -> Key:
    return f"USER#{user_id}", f"{SESSION_PREFIX}{session_id}"


def authenticators(user_id: str) -> Key:
    return f"USER#{user_id}", "AUTHENTICATORS"


def attempts(subject: str, window: int) -> Key:
    return f"ATTEMPTS#{subject}", f"{window:012d}"


def known_network(login_key: str, network: str) -> Key:
    return f"KNOWN#{login_key}", network


def challenge(id: str) -> Key:
    return f"CHALLENGE#{id}", PROFILE


def authorization_code(user_id: str, code_id: str) -> Key:
    return f"USER#{user_id}", f"CODE#{code_id}"


def approved_scope(user_id: str, client_id: str) -> Key:
    return f"USER#{user_id}", f"{APPROVED_SCOPE_PREFIX}{client_id}"


def delegations(client_id: str | None) -> str:
    """What the sort keys of delegations begin with: of all, or of those to one service."""
    return DELEGATION_PREFIX + (f"{client_id}#" if client_id else "")


def delegation(user_id: str, client_id: str, delegation_id: str) -> Key:
    return f"USER#{user_id}", f"{delegations(client_id)}{delegation_id}"


def trust_rule(user_id: str, rule_id: str) -> Key:
    return f"USER#{user_id}", f"{TRUST_RULE_PREFIX}{rule_id}"


def trust_rule_name(user_id: str, name: str) -> Key:
    return f"USER#{user_id}", f"TRUST_NAME#{name}"


def revoked_access_token(subject_id: str, token_id: str) -> Key:
    return f"USER#{subject_id}", f"REVOKED#{token_id}"


def device(device_id: str) -> Key:
    return f"DEVICE#{device_id}", PROFILE


def user_code(code: str) -> Key:
    return f"USER_CODE#{code}", PROFILE


def grant(user_id: str, grant_id: str) -> Key:
    return f"USER#{user_id}", f"{GRANT_PREFIX}{grant_id}"


def member(user_id: str, group_id: str) -> Key:
    return f"USER#{user_id}", f"{MEMBER_PREFIX}{group_id}"


def entry(user_id: str, collection: str) -> Key:
    return f"USER#{user_id}", f"ENTRY#{collection}"


def group(group_id: str) -> Key:
    return f"GROUP#{group_id}", PROFILE


def group_grant(group_id: str, grant_id: str) -> Key:
    return f"GROUP#{group_id}", f"{GRANT_PREFIX}{grant_id}"


def group_name(name: str) -> Key:
    return f"GROUP_NAME#{validation.folded(name)}", PROFILE


def login(login_key: str) -> Key:
    return f"LOGIN#{login_key}", PROFILE


def former_login(login_key: str) -> Key:
    return f"LOGIN#{login_key}", "FORMER"


def service(service_id: str) -> Key:
    return f"SERVICE#{service_id}", PROFILE


def service_key(key: str) -> Key:
    return f"SERVICE_KEY#{key}", PROFILE


def role(role_id: str) -> Key:
    return f"ROLE#{role_id}", PROFILE


def role_key(key: str) -> Key:
    return f"ROLE_KEY#{key}", PROFILE


def audit_day(day: str) -> str:
    """The partition of one day's audit records; their sort key is their position."""
    return f"AUDIT#{day}"


def idempotency_key(user_id: str, key: str) -> Key:
    return f"ONCE#{user_id}#{key}", PROFILE


def counter(collection: str, shard: int) -> Key:
    return f"COUNT#{collection}", f"{shard:02d}"


ADMINISTRATORS: Key = ("COUNT#ADMINISTRATORS", PROFILE)

"""Accounts of users who consent by `sequence-sync login`."""

from bookings.seal import new_key
from tests.acceptance.conftest import Service

USER = "hr@globex.example"


def login_tables(service: Service) -> str:
    """Two accounts of users who consent, a calendar each."""
    box = service.sandbox
    (service.folder / "keys").write_text(new_key())
    (service.folder / "desktop_secret").write_text("client-secret")
    box.state.google_tokens.clients["desktop"] = "client-secret"
    box.state.microsoft_tokens.register("globex", "public")
    box.state.microsoft.put_mailbox(USER)
    return f"""
[encryption]
keys = ["file:keys"]

[[accounts]]
name = "google-user"
provider = "google"
login = true
client_id = "desktop"
client_secret = "file:desktop_secret"
api_endpoint = "{box.google_endpoint}"
authorization_endpoint = "{box.google_authorization_endpoint}"
token_endpoint = "{box.google_token_uri}"

[[accounts]]
name = "microsoft-user"
provider = "microsoft"
login = true
tenant_id = "globex"
client_id = "public"
authority = "{box.authority}"
graph_endpoint = "{box.graph_endpoint}"
ca_file = "{box.ca_file}"

[[calendars]]
name = "hers"
account = "google-user"

[[calendars]]
name = "his"
account = "microsoft-user"
mailbox = "{USER}"
"""

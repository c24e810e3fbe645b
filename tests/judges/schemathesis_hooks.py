"""What schemathesis cannot know of the sandbox: where the two hosts are, and who may call.

`cargo xtask fuzz` starts the sandbox and names it in the environment. One run covers both hosts, so that a
partner token minted on one is used on the other.
"""

import atexit
import collections
import itertools
import json
import os
import zlib

import requests
import schemathesis
from schemathesis.generation.meta import TestPhase

from schemathesis_needs import CUSTOMER, Needs

HOSTS = {"api": os.environ["SANDBOX_API"], "gateway": os.environ["SANDBOX_GATEWAY"]}
CONTROL = os.environ["SANDBOX_CONTROL"]
API_KEY = os.environ["SANDBOX_API_KEY"]
API_SECRET = os.environ["SANDBOX_API_SECRET"]

EMAIL = "fuzz@example.com"
USER_IP = "203.0.113.7"
STORIES = ["bankBuy", "cardBuy", "sell", "failing", "expiring", "cancelled", "refunded"]
METHODS = {"get", "put", "post", "delete", "patch"}

# What may be called only so often: the answer depends on the calls before.
LIMITED = {"/api/v2/auth/login", "/partners/api/v2/refresh-token"}

# Every so many calls an operation gets a credential that has died, to see the refusal.
DEAD_EVERY = 11
# Every so many calls all credentials go at once, which the gateway refuses.
MIXED_EVERY = 13
# Every so many valid values are left as they were drawn; the others become values the sandbox knows.
DRAWN_EVERY = 4

# The spec cannot have links, as its generator would ignore them. They lead the stateful phase from login through
# verify to the calls of a user; the token itself is a header, which `Credentials` hands on.
LINKS = {
    "sendUserOtp": [
        ("verifyUserOtp", {"email": "$response.body#/data/email", "stateToken": "$response.body#/data/stateToken"})
    ],
    "verifyUserOtp": [
        (target, None)
        for target in ["refreshUserAccessToken", "getUserDetails", "getUserLimits", "createWidgetUrl", "logoutUser"]
    ],
    "refreshUserAccessToken": [("getUserDetails", None), ("refreshUserAccessToken", None), ("logoutUser", None)],
    "logoutUser": [("getUserDetails", None), ("logoutUser", None), ("sendUserOtp", None)],
    "refreshAccessToken": [("getOrders", None), ("getWebhooks", None), ("createWidgetUrl", None), ("onboardUser", None)],
    "onboardUser": [("getUserDetails", None), ("getUserLimits", None)],
    "getQuote": [("getKycRequirement", None), ("createVirtualAccount", None), ("createOrder", None)],
    "createOrder": [("getUserOrder", None), ("getActiveOrders", None), ("confirmPayment", None), ("cancelOrder", None)],
    "confirmPayment": [("getUserOrders", None), ("cancelOrder", None)],
    "createTransactionSession": [("processTransaction", None), ("getTransactionStatus", None)],
    "createVirtualBankAccount": [
        (target, None)
        for target in ["getVirtualBankAccount", "updateVirtualBankAccount", "simulateVirtualBankTransfer"]
    ],
}

session = requests.Session()
# A proxy of the environment has no business between two processes of this machine.
session.trust_env = False


def call(method, url, **kwargs):
    response = session.request(method, url, timeout=10, **kwargs)
    response.raise_for_status()
    return response.json() if response.content else None


def control(method, path, body=None):
    return call(method, CONTROL + path, json=body)


def pass_a_minute():
    """Past the wait between two passwords and the window in which mints are counted."""
    control("POST", "/clock", {"action": "advance", "millis": 61_000})


class Credentials:
    """Tokens that are alive, renewed when the fuzzing has killed them."""

    def __init__(self):
        self.user = None
        self.partner = None
        self.dead = {}

    def forget_user(self):
        self.dead["userToken"] = self.user or self.dead.get("userToken")
        self.user = None

    def set_user(self, token):
        self.forget_user()
        self.user = token

    def set_partner(self, token):
        self.dead["partnerToken"] = self.partner or self.dead.get("partnerToken")
        self.partner = token

    def refused(self, headers):
        """Gets new tokens the next time, if it may be these that were not good any more."""
        if self.user and self.user == headers.get("authorization"):
            self.forget_user()
        if self.partner and self.partner in (headers.get("access-token"), headers.get("x-access-token")):
            self.set_partner(None)

    def value(self, scheme):
        kind = scheme["x-transak-credential"]
        if kind == "userToken":
            return self.user or self.login()
        if kind == "partnerToken":
            return self.partner or self.mint()
        return {"apiKey": API_KEY, "apiSecret": API_SECRET, "userIp": USER_IP, "userIdentifier": EMAIL}[kind]

    def login(self):
        pass_a_minute()
        state, code = self.challenge(EMAIL)
        body = {"apiKey": API_KEY, "email": EMAIL, "stateToken": state, "otp": code}
        self.set_user(self.gateway("verify", body)["accessToken"])
        return self.user

    def challenge(self, email):
        state = self.gateway("login", {"apiKey": API_KEY, "email": email})["stateToken"]
        return state, password(email, state)

    def gateway(self, path, body):
        headers = {"x-api-key": API_KEY, "x-user-ip": USER_IP}
        return call("POST", f"{HOSTS['gateway']}/api/v2/auth/{path}", headers=headers, json=body)["data"]

    def mint(self):
        pass_a_minute()
        headers = {"x-api-key": API_KEY, "api-secret": API_SECRET}
        url = HOSTS["api"] + "/partners/api/v2/refresh-token"
        self.set_partner(call("POST", url, headers=headers, json={"apiKey": API_KEY})["data"]["accessToken"])
        return self.partner


def password(email, state):
    mails = call("GET", CONTROL + "/mailbox", params={"email": email})["mails"]
    return next((mail["code"] for mail in mails if mail.get("stateToken") == state), None)


credentials = Credentials()
orders = []
needs = Needs(HOSTS["gateway"], API_KEY, USER_IP, EMAIL, lambda: credentials.user or credentials.login(), control, CONTROL + "/health")


def seed():
    settings = control("GET", "/settings")
    # Deliveries are recorded only when they have somewhere to go; this address answers each with 405.
    settings["webhookUrl"] = CONTROL + "/health"
    control("PUT", "/settings", settings)
    control("POST", "/users", {"email": EMAIL, "kyc": "standard", "tncAccepted": True})
    for story in STORIES:
        orders.append(control("POST", "/orders", {"email": EMAIL, "story": story})["orderId"])
    for _ in range(2):
        # The first ones die, so that there are dead ones from the beginning.
        credentials.login()
        credentials.mint()
    # A customer that the partner's own data knows.
    needs.requirement(needs.quote("sepa_bank_transfer", customer=CUSTOMER))
    # The orders are at the end of their stories.
    control("POST", "/clock", {"action": "advance", "millis": 3_600_000})


@schemathesis.hook
def before_load_schema(context, raw_schema):
    if not orders:
        seed()
    operations = {}
    for item in raw_schema["paths"].values():
        for method in METHODS & item.keys():
            operations[item[method]["operationId"]] = item[method]
    for source, targets in LINKS.items():
        links = operations[source]["responses"]["200"].setdefault("links", {})
        for target, body in targets:
            links[target] = {"operationId": target} | ({"requestBody": body} if body else {})


@schemathesis.hook
def before_init_operation(context, operation):
    """Sends the operation to its own host; the command line can name but one for all."""
    servers = operation.schema.raw_schema["paths"][operation.path]["servers"]
    operation.base_url = HOSTS[servers[0]["x-transak-host"]]


def turn_of(case, turns):
    """A number to choose by. A stateful scenario must go the same way when it is repeated, or schemathesis ends the
    phase early and silently: there it depends on nothing but the request."""
    if case.meta is None or case.meta.phase.name is not TestPhase.STATEFUL:
        return next(turns)
    return zlib.crc32(repr((case.method, case.path, case.path_parameters, case.query, case.body)).encode())


@schemathesis.auth(refresh_interval=None)
class Auth:
    """Presents what the operation's `security` asks for, taking its alternatives in turn."""

    turns = itertools.count(1)

    def get(self, case, context):
        operation = context.operation
        schemes = operation.schema.raw_schema["components"]["securitySchemes"]
        turn = turn_of(case, self.turns)
        alternatives = operation.definition.raw["security"]
        names = list(alternatives[turn % len(alternatives)])
        if turn % MIXED_EVERY == 0:
            names = [name for name in schemes if name != "apiSecret"]
        headers = {}
        for name in names:
            scheme = schemes[name]
            dead = credentials.dead.get(scheme["x-transak-credential"])
            headers[scheme["name"]] = dead if dead and turn % DEAD_EVERY == 0 else credentials.value(scheme)
        return headers

    def set(self, case, data, context):
        # Of two alternatives only one is to be presented.
        for scheme in context.operation.schema.raw_schema["components"]["securitySchemes"].values():
            case.headers.pop(scheme["name"], None)
        case.headers.update(data)


# Members that hold one of a few values in practice; their schemas say only that they are texts.
KNOWN = {
    "apiKey": [API_KEY],
    "partnerApiKey": [API_KEY],
    "orderId": orders,
    "orderID": orders,
    "fiatCurrency": ["GBP", "EUR"],
    "cryptoCurrency": ["ETH"],
    "network": ["ethereum"],
    "paymentMethod": ["credit_debit_card"],
    "paymentCategory": ["credit_debit_card"],
    "quoteCountryCode": ["GB", "DE"],
    "walletAddress": ["0x00000000000000000000000000000000000a11ce"],
}
# Amounts within everybody's limits.
AMOUNTS = {"fiatAmount": 100, "cryptoAmount": 0.05}


def make_known(part, turn):
    for name, values in KNOWN.items():
        if isinstance(part.get(name), str):
            part[name] = values[turn % len(values)]
    if "partnerApiKey" in part and not AMOUNTS.keys() & part.keys():
        part["fiatAmount"] = 0
    for name in AMOUNTS.keys() & part.keys():
        part[name] = AMOUNTS[name]
    if isinstance(part.get("widgetParams"), dict):
        part["widgetParams"]["apiKey"] = API_KEY
    if "stateToken" in part:
        # A linked call brings the challenge of the login before it; any other gets one of its own.
        code = password(part.get("email"), part["stateToken"])
        if code is None:
            part["email"] = fresh_address()
            part["stateToken"], code = credentials.challenge(part["email"])
        part["otp"] = code
    elif "email" in part:
        # Another address than the last time, because of the wait between two passwords.
        part["email"] = fresh_address()


def fresh_address():
    return f"fuzz+{next(addresses)}@example.com"


turns = itertools.count(1)
addresses = itertools.count(1)
answered = collections.Counter()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Makes most valid requests meaningful as well; invalid ones stay as they are."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    turn = turn_of(case, turns)
    if case.meta.phase.name is TestPhase.STATEFUL and case.path in LIMITED:
        pass_a_minute()
    if turn % DRAWN_EVERY == 0:
        return
    for part in (case.path_parameters, case.query, case.body):
        if isinstance(part, dict):
            make_known(part, turn)
    needs.meet(case.operation.definition.raw["operationId"], case)


@schemathesis.hook
def after_call(context, case, response):
    """Keeps up with tokens that the fuzzing itself got or killed."""
    operation = case.operation.definition.raw["operationId"]
    answered[operation, response.status_code] += 1
    if response.status_code == 401:
        credentials.refused(case.headers)
    if response.status_code != 200:
        return
    if operation == "logoutUser":
        credentials.forget_user()
    elif operation == "refreshUserAccessToken":
        credentials.set_user(response.json()["data"]["accessToken"])
    # Tokens of `verifyUserOtp` belong to addresses made up on the way: what is needed is made for one user.
    elif operation == "refreshAccessToken":
        credentials.set_partner(response.json()["data"]["accessToken"])


@atexit.register
def report():
    """What was reached, for `cargo xtask fuzz` to judge: nothing but refusals would prove little."""
    operations = collections.defaultdict(dict)
    for (operation, status), count in sorted(answered.items()):
        operations[operation][status] = count
    with open(os.environ["SANDBOX_ANSWERS"], "w", encoding="utf-8") as file:
        json.dump(operations, file)

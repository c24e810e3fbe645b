"""What operations of the Whitelabel API need to exist before they can succeed: quotes, accounts, orders, sessions."""

import base64
import itertools
import json

import requests

CUSTOMER = "fuzz-customer"
WALLET = "0x00000000000000000000000000000000000a11ce"
BANK = "sepa_bank_transfer"
IMAGE = "data:image/png;base64,iVBORw0="
URLS = {"successUrl": "https://app.example.com/paid", "failureUrl": "https://app.example.com/not-paid"}
DESTINATION = {"cryptoCurrency": "ETH", "network": "ethereum", "walletAddress": WALLET}
EMPLOYMENT = {"employmentStatus": "employed", "countryOfCitizenship": "PT"}
STEP = "CATEGORIZATION_PENDING"


class Needs:
    """Makes what a call needs, by calls of its own, and puts it into the case."""

    def __init__(self, gateway, api_key, user_ip, email, token, control, webhooks):
        self.gateway, self.email, self.token, self.control = gateway, email, token, control
        self.headers = {"x-api-key": api_key, "x-user-ip": user_ip}
        self.webhooks = webhooks
        self.session = requests.Session()
        self.session.trust_env = False
        self.numbers = itertools.count(10_000_000)

    def call(self, method, path, **kwargs):
        headers = self.headers | {"authorization": self.token()}
        response = self.session.request(method, self.gateway + path, headers=headers, timeout=10, **kwargs)
        response.raise_for_status()
        return response.json()["data"]

    def verify(self, kyc):
        self.control("POST", "/users", {"email": self.email, "kyc": kyc, "tncAccepted": True})

    def person(self, country):
        return {
            "personalDetails": {
                "firstName": "Robin",
                "lastName": "Sample",
                "mobileNumber": f"+4930{next(self.numbers)}",
                "dob": "1990-01-01",
            },
            "addressDetails": {
                "addressLine1": "12 Sample Road",
                "state": "Sample",
                "city": "Sampleton",
                "postCode": "10000",
                "countryCode": country,
            },
        }

    def live_in(self, country):
        self.call("PATCH", "/api/v2/kyc/user", json=self.person(country))

    def quote(self, payment, amount=100, customer=None):
        ask = {"fiatCurrency": "EUR", "isBuyOrSell": "BUY", "paymentMethod": payment, "fiatAmount": amount}
        ask |= {"cryptoCurrency": "ETH", "network": "ethereum"}
        if customer:
            ask["partnerCustomerId"] = customer
        return self.call("GET", "/api/v2/lookup/quotes", params=ask)["quoteId"]

    def requirement(self, quote):
        return self.call("GET", "/api/v2/kyc/requirement", params={"metadata[quoteId]": quote})

    def ready_to_buy(self):
        """Verified, with an account to pay from, and without another order in the way."""
        self.verify("standard")
        quote = self.quote(BANK)
        self.call("POST", "/api/v2/onramp/virtual-account", json={"quoteId": quote})
        for order in self.call("GET", "/api/v2/active-orders"):
            if order["status"] in ("AWAITING_PAYMENT_FROM_USER", "PAYMENT_DONE_MARKED_BY_USER"):
                self.call("DELETE", f"/api/v2/orders/{order['orderId']}", params={"cancelReason": "clearing up"})
        if self.call("GET", "/api/v2/active-orders"):
            # Those that are paid come to their end by themselves.
            self.control("POST", "/clock", {"action": "advance", "millis": 3_600_000})
            quote = self.quote(BANK)
        return quote

    def order(self):
        body = {"quoteId": self.ready_to_buy(), "paymentInstrumentId": BANK, "walletAddress": WALLET}
        return self.call("POST", "/api/v2/orders", json=body)["orderId"]

    def transaction(self, payment):
        self.ready_to_buy()
        path = "/api/v2/transaction-session" + ("/card" if payment == "credit_debit_card" else "")
        body = {"quoteId": self.quote(payment), "walletAddress": WALLET} | URLS
        claims = self.call("POST", path, json=body)["sessionId"].split(".")[1]
        return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["requestId"]

    def card(self):
        def cards():
            wanted = {"paymentInstrumentId": "credit_debit_card"}
            return self.call("GET", "/api/v2/payment-instrument/status", params=wanted)["cards"]

        if not cards():
            request = self.transaction("credit_debit_card")
            self.call("POST", f"/api/v2/transaction-session/card/request/{request}/process", json={})
        return cards()[0]["paymentIdentifierId"]

    def account(self):
        active = self.call("GET", "/api/v2/onramp-stream/vba/list", params={"status": "ACTIVE"})["accounts"]
        if active:
            return active[0]["id"]
        body = {"source": {"fiatCurrency": "EUR"}, "destination": DESTINATION}
        self.verify("standard")
        return self.call("POST", "/api/v2/onramp-stream/vba", json=body)["id"]

    def run(self):
        self.verify("simple")
        wanted = {"metadata[quoteId]": self.quote(BANK, 1_000)}
        forms = self.call("GET", "/api/v2/kyc/additional-requirements", params=wanted)["formsRequired"]
        return forms[0]["metadata"]["workFlowRunId"]

    def british(self):
        self.verify("simple")
        self.live_in("GB")

    def identity(self):
        body = self.person("FR") | {"purposeList": ["Buying NFTs"]}
        self.call("POST", "/kyc/v2/reliance/identity-details", json=body)
        return body

    def documented(self):
        self.identity()
        proof = {"idType": "PASSPORT", "idCountryCode": "FR", "idNumber": "X1", "frontImage": IMAGE}
        body = {"documentProof": proof}
        self.call("POST", "/kyc/v2/reliance/document-details", json=body)
        return body

    def meet(self, operation, case):
        """Puts into the case what its operation needs; those that need nothing are left alone."""
        how = getattr(self, "for_" + operation, None)
        if how:
            how(case)

    def for_getKycRequirement(self, case):
        case.query["metadata[quoteId]"] = self.quote(BANK, customer=CUSTOMER)

    def for_getAdditionalRequirements(self, case):
        case.query["metadata[quoteId]"] = self.quote(BANK, 1_000)

    def for_getKycIdProofStatus(self, case):
        case.query["workFlowRunId"] = self.run()

    def for_getQuote(self, case):
        case.query |= {"paymentMethod": BANK, "fiatCurrency": "EUR"}

    def for_patchUserDetails(self, case):
        case.body = self.person("FR")

    def for_submitSsn(self, case):
        self.live_in("US")
        case.body = {"ssn": "000-12-3456", "quoteId": self.quote(BANK)}

    def for_uploadProofDocument(self, case):
        case.body = {"docId": "PAYSLIP", "file": b"%PDF-1.7"}

    def for_submitSourceOfIncome(self, case):
        case.body = {"monthlyVolume": "1000-5000 EUR", "sourceOfFundsType": "salary"} | EMPLOYMENT

    def for_submitMicaConsent(self, case):
        case.body = {"consentedAt": "2025-06-01T12:00:00+02:00"}

    def for_submitNationality(self, case):
        case.body = EMPLOYMENT

    def for_getKycRelianceStatus(self, case):
        case.query |= {"quoteId": self.quote(BANK), "kycShareToken": "_act-sbx-jwt-1"}

    def for_submitRelianceIdentity(self, case):
        case.body = self.person("FR") | {"purposeList": ["Buying NFTs"]}

    def for_submitRelianceDocument(self, case):
        case.body = self.documented()

    def for_submitRelianceBiometrics(self, case):
        self.documented()
        case.body = {"selfie": IMAGE}

    def for_getFcaStatus(self, case):
        self.british()

    def for_getFcaRequirements(self, case):
        self.british()
        case.query["status"] = STEP

    def for_submitFcaRequirements(self, case):
        self.british()
        case.body = {"status": STEP, "data": {"answers": [{"questionId": "HNI_Q1", "answerId": "A"}]}}

    def for_createVirtualAccount(self, case):
        case.body = {"quoteId": self.ready_to_buy()}

    def for_getVirtualAccountStatus(self, case):
        case.query["quoteId"] = self.ready_to_buy()

    def for_getPaymentInstrumentStatus(self, case):
        case.query |= {"paymentInstrumentId": BANK, "quoteId": self.ready_to_buy()}

    def for_createOrder(self, case):
        case.body = {"quoteId": self.ready_to_buy(), "paymentInstrumentId": BANK, "walletAddress": WALLET}

    def for_getUserOrder(self, case):
        case.path_parameters["orderId"] = self.order()

    def for_cancelOrder(self, case):
        case.path_parameters["orderId"] = self.order()

    def for_confirmPayment(self, case):
        case.body = {"orderId": self.order(), "paymentMethod": BANK}

    def for_createTransactionSession(self, case):
        case.body = {"quoteId": self.quote("apple_pay"), "walletAddress": WALLET}

    def for_createCardTransactionSession(self, case):
        case.body = {"quoteId": self.quote("credit_debit_card"), "walletAddress": WALLET} | URLS

    def for_processTransaction(self, case):
        case.path_parameters["requestId"] = self.transaction("apple_pay")

    def for_processCardTransaction(self, case):
        case.path_parameters["requestId"] = self.transaction("credit_debit_card")

    def for_getTransactionStatus(self, case):
        case.path_parameters["requestId"] = self.transaction("apple_pay")

    def for_deleteSavedCard(self, case):
        case.path_parameters["paymentIdentifierId"] = self.card()

    def for_createVirtualBankAccount(self, case):
        # Of the few that a user may have, one more is always possible.
        accounts = self.call("GET", "/api/v2/onramp-stream/vba/list", params={"status": "ALL"})["accounts"]
        self.verify("standard")
        if len(accounts) < 20:
            case.body = {"source": {"fiatCurrency": "EUR"}, "destination": DESTINATION}

    def for_getVirtualBankAccount(self, case):
        case.path_parameters["virtualBankId"] = self.account()

    def for_updateVirtualBankAccount(self, case):
        case.path_parameters["virtualBankId"] = self.account()
        case.body = {"destination": DESTINATION}

    def for_deleteVirtualBankAccount(self, case):
        case.path_parameters["virtualBankId"] = self.account()

    def for_simulateVirtualBankTransfer(self, case):
        destination = {"virtualBankId": self.account()}
        case.body = {"amount": 25.5, "paymentMethod": BANK, "source": {}, "destination": destination}

    def for_updateWebhookUrl(self, case):
        # It answers each delivery with 405, which is an answer worth recording.
        case.body = {"webhookURL": self.webhooks}

    def for_getUserData(self, case):
        case.query["partnerCustomerId"] = CUSTOMER

    def for_getBusinessOrders(self, case):
        case.query |= {"startDate": "2020-01-01T00:00:00Z", "endDate": "2040-01-01T00:00:00Z", "page": 1, "limit": 5}

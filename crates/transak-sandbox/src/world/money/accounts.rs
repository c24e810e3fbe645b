//! Virtual bank accounts, and money that arrives on them.

use rust_decimal::Decimal;
use serde_json::Value;

use super::{
    ordering::Plan,
    purse::{Account, Destination, MOST},
};
use crate::world::{
    Moment, Request, World,
    auth_calls::{data, gone},
    catalogue,
    json::{Object, array},
    order::{Course, Status},
    quote::{Amount, Ask, Side},
    refusal::{Answer, BAD_WALLET, Refusal},
};

/// Most that can be simulated, in the account's currency.
const MOST_SIMULATED: i64 = 50;
/// Longest tag of a destination.
const LONGEST_TAG: usize = 256;

fn destination(request: &Request<'_>) -> Answer<Destination> {
    let given = request.body.and_then(|body| body.get("destination"));
    let text = |name: &str| given.and_then(|given| given.get(name)).and_then(Value::as_str);
    let crypto = catalogue::crypto(
        text("cryptoCurrency").unwrap_or_default(),
        text("network").unwrap_or_default(),
    );
    let crypto =
        crypto.ok_or_else(|| Refusal::invalid("destination.cryptoCurrency is not available on this network"))?;
    let wallet = text("walletAddress").unwrap_or_default();
    if !catalogue::is_address(crypto.wallet, wallet) {
        return Err(Refusal::new(400, Some(BAD_WALLET), "The wallet address is not valid"));
    }
    let memo = text("memoTag").filter(|memo| !memo.is_empty());
    if memo.is_some_and(|memo| memo.len() > LONGEST_TAG) {
        return Err(Refusal::invalid("destination.memoTag may have 256 bytes"));
    }
    Ok(Destination {
        crypto,
        wallet: wallet.to_owned(),
        memo: memo.map(str::to_owned),
    })
}

fn unknown() -> Refusal {
    Refusal::new(404, None, "There is no such virtual bank account")
}

fn named<'a>(request: &Request<'a>) -> &'a str {
    let id = request.path.get("virtualBankId");
    id.map(String::as_str).unwrap_or_default()
}

impl World {
    pub(super) fn create_bank_account(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let key = self.user_of(request, now)?;
        let source = request.body.and_then(|body| body.get("source"));
        let fiat = source
            .and_then(|source| source.get("fiatCurrency"))
            .and_then(Value::as_str);
        let fiat = fiat
            .and_then(catalogue::fiat)
            .ok_or_else(|| Refusal::invalid("source.fiatCurrency is not supported"))?;
        let destination = destination(request)?;
        let account = Account {
            id: self.rng.hex(24),
            active: true,
            fiat,
            number: format!("{:012}", self.rng.below(1_000_000_000_000)),
            destination,
        };
        let user = self.users.by_key.get_mut(&key).ok_or_else(gone)?;
        if user.kyc.approved().is_none() {
            return Err(Refusal::new(400, None, "The user's KYC is not approved"));
        }
        if user.purse.accounts.len() >= MOST {
            return Err(Refusal::new(
                400,
                None,
                "The user has as many virtual bank accounts as allowed",
            ));
        }
        let answer = data(account.json());
        user.purse.accounts.push(account);
        Ok(answer)
    }

    pub(super) fn bank_accounts(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let key = self.user_of(request, now)?;
        let status = request.query("status").unwrap_or_default();
        let accounts = self.known(&key)?.purse.accounts.iter();
        let accounts = accounts.filter(|account| status == "ALL" || status == account.status());
        let accounts = array(accounts.map(|account| account.json().finish()));
        Ok(data(Object::new().raw("accounts", &accounts)))
    }

    /// Does something with the caller's account of the path.
    fn with_account(
        &mut self,
        request: &Request<'_>,
        now: Moment,
        work: impl FnOnce(&mut Account) -> Answer<()>,
    ) -> Answer<Object> {
        let key = self.user_of(request, now)?;
        let user = self.users.by_key.get_mut(&key).ok_or_else(gone)?;
        let account = user.purse.account(named(request)).ok_or_else(unknown)?;
        work(account)?;
        Ok(account.json())
    }

    pub(super) fn bank_account(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        self.with_account(request, now, |_| Ok(())).map(data)
    }

    pub(super) fn update_bank_account(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let updated = self.with_account(request, now, |account| {
            if !account.active {
                return Err(Refusal::new(400, None, "The virtual bank account is not in use"));
            }
            account.destination = destination(request)?;
            Ok(())
        });
        updated.map(data)
    }

    pub(super) fn delete_bank_account(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        self.with_account(request, now, |account| {
            account.active = false;
            Ok(())
        })?;
        Ok(data(Object::new()))
    }

    pub(super) fn simulate_transfer(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let key = self.user_of(request, now)?;
        let amount = request.body.and_then(|body| body.get("amount"));
        let amount = amount.and_then(|amount| amount.to_string().parse::<Decimal>().ok());
        let amount = amount
            .filter(|amount| *amount > Decimal::ZERO && *amount <= Decimal::from(MOST_SIMULATED))
            .ok_or_else(|| Refusal::invalid("amount must be above 0 and at most 50"))?;
        // How the account is named is assumed: the members of `destination` are not documented.
        let to = request.body.and_then(|body| body.get("destination"));
        let to = to.and_then(|to| to.get("virtualBankId")).and_then(Value::as_str);
        let user = self.users.by_key.get_mut(&key).ok_or_else(gone)?;
        let account = user.purse.account(to.unwrap_or_default());
        let account = account.filter(|account| account.active).ok_or_else(unknown)?;
        let payment = account
            .fiat
            .payments
            .iter()
            .find(|payment| Some(payment.id) == request.text("paymentMethod"))
            .filter(|payment| catalogue::is_bank(payment))
            .ok_or_else(|| Refusal::invalid("paymentMethod is not a bank transfer of the account's currency"))?;
        let ask = Ask {
            side: Side::Buy,
            fiat: account.fiat,
            crypto: account.destination.crypto,
            payment,
            amount: Amount::Fiat(amount.normalize()),
        };
        let wallet = account.destination.wallet.clone();
        let quote = self.price(ask, now)?;
        let plan = Plan {
            user: key,
            quote,
            wallet,
            course: Course::Bank,
        };
        self.take_order(plan, now)?;
        let Some(order) = self.orders.newest() else {
            return Err(gone());
        };
        // The money is there.
        self.move_order(&order, Status::PaymentMarked, now);
        Ok(data(Object::new().text("orderId", &order)))
    }
}

//! An order as the Whitelabel API shows it.

use crate::world::{
    json::{Object, array, timestamp},
    order::{Order, Status},
};

impl Order {
    /// The order for its user.
    pub(super) fn for_user(&self) -> Object {
        let quote = &self.quote;
        let (status, ask) = (self.status(), quote.ask);
        let object = Object::new()
            .text("orderId", &self.id)
            .text("partnerUserId", &self.user_id)
            .text("status", status.text())
            .text("isBuyOrSell", ask.side.text())
            .text("fiatCurrency", ask.fiat.symbol)
            .text("cryptoCurrency", ask.crypto.symbol)
            .text("paymentMethod", ask.payment.id)
            .text("network", ask.crypto.network)
            .text("networkId", ask.crypto.chain_id.unwrap_or_default())
            .text("walletAddress", &self.wallet)
            .text("quoteId", &quote.id)
            .decimal("fiatAmount", quote.fiat_amount)
            .decimal("fiatAmountInUsd", quote.usd())
            .decimal("amountPaid", self.paid())
            .decimal("cryptoAmount", quote.crypto_amount)
            .decimal("conversionPrice", quote.conversion)
            .decimal("totalFeeInFiat", quote.total_fee)
            .raw("paymentDetails", &array([self.payment_details().finish()]))
            .text(
                "walletLink",
                &format!("https://explorer.example/address/{}", self.wallet),
            )
            .flag("addressAdditionalData", false)
            .text("ipAddress", "203.0.113.7")
            .text("orderProcessingType", "NORMAL")
            .text("createdAt", &timestamp(self.created()))
            .text("updatedAt", &timestamp(self.updated()));
        match status {
            Status::Completed => object
                .text("completedAt", &timestamp(self.updated()))
                .text("txHash", &self.transaction)
                .text(
                    "transactionLink",
                    &format!("https://explorer.example/tx/{}", self.transaction),
                ),
            _ => object.null("txHash"),
        }
    }

    fn payment_details(&self) -> Object {
        let ask = self.quote.ask;
        let field = |name: &str, value: &str| Object::new().text("name", name).text("value", value).finish();
        let object = Object::new()
            .text("fiatCurrency", ask.fiat.symbol)
            .text("paymentMethod", ask.payment.id)
            .text("name", ask.payment.name);
        match ask.payment.id {
            "pm_open_banking" => object
                .raw("fields", "[]")
                .text("redirectUrl", &format!("https://bank.example/authorise/{}", self.id)),
            "credit_debit_card" | "apple_pay" | "google_pay" => {
                let card = Object::new()
                    .text("name", "cardNumber")
                    .text("id", "card")
                    .text("value", "****1111");
                object.raw("fields", &array([card.finish()]))
            }
            _ => {
                let amount = format!("{} {}", self.quote.fiat_amount.normalize(), ask.fiat.symbol);
                object.raw(
                    "fields",
                    &array([
                        field("Account Type", "Business"),
                        field("Amount", &amount),
                        field("IBAN", "XX00000000000000000002"),
                        field("BIC", "EXAMXXFFXXX"),
                        field("Bank Name", "Example Bank"),
                        field("Reference", &self.reference.to_string()),
                    ]),
                )
            }
        }
    }
}

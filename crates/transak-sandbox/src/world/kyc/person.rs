//! Who a user says to be, and where they say to live.

use serde_json::Value;

use crate::world::{
    catalogue,
    json::Object,
    refusal::{Answer, Refusal},
};

/// Longest text that is kept; with the cap on users it bounds the memory.
const LONGEST: usize = 256;

/// A text of a form, without surrounding blanks.
fn text(form: &Value, name: &str) -> Answer<String> {
    let text = form.get(name).and_then(Value::as_str).unwrap_or_default().trim();
    if text.len() > LONGEST {
        return Err(Refusal::invalid("A text is longer than 256 bytes").with_detail(name.to_owned()));
    }
    Ok(text.to_owned())
}

/// The same, and not empty.
fn some_text(form: &Value, name: &str) -> Answer<String> {
    let text = text(form, name)?;
    if text.is_empty() {
        return Err(Refusal::invalid("A text must not be empty").with_detail(name.to_owned()));
    }
    Ok(text)
}

/// The three forms of a day that the vendor's pages and samples have.
fn day_of_birth(text: &str) -> Option<chrono::NaiveDate> {
    let plain = |form| chrono::NaiveDate::parse_from_str(text, form).ok();
    let moment = || chrono::DateTime::parse_from_rfc3339(text).ok();
    plain("%Y-%m-%d")
        .or_else(|| plain("%d-%m-%Y"))
        .or_else(|| moment().map(|at| at.date_naive()))
}

/// Name, phone number and day of birth.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Personal {
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) mobile_number: String,
    pub(crate) dob: String,
}

/// An address.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) line1: String,
    pub(crate) line2: String,
    pub(crate) state: String,
    pub(crate) city: String,
    pub(crate) post_code: String,
    /// ISO 3166-1 alpha-2, in capitals.
    pub(crate) country: String,
}

impl Personal {
    /// Reads `personalDetails`.
    pub(super) fn read(form: &Value) -> Answer<Self> {
        let dob = day_of_birth(&some_text(form, "dob")?)
            .ok_or_else(|| Refusal::invalid("personalDetails.dob must be a day"))?;
        let mobile_number = some_text(form, "mobileNumber")?;
        let digits = mobile_number.strip_prefix('+').unwrap_or_default();
        if !(7..=15).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Refusal::invalid(
                "personalDetails.mobileNumber must be a plus and 7 to 15 digits",
            ));
        }
        Ok(Self {
            first_name: some_text(form, "firstName")?,
            last_name: some_text(form, "lastName")?,
            mobile_number,
            dob: format!("{}T00:00:00.000Z", dob.format("%Y-%m-%d")),
        })
    }

    /// Whether both have one telephone. The number of made-up people is everybody's.
    pub(super) fn same_number(&self, other: &Self) -> bool {
        self.mobile_number == other.mobile_number && self.mobile_number != Self::sample().mobile_number
    }

    /// Someone made up.
    pub(crate) fn sample() -> Self {
        Self {
            first_name: "Camille".to_owned(),
            last_name: "Sample".to_owned(),
            mobile_number: "+33600000000".to_owned(),
            dob: "1990-05-15T00:00:00.000Z".to_owned(),
        }
    }

    /// As members of a partner's data of the user.
    pub(super) fn partner_members(&self, object: Object) -> Object {
        let shown: String = self.mobile_number.chars().take(3).collect();
        let hidden = "X".repeat(self.mobile_number.chars().count().saturating_sub(3));
        object
            .text("firstName", &self.first_name)
            .text("lastName", &self.last_name)
            .text("dob", &self.dob)
            .text("mobileNumber", &format!("{shown}{hidden}"))
    }

    /// As members of a user's details.
    pub(crate) fn members(&self, object: Object) -> Object {
        object
            .text("firstName", &self.first_name)
            .text("lastName", &self.last_name)
            .text("mobileNumber", &self.mobile_number)
            .text("dob", &self.dob)
    }
}

impl Address {
    /// Reads `addressDetails`.
    pub(super) fn read(form: &Value) -> Answer<Self> {
        let country = some_text(form, "countryCode")?;
        let country = catalogue::country(&country)
            .filter(|country| country.allowed)
            .ok_or_else(|| Refusal::invalid("addressDetails.countryCode is not a country that is served"))?;
        Ok(Self {
            line1: some_text(form, "addressLine1")?,
            line2: text(form, "addressLine2")?,
            state: some_text(form, "state")?,
            city: some_text(form, "city")?,
            post_code: some_text(form, "postCode")?,
            country: country.alpha2.to_owned(),
        })
    }

    /// Somewhere made up.
    pub(crate) fn sample() -> Self {
        Self {
            line1: "170 Rue de l'Exemple".to_owned(),
            line2: String::new(),
            state: "Ile-de-France".to_owned(),
            city: "Paris".to_owned(),
            post_code: "75010".to_owned(),
            country: "FR".to_owned(),
        }
    }

    /// As the vendor shows it.
    pub(crate) fn json(&self) -> Object {
        let country = catalogue::country(&self.country);
        Object::new()
            .text("addressLine1", &self.line1)
            .text("addressLine2", &self.line2)
            .text("state", &self.state)
            .text("city", &self.city)
            .text("postCode", &self.post_code)
            .text("country", country.map_or(self.country.as_str(), |country| country.name))
            .text("countryCode", &self.country)
    }
}

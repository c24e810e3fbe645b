//! What else is wanted of a user, in the order in which it is to be given.

use crate::world::json::{Object, array, texts};

/// One form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    Purpose,
    Ssn,
    IdProof,
    Income,
    Documents,
    Consent,
    Nationality,
}

/// Proofs that are asked for with enhanced verification, with their names.
pub(super) const PROOFS: [(&str, &str); 3] = [
    ("PAYSLIP", "Salary statement"),
    ("BANK_STATEMENT_RECENT", "Statement of a bank account"),
    ("RESIDENTIAL_ADDRESS", "Proof of address"),
];

/// Values that Source of Income takes for where money comes from.
pub(super) const SOURCES: [&str; 4] = ["salary", "savings", "investments", "inheritance"];
/// Values that forms take for how somebody is employed.
pub(super) const EMPLOYMENTS: [&str; 4] = ["employed", "self-employed", "student", "retired"];

impl Form {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Purpose => "PURPOSE_OF_USAGE",
            Self::Ssn => "US_SSN",
            Self::IdProof => "IDPROOF",
            Self::Income => "SOURCE_OF_INCOME",
            Self::Documents => "DOCUMENT_PROOF",
            Self::Consent => "CONSENT",
            Self::Nationality => "ADDITIONAL_DETAILS_NATIONALITY",
        }
    }

    /// The form as the vendor lists it; `run` is the identity proof under way, for the form that needs one.
    pub(super) fn json(self, run: Option<&str>) -> String {
        let object = Object::new().text("type", self.text());
        match (self, run) {
            (Self::IdProof, Some(run)) => object.raw("metadata", run),
            (Self::Documents, _) => {
                let options =
                    PROOFS.map(|(value, name)| Object::new().text("name", name).text("value", value).finish());
                let metadata = Object::new()
                    .raw("options", "[]")
                    .raw("documentProofOptions", &array(options));
                object.object("metadata", metadata)
            }
            // Their keys are not documented.
            (Self::Income, _) => object.object("metadata", Object::new().raw("sourceOfFundsType", &texts(SOURCES))),
            (Self::Nationality, _) => {
                object.object("metadata", Object::new().raw("employmentStatus", &texts(EMPLOYMENTS)))
            }
            _ => object,
        }
        .finish()
    }
}

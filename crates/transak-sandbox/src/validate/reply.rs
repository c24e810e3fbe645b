//! Whether an answer of the sandbox is one the spec allows.

use serde_json::Value;

use super::field;
use super::rules::OperationRules;

/// What is wrong with an answer of ours. Names places, never values: answers hold tokens and personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Violation(String);

/// What kind of body an answer has.
pub(crate) enum Said<'a> {
    Json(&'a str),
    Html,
    Nothing,
}

impl OperationRules {
    /// Checks an answer. A refusal with a status the spec does not list has to have the envelope of errors at
    /// least; a success has to be listed.
    pub(crate) fn check_answer(&self, status: u16, said: &Said<'_>) -> Result<(), Violation> {
        let refusal = status >= 400;
        let schema = match self.answers.get(&status) {
            Some(schema) => schema.as_ref(),
            None if refusal => Some(&self.error),
            None => return Err(Violation(format!("status {status} is not in the spec"))),
        };
        let text = match (said, schema) {
            (Said::Json(text), Some(_)) => text,
            // "A gateway or CDN may answer without a body or with HTML instead."
            (Said::Html | Said::Nothing, _) if refusal => return Ok(()),
            (Said::Nothing, None) => return Ok(()),
            _ => return Err(Violation(format!("status {status} has a body of the wrong kind"))),
        };
        let Some(schema) = schema else { return Ok(()) };
        let value: Value =
            serde_json::from_str(text).map_err(|_| Violation(format!("the body of {status} is no JSON")))?;
        let validator = schema.validator().map_err(|error| Violation(error.to_string()))?;
        let mut problems = validator
            .iter_errors(&value)
            .map(|e| format!("{} {}", field::path(&e), field::problem(&e)));
        let listed: Vec<String> = problems.by_ref().take(5).collect();
        if listed.is_empty() {
            return Ok(());
        }
        Err(Violation(format!("status {status}: {}", listed.join("; "))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::Rules;

    fn check(operation: &str, status: u16, said: &Said<'_>) -> Result<(), String> {
        let operation = transak_client::Operation::find(operation).unwrap();
        let rules = Rules::get().unwrap().of(operation).unwrap();
        rules
            .check_answer(status, said)
            .map_err(|violation| violation.to_string())
    }

    #[test]
    fn an_answer_the_spec_does_not_allow_is_named_without_its_values() {
        let token = r#"{"data":{"accessToken":"t"}}"#;
        assert_eq!(check("refreshUserAccessToken", 200, &Said::Json(token)), Ok(()));
        for (text, named) in [
            (r#"{"data":{}}"#, "data.accessToken is required"),
            (
                r#"{"data":{"accessToken":17}}"#,
                "data.accessToken must be of type string",
            ),
            (
                r#"{"data":{"accessToken":"secret","acessToken":"secret"}}"#,
                "does not know: acessToken",
            ),
            ("secret", "is no JSON"),
        ] {
            let violation = check("refreshUserAccessToken", 200, &Said::Json(text)).unwrap_err();
            assert!(
                violation.contains(named) && !violation.contains("secret"),
                "{violation}"
            );
        }
        assert!(
            check("refreshUserAccessToken", 201, &Said::Json(token)).is_err(),
            "an unlisted success"
        );
        assert!(check("refreshUserAccessToken", 200, &Said::Html).is_err());
        assert!(check("refreshUserAccessToken", 200, &Said::Nothing).is_err());
        assert_eq!(check("refreshAccessToken", 429, &Said::Html), Ok(()));
        assert_eq!(
            check("getCountries", 418, &Said::Json(r#"{"error":{"message":"m"}}"#)),
            Ok(())
        );
        assert!(check("getCountries", 418, &Said::Json(r#"{"message":"m"}"#)).is_err());
    }

    #[test]
    fn null_is_allowed_where_the_spec_says_so_and_enums_are_closed() {
        let user = |kind: &str, city: &str| {
            format!(
                r#"{{"data":{{"email":"e","status":"ACTIVE","kyc":{{"status":"APPROVED","type":{kind}}},"address":{city}}}}}"#
            )
        };
        assert_eq!(check("getUserDetails", 200, &Said::Json(&user("null", "null"))), Ok(()));
        assert_eq!(
            check("getUserDetails", 200, &Said::Json(&user("\"SIMPLE\"", "null"))),
            Ok(())
        );
        assert!(check("getUserDetails", 200, &Said::Json(&user("\"HUGE\"", "null"))).is_err());
        assert!(check("getUserDetails", 200, &Said::Json(&user("null", "7"))).is_err());
    }

    #[test]
    fn every_example_of_the_spec_fits_the_compiled_schemas() {
        let spec: Value = serde_json::from_str(include_str!("../generated/openapi.json")).unwrap();
        let mut checked = 0;
        for operation in transak_client::operations::ALL {
            let object = &spec["paths"][operation.path()][operation.method().to_lowercase()];
            for (status, answer) in object["responses"].as_object().unwrap() {
                let answer = match answer["$ref"].as_str() {
                    Some(reference) => spec.pointer(&reference[1..]).unwrap(),
                    None => answer,
                };
                for (name, example) in answer["content"]["application/json"]["examples"].as_object().unwrap() {
                    let text = example["value"].to_string();
                    let result = check(operation.id(), status.parse().unwrap(), &Said::Json(&text));
                    assert_eq!(result, Ok(()), "{} {status} {name}", operation.id());
                    checked += 1;
                }
            }
        }
        assert!(checked > 60, "{checked}");
    }
}

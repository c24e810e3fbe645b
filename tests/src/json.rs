//! Comparing JSON with numbers as text: 1.10 is not 1.1 here.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// JSON text with sorted members, no white space and every number as it was written.
///
/// # Errors
/// When the text is no JSON.
pub fn canonical(text: &str) -> Result<String, serde_json::Error> {
    let text = text.trim();
    match text.as_bytes().first() {
        Some(b'{') => {
            let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text)?;
            let parts: Result<Vec<String>, serde_json::Error> = members
                .iter()
                .map(|(name, value)| Ok(format!("{}:{}", serde_json::to_string(name)?, canonical(value.get())?)))
                .collect();
            Ok(format!("{{{}}}", parts?.join(",")))
        }
        Some(b'[') => {
            let items: Vec<Box<RawValue>> = serde_json::from_str(text)?;
            let parts: Result<Vec<String>, _> = items.iter().map(|item| canonical(item.get())).collect();
            Ok(format!("[{}]", parts?.join(",")))
        }
        Some(b'"') => serde_json::to_string(&serde_json::from_str::<String>(text)?),
        _ => serde_json::from_str::<&RawValue>(text).map(|raw| raw.get().to_owned()),
    }
}

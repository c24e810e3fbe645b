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

/// What became of JSON text that was decoded and encoded again: the places of members that are gone (a null may go),
/// or the place of a value that has changed.
///
/// # Errors
/// The place, as a JSON pointer.
pub fn losses(before: &str, after: &str) -> Result<Vec<String>, String> {
    let mut gone = Vec::new();
    compare(before, after, "", &mut gone)?;
    Ok(gone)
}

fn compare(before: &str, after: &str, place: &str, gone: &mut Vec<String>) -> Result<(), String> {
    let changed = |_| place.to_owned();
    match (before.as_bytes().first(), after.as_bytes().first()) {
        (Some(b'{'), Some(b'{')) => {
            let before: BTreeMap<String, Box<RawValue>> = serde_json::from_str(before).map_err(changed)?;
            let after: BTreeMap<String, Box<RawValue>> = serde_json::from_str(after).map_err(changed)?;
            if let Some(invented) = after.keys().find(|name| !before.contains_key(*name)) {
                return Err(format!("{place}/{invented}"));
            }
            for (name, value) in before {
                let place = format!("{place}/{name}");
                match after.get(&name) {
                    Some(after) => compare(value.get(), after.get(), &place, gone)?,
                    // The client has one value for a member that is null and one that is absent.
                    None if value.get() == "null" => {}
                    None => gone.push(place),
                }
            }
            Ok(())
        }
        (Some(b'['), Some(b'[')) => {
            let before: Vec<Box<RawValue>> = serde_json::from_str(before).map_err(changed)?;
            let after: Vec<Box<RawValue>> = serde_json::from_str(after).map_err(changed)?;
            if before.len() != after.len() {
                return Err(place.to_owned());
            }
            for (number, (before, after)) in before.iter().zip(after).enumerate() {
                compare(before.get(), after.get(), &format!("{place}/{number}"), gone)?;
            }
            Ok(())
        }
        _ if before == after => Ok(()),
        _ => Err(place.to_owned()),
    }
}

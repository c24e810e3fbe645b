//! Forms with files, read as if they were JSON.

use std::convert::Infallible;

use ::http::HeaderMap;
use ::http::header::CONTENT_TYPE;
use bytes::Bytes;
use multer::{Constraints, Multipart, SizeLimit};
use serde_json::{Map, Value};

/// Most parts of a form.
const MOST_PARTS: usize = 16;
/// Longest text of a part that is no file, and longest name of a file.
const LONGEST_TEXT: u64 = 4_096;

/// Reads a form. Of a file its name is kept: nobody looks into it, and an empty one is refused.
///
/// # Errors
/// What is wrong with it, as a message; `None` if it is not a form at all.
pub(super) async fn read(headers: &HeaderMap, body: &Bytes) -> Result<Value, Option<String>> {
    let mut kinds = headers.get_all(CONTENT_TYPE).iter();
    let (Some(kind), None) = (kinds.next(), kinds.next()) else {
        return Err(None);
    };
    let boundary = kind.to_str().ok().and_then(|kind| multer::parse_boundary(kind).ok());
    let boundary = boundary.ok_or(None)?;
    let stream = futures_util::stream::iter([Ok::<_, Infallible>(body.clone())]);
    let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(body.len() as u64));
    let mut form = Multipart::with_constraints(stream, boundary, limits);
    let broken = |_| Some("body is not a valid form".to_owned());
    let mut members = Map::new();
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let Some(name) = field.name().map(str::to_owned) else {
            return Err(Some("body has a part without a name".to_owned()));
        };
        let file = field.file_name().map(str::to_owned);
        let bytes = field.bytes().await.map_err(broken)?;
        let text = match file {
            Some(_) if bytes.is_empty() => return Err(Some(format!("{name} is an empty file"))),
            Some(file) if file.len() as u64 > LONGEST_TEXT => return Err(Some(format!("{name} has too long a name"))),
            Some(file) => file,
            None if bytes.len() as u64 > LONGEST_TEXT => return Err(Some(format!("{name} is too long"))),
            None => String::from_utf8(bytes.to_vec()).map_err(|_| Some(format!("{name} is no text")))?,
        };
        if members.insert(name.clone(), Value::String(text)).is_some() {
            return Err(Some(format!("{name} was given more than once")));
        }
        if members.len() > MOST_PARTS {
            return Err(Some("body has too many parts".to_owned()));
        }
    }
    Ok(Value::Object(members))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    async fn of(kind: &str, body: &str) -> Result<Value, Option<String>> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, kind.parse().unwrap());
        read(&headers, &Bytes::from(body.to_owned())).await
    }

    const KIND: &str = "multipart/form-data; boundary=x";

    fn part(name: &str, file: &str, content: &str) -> String {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n")
    }

    #[tokio::test]
    async fn texts_and_names_of_files_become_members() {
        let body = part("docId", "", "PAYSLIP") + &part("file", "; filename=\"a.pdf\"", "%PDF") + "--x--\r\n";
        let read = of(KIND, &body).await.unwrap();
        assert_eq!(read, serde_json::json!({"docId": "PAYSLIP", "file": "a.pdf"}));
    }

    #[tokio::test]
    async fn what_is_no_form_is_told_from_a_broken_one() {
        assert_eq!(of("application/json", "{}").await, Err(None));
        assert_eq!(of("multipart/form-data", "").await, Err(None));
        for body in [
            "".to_owned(),
            "--x".to_owned(),
            part("docId", "", "A"),
            part("docId", "", "A") + &part("docId", "", "B") + "--x--\r\n",
            part("file", "; filename=\"a.pdf\"", "") + "--x--\r\n",
            part("docId", "", &"A".repeat(5_000)) + "--x--\r\n",
            "--x\r\nContent-Disposition: form-data\r\n\r\nA\r\n--x--\r\n".to_owned(),
        ] {
            assert!(matches!(of(KIND, &body).await, Err(Some(_))), "{body}");
        }
    }
}

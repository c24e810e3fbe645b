//! Examples of the document, as JSON text with numbers as they are written there.

use transak_client::operation::Operation;

/// An example of a request body.
#[derive(Debug)]
pub struct RequestExample {
    operation: &'static Operation,
    name: &'static str,
    schema: &'static str,
    json: &'static str,
}

impl RequestExample {
    pub(crate) const fn new(
        operation: &'static Operation,
        name: &'static str,
        schema: &'static str,
        json: &'static str,
    ) -> Self {
        Self {
            operation,
            name,
            schema,
            json,
        }
    }

    /// The operation it belongs to.
    #[must_use]
    pub const fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// Its name in the document.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The schema of the body.
    #[must_use]
    pub const fn schema(&self) -> &'static str {
        self.schema
    }

    /// The body.
    #[must_use]
    pub const fn json(&self) -> &'static str {
        self.json
    }
}

/// An example of an answer.
#[derive(Debug)]
pub struct ResponseExample {
    body: RequestExample,
    status: u16,
}

impl ResponseExample {
    pub(crate) const fn new(
        operation: &'static Operation,
        status: u16,
        name: &'static str,
        schema: &'static str,
        json: &'static str,
    ) -> Self {
        Self {
            body: RequestExample::new(operation, name, schema, json),
            status,
        }
    }

    /// The operation it belongs to.
    #[must_use]
    pub const fn operation(&self) -> &'static Operation {
        self.body.operation
    }

    /// HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Its name in the document.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.body.name
    }

    /// The schema of the body.
    #[must_use]
    pub const fn schema(&self) -> &'static str {
        self.body.schema
    }

    /// The body.
    #[must_use]
    pub const fn json(&self) -> &'static str {
        self.body.json
    }
}

/// An example of a message that Transak sends on its own account: a webhook, the claims of its JWT, or an event of a
/// channel or of the widget.
#[derive(Debug)]
pub struct MessageExample {
    message: &'static str,
    name: &'static str,
    schema: &'static str,
    json: &'static str,
}

impl MessageExample {
    pub(crate) const fn new(
        message: &'static str,
        name: &'static str,
        schema: &'static str,
        json: &'static str,
    ) -> Self {
        Self {
            message,
            name,
            schema,
            json,
        }
    }

    /// The message it belongs to, such as `orderEvent`.
    #[must_use]
    pub const fn message(&self) -> &'static str {
        self.message
    }

    /// Its name in the document.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The schema of the message.
    #[must_use]
    pub const fn schema(&self) -> &'static str {
        self.schema
    }

    /// The message.
    #[must_use]
    pub const fn json(&self) -> &'static str {
        self.json
    }
}

//! Bad edits that only the Rust compiler, a test of the documentation or a reader of the wire would notice.

use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    // Headers of the client itself.
    case(
        "credential-parameter",
        "#/components/parameters/Limit",
        &[("name: limit\n      in: query", "name: X-Trace-Id\n      in: header")],
    ),
    case(
        "credential-parameter",
        "#/components/parameters/Limit",
        &[("name: limit\n      in: query", "name: user-agent\n      in: header")],
    ),
    case(
        "credential-parameter",
        "#/components/parameters/Limit",
        &[("name: limit\n      in: query", "name: host\n      in: header")],
    ),
    case(
        "credential-parameter",
        "#/components/parameters/Limit",
        &[("name: limit\n      in: query", "name: accept\n      in: header")],
    ),
    case(
        "security-scheme",
        "#/components/securitySchemes/apiKey/name",
        &[("name: x-api-key", "name: x-trace-id")],
    ),
    case(
        "security-scheme",
        "#/components/securitySchemes/apiKey/name",
        &[("name: x-api-key", "name: user-agent")],
    ),
    case(
        "security-scheme",
        "#/components/securitySchemes/apiKey/name",
        &[("name: x-api-key", "name: content-length")],
    ),
    // The first satisfied alternative wins.
    case(
        "security-order",
        "#/paths/~1orders~1{orderId}/get/security/1",
        &[(
            "        - apiKey: []\n          userToken: []\n        - apiKey: []\n",
            "        - apiKey: []\n        - apiKey: []\n          userToken: []\n",
        )],
    ),
    case(
        "security-order",
        "#/paths/~1orders~1{orderId}/get/security/2",
        &[(
            "        - apiKey: []\n          userToken: []\n        - apiKey: []\n",
            "        - apiKey: []\n          userToken: []\n        - {}\n        - apiKey: []\n",
        )],
    ),
    // One credential in two headers.
    case(
        "security-order",
        "#/paths/~1orders~1{orderId}/get/security/1",
        &[
            (
                "        - apiKey: []\n          userToken: []\n        - apiKey: []\n",
                "        - apiKey: []\n        - userToken: []\n",
            ),
            ("credential: userToken", "credential: apiKey"),
        ],
    ),
    // The stand-in of the views.
    case(
        "property-names",
        "#/components/schemas/GetOrderResponse/properties/underscored-id",
        &[(
            "        _id: {type: string}\n",
            "        underscored-id: {type: string}\n",
        )],
    ),
    case(
        "property-names",
        "#/components/schemas/GetOrderResponse/properties/underscoredId",
        &[(
            "        _id: {type: string}\n",
            "        _id: {type: string}\n        underscoredId: {type: string}\n",
        )],
    ),
    case(
        "property-names",
        "#/components/schemas/GetOrderResponse/properties/id",
        &[("        _id: {type: string}\n", "        _ID: {type: string}\n")],
    ),
    // Defaults.
    case(
        "property-default",
        "#/components/schemas/CreateOrderRequest/properties/size/default",
        &[("size: {type: integer, minimum: 1}", "size: {type: integer, default: 1}")],
    ),
    case(
        "property-default",
        "#/components/schemas/CreateOrderRequest/properties/status/default",
        &[(
            "description: Where to start.",
            "description: Where to start.\n          default: OPEN",
        )],
    ),
    case(
        "property-default",
        "#/components/schemas/PaidFlag/oneOf/0/default",
        &[("- type: boolean", "- {type: boolean, default: false}")],
    ),
    // Prose.
    case(
        "prose-code",
        "#/components/schemas/User/description",
        &[("description: A user.", "description: \"See ```a user```.\"")],
    ),
    case(
        "prose-code",
        "#/components/schemas/User/description",
        &[("description: A user.", "description: \"~~~\\nA user.\"")],
    ),
    case(
        "prose-code",
        "#/components/schemas/User/description",
        &[("description: A user.", "description: \"A user:\\n\\n    email\"")],
    ),
    case(
        "prose-code",
        "#/components/schemas/User/description",
        &[("description: A user.", "description: \"A user:\\n \\n\\temail\"")],
    ),
    case(
        "prose-code",
        "#/components/schemas/User/description",
        &[("description: A user.", "description: \"    A user.\"")],
    ),
    case(
        "prose-code",
        "#/paths/~1orders~1{orderId}/get/summary",
        &[("summary: Get Order", "summary: \"```\"")],
    ),
    case(
        "prose-code",
        "#/components/schemas/OrderStatus/x-enumDescriptions/OPEN",
        &[("OPEN: Not paid.", "OPEN: \"```\"")],
    ),
    case(
        "prose-characters",
        "#/components/schemas/User/description",
        &[("description: A user.", "description: \"A \\r\\nuser.\"")],
    ),
    case(
        "prose-characters",
        "#/components/schemas/User/description",
        &[("description: A user.", "description: \"A \\u0007.\"")],
    ),
    case(
        "prose-characters",
        "#/components/schemas/User/description",
        &[("description: A user.", "description: \"A \\u202eresu.\"")],
    ),
    case(
        "prose-characters",
        "#/components/schemas/User/description",
        &[("description: A user.", "description: \"A \\u200f.\"")],
    ),
    case(
        "prose-characters",
        "#/info/title",
        &[("title: Shop", "title: \"Shop\\u2066\"")],
    ),
    // Operation ids.
    case(
        "operation-id",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: builder")],
    ),
    case(
        "operation-id",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: withCredential")],
    ),
    case(
        "operation-id",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: withCredentials")],
    ),
    case(
        "operation-id",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: withoutCredential")],
    ),
    case(
        "operation-id",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: apiVersion")],
    ),
    case(
        "operation-id",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: reset")],
    ),
    case(
        "operation-id",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: url")],
    ),
    case(
        "operation-id",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: option")],
    ),
    case(
        "operation-id",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: result")],
    ),
    case(
        "operation-id",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: string")],
    ),
    case(
        "operation-id",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: error")],
    ),
    case(
        "operation-id",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: responseValue")],
    ),
    case(
        "operation-id",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: clientInfo")],
    ),
    case(
        "operation-id",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: byteStream")],
    ),
    case(
        "operation-id",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: from")],
    ),
    case(
        "operation-id",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: into")],
    ),
    case(
        "operation-id",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: requestBuilderExt")],
    ),
    case(
        "operation-id",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: all")],
    ),
    // Parameters.
    case(
        "parameter-names",
        "#/paths/~1orders~1{orderId}/get/parameters/1",
        &[("name: \"filter[status]\"", "name: client")],
    ),
    case(
        "parameter-names",
        "#/paths/~1orders~1{orderId}/get/parameters/1",
        &[("name: \"filter[status]\"", "name: into_inner")],
    ),
    case(
        "parameter-names",
        "#/paths/~1orders~1{orderId}/get/parameters/1",
        &[("name: \"filter[status]\"", "name: x-api-key")],
    ),
    case(
        "parameter-names",
        "#/paths/~1orders~1{orderId}/get/parameters/1",
        &[("name: \"filter[status]\"", "name: Authorization")],
    ),
    case(
        "parameter-names",
        "#/paths/~1orders~1{orderId}/get/parameters/2",
        &[("name: limit\n      in: query", "name: headerMap\n      in: header")],
    ),
    // Schemas.
    case(
        "schema-name",
        "#/components/schemas/Default",
        &[
            ("    User:\n", "    Default:\n"),
            ("schemas/User\"", "schemas/Default\""),
        ],
    ),
    case(
        "schema-name",
        "#/components/schemas/Ok",
        &[("    User:\n", "    Ok:\n"), ("schemas/User\"", "schemas/Ok\"")],
    ),
    case(
        "schema-name",
        "#/components/schemas/Err",
        &[("    User:\n", "    Err:\n"), ("schemas/User\"", "schemas/Err\"")],
    ),
    case(
        "schema-name",
        "#/components/schemas/Some",
        &[("    User:\n", "    Some:\n"), ("schemas/User\"", "schemas/Some\"")],
    ),
    case(
        "enum-varnames",
        "#/components/schemas/FailureCode/x-enum-varnames/1",
        &[("[NotFound, Refused]", "[NotFound, Self]")],
    ),
    case(
        "enum-value-names",
        "#/components/schemas/OrderStatus/enum/2",
        &[
            ("enum: [OPEN, CLOSED]", "enum: [OPEN, \"1\", \"v1\"]"),
            ("        OPEN: Not paid.", "        OPEN: Not paid."),
        ],
    ),
    case(
        "enum-value-names",
        "#/components/schemas/OrderStatus/enum/2",
        &[("enum: [OPEN, CLOSED]", "enum: [OPEN, CLOSED, \"-\"]")],
    ),
    // Methods.
    case(
        "operation-method",
        "#/paths/~1orders~1{orderId}/trace",
        &[("    get:\n", "    trace:\n")],
    ),
    case(
        "operation-method",
        "#/paths/~1orders~1{orderId}/options",
        &[("    get:\n", "    options:\n")],
    ),
    case(
        "operation-method",
        "#/paths/~1orders~1{orderId}/head",
        &[("    get:\n", "    head:\n")],
    ),
    // Examples.
    case(
        "example-names",
        "#/components/responses/NotFound/content/application~1json/examples/tooEarly",
        &[(
            "none: {summary: None, value: {code: 1001}}",
            "too-early: {summary: None, value: {code: 1001}}\n            tooEarly: {summary: None, value: {code: 1001}}",
        )],
    ),
    case(
        "example-names",
        "#/paths/~1orders/post/requestBody/content/application~1json/examples/a_b",
        &[(
            "plain: {summary: An order, value: {note: x, size: 2}}",
            "a b: {summary: A, value: {note: x}}\n              a_b: {summary: A, value: {note: x}}",
        )],
    ),
];

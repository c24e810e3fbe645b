//! Bad edits of the operations, their parameters and bodies.

use super::{Case, case, case_also};

const GET: &str = "#/paths/~1orders~1{orderId}/get";

pub(super) const CASES: &[Case] = &[
    // Operations.
    case("operation-id", GET, &[("      operationId: getOrder\n", "")]),
    case(
        "operation-id",
        "#/paths/~1orders/post/operationId",
        &[("createOrder", "create-order")],
    ),
    case(
        "operation-id-unique",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: getOrder")],
    ),
    case(
        "operation-id-unique",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: getORDER")],
    ),
    case(
        "operation-safety",
        "#/paths/~1orders/post",
        &[("      x-transak-safety: once\n", "")],
    ),
    case(
        "operation-safety",
        "#/paths/~1orders/post/x-transak-safety",
        &[("safety: once", "safety: never")],
    ),
    case(
        "safety-method",
        "#/paths/~1orders/post/x-transak-safety",
        &[("safety: once", "safety: safe")],
    ),
    case("operation-docs", GET, &[("      summary: Get Order\n", "")]),
    case(
        "path-template",
        "#/paths/~1orders~1?",
        &[("  /orders:", "  /orders/?:")],
    ),
    case(
        "path-parameters",
        "#/paths/~1orders~1{id}/get",
        &[("/orders/{orderId}:", "/orders/{id}:")],
    ),
    case(
        "path-parameters",
        "#/paths/~1orders~1{orderId}/get/parameters/0",
        &[(
            "          required: true\n          description: Id",
            "          description: Id",
        )],
    ),
    case(
        "operation-id",
        "#/paths/~1orders/post/operationId",
        &[("operationId: createOrder", "operationId: newWithClient")],
    ),
    // Parameters.
    case(
        "parameter-names",
        "#/paths/~1orders~1{orderId}/get/parameters/1",
        &[("name: \"filter[status]\"", "name: send")],
    ),
    case(
        "parameter-unique",
        "#/paths/~1orders~1{orderId}/get/parameters/1",
        &[("name: \"filter[status]\"", "name: orderId")],
    ),
    case(
        "parameter-names",
        "#/paths/~1orders~1{orderId}/get/parameters/1",
        &[("name: \"filter[status]\"", "name: order_id")],
    ),
    case(
        "parameter-style",
        "#/components/parameters/Limit/explode",
        &[(
            "description: Page size.",
            "description: Page size.\n      explode: false",
        )],
    ),
    case(
        "parameter-style",
        "#/components/parameters/Limit/style",
        &[(
            "description: Page size.",
            "description: Page size.\n      style: deepObject",
        )],
    ),
    case(
        "parameter-content",
        "#/components/parameters/Limit/content",
        &[(
            "schema: {type: integer, minimum: 1, default: 20}",
            "content: {application/json: {schema: {type: integer}}}",
        )],
    ),
    case(
        "parameter-cookie",
        "#/components/parameters/Limit",
        &[("name: limit\n      in: query", "name: limit\n      in: cookie")],
    ),
    case(
        "parameter-shape",
        "#/components/parameters/Limit",
        &[(
            "schema: {type: integer, minimum: 1, default: 20}",
            "schema: {type: array, items: {type: string}}",
        )],
    ),
    case(
        "parameter-shape",
        "#/components/parameters/Limit",
        &[(
            "schema: {type: integer, minimum: 1, default: 20}",
            "schema: {allOf: [{$ref: \"#/components/schemas/User\"}]}",
        )],
    ),
    case(
        "secret-in-url",
        "#/paths/~1orders~1{orderId}/get/parameters/0",
        &[(
            "schema: {type: string}\n          example: o-1",
            "schema: {type: string, format: password}\n          example: o-1",
        )],
    ),
    case(
        "secret-in-url",
        "#/paths/~1orders/post/parameters/0",
        &[("x-transak-url-secret: true, ", "")],
    ),
    case(
        "secret-in-url",
        "#/paths/~1orders/post/parameters/0/x-transak-url-secret",
        &[(
            "schema: {type: string, format: password}, example: t-1",
            "schema: {type: string}, example: t-1",
        )],
    ),
    case(
        "extension-value",
        "#/paths/~1orders/post/parameters/0/x-transak-url-secret",
        &[("x-transak-url-secret: true, ", "x-transak-url-secret: yes please, ")],
    ),
    case(
        "parameter-docs",
        "#/components/parameters/Limit",
        &[("      description: Page size.\n", "")],
    ),
    // Bodies.
    case(
        "body-media-type",
        "#/paths/~1orders/post/requestBody/content/multipart~1form-data",
        &[(
            "        content:\n          application/json:\n            schema: {$ref: \"#/components/schemas/CreateOrderRequest\"}",
            "        content:\n          multipart/form-data:\n            schema: {$ref: \"#/components/schemas/CreateOrderRequest\"}",
        )],
    ),
    case(
        "body-media-type",
        "#/paths/~1orders/post/requestBody",
        &[(
            "              plain: {summary: An order, value: {note: x, size: 2}}",
            "              plain: {summary: An order, value: {note: x, size: 2}}\n          text/plain: {schema: {$ref: \"#/components/schemas/User\"}, examples: {a: {value: b}}}",
        )],
    ),
    case_also(
        "body-schema",
        "#/paths/~1orders/post/requestBody/content/application~1json",
        &[(
            "schema: {$ref: \"#/components/schemas/CreateOrderRequest\"}",
            "schema: {type: string}",
        )],
        &["unused-component"],
    ),
    case(
        "body-required",
        "#/paths/~1orders/post/requestBody",
        &[("        required: true\n        content", "        content")],
    ),
    // Responses.
    case(
        "response-success",
        "#/paths/~1orders/post/responses",
        &[(
            "          description: Created\n",
            "          description: Created\n        \"202\": {description: Accepted}\n",
        )],
    ),
    case(
        "response-success",
        "#/paths/~1orders/post/responses",
        &[("        \"201\":\n", "        \"409\":\n")],
    ),
    case(
        "response-default",
        "#/paths/~1orders/post/responses/default",
        &[("        \"400\": {$ref", "        default: {$ref")],
    ),
    case(
        "response-status",
        "#/paths/~1orders/post/responses/460",
        &[("        \"400\": {$ref", "        \"460\": {$ref")],
    ),
    case(
        "response-status",
        "#/paths/~1orders/post/responses/302",
        &[("        \"400\": {$ref", "        \"302\": {$ref")],
    ),
    case_also(
        "response-status",
        "#/paths/~1orders/post/responses/2XX",
        &[("        \"400\": {$ref", "        2XX: {$ref")],
        &["response-success"],
    ),
    case(
        "response-media-type",
        "#/components/responses/NotFound/content",
        &[(
            "        application/json:\n          schema: {$ref: \"#/components/schemas/Failure\"}",
            "        application/problem+json:\n          schema: {$ref: \"#/components/schemas/Failure\"}",
        )],
    ),
    case_also(
        "response-schema",
        "#/components/responses/NotFound/content/application~1json",
        &[("          schema: {$ref: \"#/components/schemas/Failure\"}\n", "")],
        &["unused-component"],
    ),
    case_also(
        "response-schema",
        "#/components/responses/NotFound/content/application~1json/schema",
        &[(
            "schema: {$ref: \"#/components/schemas/Failure\"}",
            "schema: {$ref: \"#/components/schemas/FailureCode\"}",
        )],
        &["unused-component"],
    ),
    // Examples.
    case(
        "body-example",
        "#/paths/~1orders/post/requestBody/content/application~1json",
        &[(
            "            examples:\n              plain: {summary: An order, value: {note: x, size: 2}}\n",
            "",
        )],
    ),
    case(
        "parameter-example",
        "#/components/parameters/Limit",
        &[("      example: 10\n", "")],
    ),
    case(
        "example-value",
        "#/components/responses/NotFound/content/application~1json/examples/none/externalValue",
        &[(
            "{summary: None, value: {code: 1001}}",
            "{summary: Elsewhere, externalValue: https://example.com/a.json}",
        )],
    ),
    // Messages.
    case(
        "message-id",
        "#/x-webhooks/orderPaid/post/operationId",
        &[("operationId: orderPaid", "operationId: orderPayed")],
    ),
    case(
        "message-id",
        "#/x-webhooks/createOrder/post/operationId",
        &[(
            "  orderPaid:\n    post:\n      operationId: orderPaid",
            "  createOrder:\n    post:\n      operationId: createOrder",
        )],
    ),
    case_also(
        "message-body",
        "#/x-webhooks/orderPaid",
        &[("  orderPaid:\n    post:", "  orderPaid:\n    put:")],
        &["unknown-key", "unused-component"],
    ),
    case(
        "message-body",
        "#/x-webhooks/orderPaid/post",
        &[("      summary: An order is paid\n", "")],
    ),
    case(
        "message-examples",
        "#/x-webhooks/orderPaid/post/requestBody",
        &[("unpaid: {summary: Taken back", "Paid: {summary: Taken back")],
    ),
    case(
        "message-examples",
        "#/x-webhooks/orderPaid/post/requestBody",
        &[("unpaid: {summary: Taken back", "1st: {summary: Taken back")],
    ),
    case(
        "provenance-missing",
        "#/x-webhooks/orderPaid/post",
        &[(
            "Sent when the money is there.\n      x-transak-provenance: *provenance",
            "Sent when the money is there.",
        )],
    ),
    case(
        "body-example",
        "#/x-webhooks/orderPaid/post/requestBody/content/application~1json",
        &[(
            "            examples:\n              paid: {summary: Paid, value: {status: CLOSED}}\n              unpaid: {summary: Taken back, value: {status: OPEN}}\n",
            "",
        )],
    ),
];

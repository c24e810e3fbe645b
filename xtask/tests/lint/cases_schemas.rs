//! Bad edits of the schemas.

use super::{Case, case, case_also};

pub(super) const CASES: &[Case] = &[
    // Schemas in general.
    case_also(
        "schema-name",
        "#/components/schemas/user-data",
        &[
            ("    User:\n", "    user-data:\n"),
            (
                "{$ref: \"#/components/schemas/User\"}",
                "{$ref: \"#/components/schemas/user-data\"}",
            ),
        ],
        &[],
    ),
    case(
        "schema-name",
        "#/components/schemas/User",
        &[
            (
                "    User:\n",
                "    USER: {type: string, description: x, x-transak-provenance: *provenance}\n    User:\n",
            ),
            (
                "raw: {$ref: \"#/components/schemas/OpaqueJson\"}",
                "raw: {$ref: \"#/components/schemas/OpaqueJson\"}\n        again: {$ref: \"#/components/schemas/USER\"}",
            ),
        ],
    ),
    case(
        "schema-docs",
        "#/components/schemas/User",
        &[("      description: A user.\n", "")],
    ),
    case(
        "schema-type",
        "#/components/schemas/GetOrderResponse/properties/_id/type",
        &[("_id: {type: string}", "_id: {type: strng}")],
    ),
    case(
        "schema-untyped",
        "#/components/schemas/GetOrderResponse/properties/_id",
        &[("_id: {type: string}", "_id: {}")],
    ),
    case(
        "schema-untyped",
        "#/components/schemas/GetOrderResponse/properties/_id",
        &[("_id: {type: string}", "_id: {type: object}")],
    ),
    case(
        "schema-untyped",
        "#/components/schemas/GetOrderResponse/properties/_id",
        &[("_id: {type: string}", "_id: {type: array}")],
    ),
    case(
        "schema-mixed",
        "#/components/schemas/CreateOrderRequest/properties/note/minimum",
        &[("note: {type: string, minLength: 1}", "note: {type: string, minimum: 1}")],
    ),
    case(
        "schema-mixed",
        "#/components/schemas/PaidFlag/type",
        &[(
            "description: A flag, or why there is none.",
            "description: A flag, or why there is none.\n      type: boolean",
        )],
    ),
    case(
        "all-of-members",
        "#/components/schemas/CreateOrderRequest/properties/status/allOf",
        &[(
            "allOf: [{$ref: \"#/components/schemas/OrderStatus\"}]",
            "allOf: [{$ref: \"#/components/schemas/OrderStatus\"}, {type: string}]",
        )],
    ),
    case(
        "all-of-members",
        "#/components/schemas/User/properties/email/allOf",
        &[(
            "email: {type: string, x-transak-personal: true}",
            "email: {allOf: [{$ref: \"#/components/schemas/User\"}, {$ref: \"#/components/schemas/Failure\"}]}",
        )],
    ),
    case(
        "format-known",
        "#/components/schemas/GetOrderResponse/properties/_id/format",
        &[("_id: {type: string}", "_id: {type: string, format: uuid}")],
    ),
    case(
        "format-alone",
        "#/components/schemas/CreateOrderRequest/properties/note/minLength",
        &[(
            "note: {type: string, minLength: 1}",
            "note: {type: string, format: password, minLength: 1}",
        )],
    ),
    case(
        "default-type",
        "#/components/parameters/Limit/schema/default",
        &[("minimum: 1, default: 20", "minimum: 1, default: \"20\"")],
    ),
    case_also(
        "default-type",
        "#/components/schemas/CreateOrderRequest/properties/status/default",
        &[(
            "description: Where to start.",
            "description: Where to start.\n          default: OPENED",
        )],
        &["property-default"],
    ),
    case(
        "nullable-reference",
        "#/components/schemas/GetOrderResponse/properties/parents/items",
        &[(
            "items: {$ref: \"#/components/schemas/GetOrderResponse\"}",
            "items: {$ref: \"#/components/schemas/Level\"}",
        )],
    ),
    // Objects.
    case(
        "property-names",
        "#/components/schemas/GetOrderResponse/properties/created_at",
        &[(
            "        _id: {type: string}\n",
            "        _id: {type: string}\n        created_at: {type: string}\n",
        )],
    ),
    case(
        "property-names",
        "#/components/schemas/GetOrderResponse/properties/_id",
        &[(
            "        _id: {type: string}\n",
            "        _id: {type: string}\n        __id: {type: string}\n",
        )],
    ),
    case(
        "required-declared",
        "#/components/schemas/GetOrderResponse/required/1",
        &[("required: [id, total]", "required: [id, totl]")],
    ),
    case(
        "inline-object",
        "#/components/schemas/GetOrderResponse/properties/_id",
        &[(
            "_id: {type: string}",
            "_id: {type: object, properties: {a: {type: string}}}",
        )],
    ),
    case(
        "additional-properties-false",
        "#/components/schemas/User/additionalProperties",
        &[(
            "description: A user.",
            "description: A user.\n      additionalProperties: false",
        )],
    ),
    case(
        "additional-properties-mixed",
        "#/components/schemas/User/additionalProperties",
        &[(
            "description: A user.",
            "description: A user.\n      additionalProperties: true",
        )],
    ),
    case(
        "personal-type",
        "#/components/schemas/User/properties/email/x-transak-personal",
        &[(
            "email: {type: string, x-transak-personal: true}",
            "email: {type: boolean, x-transak-personal: true}",
        )],
    ),
    case(
        "opaque-shape",
        "#/components/schemas/OpaqueJson/type",
        &[(
            "      x-transak-opaque: true\n",
            "      x-transak-opaque: true\n      type: string\n",
        )],
    ),
    case_also(
        "opaque-known",
        "#/components/schemas/HintJson/anyOf",
        &[(
            "anyOf: [{$ref: '#/components/schemas/Hint'}, {$ref: '#/components/schemas/AnyHint'}]",
            "anyOf: [{$ref: '#/components/schemas/Hint'}]",
        )],
        &["unused-component"],
    ),
    case(
        "opaque-known",
        "#/components/schemas/HintJson/anyOf",
        &[(
            "anyOf: [{$ref: '#/components/schemas/Hint'}, {$ref: '#/components/schemas/AnyHint'}]",
            "anyOf: [{$ref: '#/components/schemas/AnyHint'}, {$ref: '#/components/schemas/Hint'}]",
        )],
    ),
    // Enums.
    case(
        "enum-named",
        "#/components/schemas/GetOrderResponse/properties/_id",
        &[("_id: {type: string}", "_id: {type: string, enum: [A, B]}")],
    ),
    case_also(
        "enum-type",
        "#/components/schemas/OrderStatus/pattern",
        &[("enum: [OPEN, CLOSED]", "pattern: ^[A-Z]+$\n      enum: [OPEN, CLOSED]")],
        &["response-constraints"],
    ),
    case_also(
        "enum-type",
        "#/components/schemas/OrderStatus",
        &[(
            "      type: string\n      description: State of an order.\n",
            "      description: State of an order.\n",
        )],
        &["parameter-shape"],
    ),
    case(
        "enum-values",
        "#/components/schemas/OrderStatus/enum/1",
        &[("enum: [OPEN, CLOSED]", "enum: [OPEN, 7]")],
    ),
    case(
        "enum-values",
        "#/components/schemas/OrderStatus/enum",
        &[("enum: [OPEN, CLOSED]", "enum: [OPEN, CLOSED, null]")],
    ),
    case(
        "enum-values",
        "#/components/schemas/OrderStatus/enum/2",
        &[("enum: [OPEN, CLOSED]", "enum: [OPEN, CLOSED, OPEN]")],
    ),
    case(
        "enum-value-names",
        "#/components/schemas/OrderStatus/enum/2",
        &[("enum: [OPEN, CLOSED]", "enum: [OPEN, CLOSED, open]")],
    ),
    case(
        "enum-value-names",
        "#/components/schemas/OrderStatus/enum/2",
        &[("enum: [OPEN, CLOSED]", "enum: [OPEN, CLOSED, \"\"]")],
    ),
    case(
        "enum-value-names",
        "#/components/schemas/OrderStatus/enum/2",
        &[("enum: [OPEN, CLOSED]", "enum: [OPEN, CLOSED, UNRECOGNIZED]")],
    ),
    case(
        "enum-varnames",
        "#/components/schemas/FailureCode",
        &[("      x-enum-varnames: [NotFound, Refused]\n", "")],
    ),
    case(
        "enum-varnames",
        "#/components/schemas/FailureCode/x-enum-varnames",
        &[("x-enum-varnames: [NotFound, Refused]", "x-enum-varnames: [NotFound]")],
    ),
    case(
        "enum-varnames",
        "#/components/schemas/FailureCode/x-enum-varnames/1",
        &[(
            "x-enum-varnames: [NotFound, Refused]",
            "x-enum-varnames: [NotFound, not-found]",
        )],
    ),
    case(
        "enum-descriptions",
        "#/components/schemas/FailureCode/x-enumDescriptions/1003",
        &[("1001: No such order.", "1003: No such order.")],
    ),
    // Numbers.
    case(
        "number-decimal",
        "#/components/schemas/GetOrderResponse/properties/total",
        &[("total: {type: number, format: decimal}", "total: {type: number}")],
    ),
    case(
        "decimal-bounds",
        "#/components/schemas/CreateOrderRequest/properties/size/minimum",
        &[(
            "size: {type: integer, minimum: 1}",
            "size: {type: number, format: decimal, minimum: 1}",
        )],
    ),
    case(
        "integer-format",
        "#/components/schemas/CreateOrderRequest/properties/size/format",
        &[(
            "size: {type: integer, minimum: 1}",
            "size: {type: integer, format: uint8}",
        )],
    ),
    case(
        "exclusive-bounds",
        "#/components/schemas/CreateOrderRequest/properties/size/exclusiveMinimum",
        &[(
            "size: {type: integer, minimum: 1}",
            "size: {type: integer, exclusiveMinimum: true}",
        )],
    ),
    // Unions.
    case(
        "any-of",
        "#/components/schemas/PaidFlag/anyOf",
        &[("      oneOf:\n", "      anyOf:\n")],
    ),
    case(
        "not",
        "#/components/schemas/GetOrderResponse/properties/_id/not",
        &[("_id: {type: string}", "_id: {not: {type: string}}")],
    ),
    case(
        "one-of-named",
        "#/components/schemas/GetOrderResponse/properties/_id",
        &[("_id: {type: string}", "_id: {oneOf: [{type: string}, {type: boolean}]}")],
    ),
    case(
        "one-of-variants",
        "#/components/schemas/PaidFlag/oneOf",
        &[(
            "        - type: boolean\n        - type: string\n",
            "        - type: boolean\n",
        )],
    ),
    case(
        "one-of-number",
        "#/components/schemas/PaidFlag/oneOf/0",
        &[(
            "        - type: boolean\n        - type: string\n",
            "        - {type: number, format: decimal}\n        - type: string\n",
        )],
    ),
    case(
        "one-of-number",
        "#/components/schemas/GetOrderResponse/properties/total",
        &[(
            "        - type: boolean\n        - type: string\n",
            "        - $ref: \"#/components/schemas/GetOrderResponse\"\n        - type: string\n",
        )],
    ),
    case(
        "one-of-ambiguous",
        "#/components/schemas/PaidFlag/oneOf/1",
        &[(
            "        - type: boolean\n",
            "        - $ref: \"#/components/schemas/OrderStatus\"\n",
        )],
    ),
    case(
        "one-of-ambiguous",
        "#/components/schemas/PaidFlag/oneOf/0",
        &[(
            "        - type: boolean\n",
            "        - $ref: \"#/components/schemas/OpaqueJson\"\n",
        )],
    ),
    case(
        "discriminator",
        "#/components/schemas/PaidFlag/discriminator",
        &[(
            "      oneOf:\n",
            "      discriminator: {propertyName: kind}\n      oneOf:\n",
        )],
    ),
    // Constraints.
    case(
        "response-constraints",
        "#/components/schemas/GetOrderResponse/properties/_id/minLength",
        &[("_id: {type: string}", "_id: {type: string, minLength: 24}")],
    ),
    case(
        "response-constraints",
        "#/components/schemas/GetOrderResponse/properties/parents/uniqueItems",
        &[(
            "        parents:\n          type: array\n",
            "        parents:\n          type: array\n          uniqueItems: true\n",
        )],
    ),
];

//! Bad edits of the document, its references, servers and security.

use super::{Case, case, case_also};

pub(super) const CASES: &[Case] = &[
    // The document.
    case("openapi-version", "#/openapi", &[("openapi: 3.0.3", "openapi: 3.0.9")]),
    case(
        "info-version",
        "#/info/version",
        &[("version: \"2026-11-22\"", "version: \"\"")],
    ),
    case(
        "unknown-key",
        "#/components/schemas/Failure/requird",
        &[("      required: [code]", "      requird: [code]")],
    ),
    case(
        "unknown-key",
        "#/components/schemas/User/const",
        &[("description: A user.", "description: A user.\n      const: 1")],
    ),
    case(
        "ignored-feature",
        "#/components/schemas/User/properties/token/writeOnly",
        &[(
            "token: {type: string, format: password}",
            "token: {type: string, format: password, writeOnly: true}",
        )],
    ),
    case(
        "tag-declared",
        "#/paths/~1orders/post/tags/0",
        &[("createOrder\n      tags: [Orders]", "createOrder\n      tags: [Order]")],
    ),
    case(
        "tag-declared",
        "#/paths/~1orders/post",
        &[("createOrder\n      tags: [Orders]", "createOrder")],
    ),
    // Extensions and provenance.
    case(
        "unknown-extension",
        "#/components/schemas/User/properties/email/x-transak-personnal",
        &[("x-transak-personal", "x-transak-personnal")],
    ),
    case(
        "unknown-extension",
        "#/components/schemas/User/x-transak-safety",
        &[(
            "description: A user.",
            "description: A user.\n      x-transak-safety: once",
        )],
    ),
    case(
        "extension-value",
        "#/components/schemas/User/properties/email/x-transak-personal",
        &[("x-transak-personal: true", "x-transak-personal: yes")],
    ),
    case(
        "extension-value",
        "#/components/securitySchemes/apiKey/x-transak-credential",
        &[("x-transak-credential: apiKey", "x-transak-credential: apikey")],
    ),
    case(
        "extension-value",
        "#/components/schemas/OrderStatus/x-enumDescriptions",
        &[("OPEN: Not paid.", "OPEN: 1")],
    ),
    case_also(
        "extension-value",
        "#/x-transak-servers/api/0/x-transak-environment",
        &[(
            "https://api-stg.example.com\n      x-transak-host: api\n      x-transak-environment: staging",
            "https://api-stg.example.com\n      x-transak-host: api\n      x-transak-environment: stage",
        )],
        &["server-environments"],
    ),
    case(
        "provenance-missing",
        "#/components/schemas/User",
        &[(
            "description: A user.\n      x-transak-provenance: *provenance",
            "description: A user.",
        )],
    ),
    case(
        "provenance-missing",
        "#/paths/~1orders/post",
        &[("once\n      x-transak-provenance: *provenance", "once")],
    ),
    case(
        "provenance-value",
        "#/paths/~1orders~1{orderId}/get/x-transak-provenance/confidence",
        &[("confidence: documented", "confidence: certain")],
    ),
    case(
        "provenance-value",
        "#/paths/~1orders~1{orderId}/get/x-transak-provenance/asOf",
        &[("asOf: 2026-11-22", "asOf: 2026-02-29")],
    ),
    case(
        "provenance-value",
        "#/components/schemas/User/x-transak-provenance",
        &[(
            "description: A user.\n      x-transak-provenance: *provenance",
            "description: A user.\n      x-transak-provenance: docs",
        )],
    ),
    // References.
    case_also(
        "ref-local",
        "#/components/schemas/GetOrderResponse/properties/raw",
        &[(
            "raw: {$ref: \"#/components/schemas/OpaqueJson\"}",
            "raw: {$ref: \"other.yaml#/OpaqueJson\"}",
        )],
        &["unused-component"],
    ),
    case_also(
        "ref-resolves",
        "#/components/schemas/GetOrderResponse/properties/user",
        &[(
            "user: {$ref: \"#/components/schemas/User\"}",
            "user: {$ref: \"#/components/schemas/Usr\"}",
        )],
        &["unused-component"],
    ),
    case(
        "ref-resolves",
        "#/paths/~1orders/post/responses/400",
        &[(
            "\"400\": {$ref: \"#/components/responses/NotFound\"}",
            "\"400\": {$ref: \"#/components/schemas/Failure\"}",
        )],
    ),
    case(
        "ref-siblings",
        "#/components/schemas/GetOrderResponse/properties/user/nullable",
        &[(
            "user: {$ref: \"#/components/schemas/User\"}",
            "user: {$ref: \"#/components/schemas/User\", nullable: true}",
        )],
    ),
    case(
        "ref-circle",
        "#/components/schemas/OpaqueJson",
        &[(
            "      x-transak-opaque: true\n",
            "      allOf: [{$ref: \"#/components/schemas/OpaqueJson\"}]\n",
        )],
    ),
    case(
        "path-ref",
        "#/paths/~1orders/$ref",
        &[(
            "  /orders:\n",
            "  /orders:\n    $ref: \"#/paths/~1orders~1{orderId}\"\n",
        )],
    ),
    case(
        "unused-component",
        "#/components/schemas/OpaqueJson",
        &[("        raw: {$ref: \"#/components/schemas/OpaqueJson\"}\n", "")],
    ),
    case(
        "unused-component",
        "#/components/securitySchemes/userToken",
        &[("        - apiKey: []\n          userToken: []\n", "")],
    ),
    // Servers.
    case("path-servers", "#/paths/~1orders", &[("    servers: *gateway\n", "")]),
    case(
        "path-servers",
        "#/paths/~1orders/post/servers",
        &[(
            "operationId: createOrder",
            "operationId: createOrder\n      servers: *api",
        )],
    ),
    case_also(
        "server-extensions",
        "#/servers/0",
        &[(
            "servers: *api\n\ntags",
            "servers: [{url: https://x.example.com}]\n\ntags",
        )],
        &["server-environments"],
    ),
    case(
        "server-environments",
        "#/servers",
        &[(
            "servers: *api\n\ntags",
            "servers: [{url: https://api.example.com, x-transak-host: api, x-transak-environment: production}]\n\ntags",
        )],
    ),
    case(
        "server-consistent",
        "#/servers/0/url",
        &[(
            "servers: *api\n\ntags",
            "servers:\n  - {url: https://a.example.com, x-transak-host: api, x-transak-environment: staging}\n  - {url: https://api.example.com, x-transak-host: api, x-transak-environment: production}\n\ntags",
        )],
    ),
    case(
        "server-url",
        "#/x-transak-servers/api/1/url",
        &[("https://api.example.com", "https://api.example.com/v2")],
    ),
    case(
        "server-url",
        "#/x-transak-servers/api/1/url",
        &[("https://api.example.com", "https://api.example.com/")],
    ),
    case(
        "server-url",
        "#/x-transak-servers/api/1/url",
        &[("https://api.example.com", "http://api.example.com")],
    ),
    // Security.
    case(
        "security-missing",
        "#/paths/~1orders/post",
        &[("      security: []\n", "")],
    ),
    case(
        "security-declared",
        "#/paths/~1orders/post/security/0/apiToken",
        &[("security: []", "security: [{apiToken: []}]")],
    ),
    case(
        "security-alternatives",
        "#/paths/~1orders/post/security/1",
        &[("security: []", "security: [{apiKey: []}, {apiKey: []}]")],
    ),
    case(
        "security-alternatives",
        "#/paths/~1orders~1{orderId}/get/security/0",
        &[("name: authorization", "name: x-api-key")],
    ),
    case(
        "security-scheme",
        "#/components/securitySchemes/apiKey",
        &[("in: header\n      name: x-api-key", "in: query\n      name: x-api-key")],
    ),
    case(
        "security-scheme",
        "#/components/securitySchemes/userToken",
        &[(
            "name: authorization\n      x-transak-credential: userToken",
            "name: authorization",
        )],
    ),
    case(
        "credential-parameter",
        "#/components/parameters/Limit",
        &[("name: limit\n      in: query", "name: X-Api-Key\n      in: header")],
    ),
];

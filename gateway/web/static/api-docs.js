// Shows the OpenAPI document with the viewer served beside it; no validator of another host.
SwaggerUIBundle({ url: "/api/openapi.json", dom_id: "#api-docs", validatorUrl: null, deepLinking: true });

// Package openapi holds package httpapi and its OpenAPI document to each
// other, with a validator that is not ours: every exchange of the table in
// internal/httpexchanges, and random requests.
package openapi

// Package openapi compares package httpapi with its OpenAPI document, by a third-party
// validator. It validates every exchange of internal/httpexchanges, and random requests.
package openapi

// Package telemetry records metrics of the stores and of package httpapi with
// OpenTelemetry, by its conventions for HTTP. It is an example to copy.
//
//	meter := otel.Meter("example.com/backend")
//	observeStore, err := telemetry.Store(meter)
//	if err != nil { … }
//	s, err := dynamostore.New(client, table, dynamostore.Options{Observe: observeStore})
//
// Attributes contain no user, device or token. Their values are from small fixed sets.
package telemetry

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/store"
)

// Store returns an observer for the Options of dynamostore and sqlstore. By
// operation and outcome it records the duration of each call in seconds, the
// capacity units that DynamoDB reports, and the rows that cannot be decoded.
func Store(meter metric.Meter) (func(store.Event), error) {
	duration, err1 := meter.Float64Histogram("devicetokens.store.duration",
		metric.WithUnit("s"), metric.WithDescription("Duration of a call of the store"))
	units, err2 := meter.Float64Counter("devicetokens.store.capacity",
		metric.WithUnit("{unit}"), metric.WithDescription("Capacity units that DynamoDB reported"))
	corrupt, err3 := meter.Int64Counter("devicetokens.store.corrupt_rows",
		metric.WithUnit("{row}"), metric.WithDescription("Rows that cannot be decoded"))
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	read, write := attribute.String("kind", "read"), attribute.String("kind", "write")
	return func(e store.Event) {
		ctx := context.Background() // the context of the request may be done
		operation := attribute.String("operation", string(e.Operation))
		outcome := attribute.String("outcome", string(e.Outcome))
		duration.Record(ctx, e.Duration.Seconds(), metric.WithAttributes(operation, outcome))
		units.Add(ctx, e.ReadUnits, metric.WithAttributes(operation, read))
		units.Add(ctx, e.WriteUnits, metric.WithAttributes(operation, write))
		if n := len(e.Corrupt); n > 0 {
			corrupt.Add(ctx, int64(n), metric.WithAttributes(operation))
		}
	}, nil
}

// Handler returns an observer for httpapi.Options. It records the duration of each
// request in seconds by OpenTelemetry's HTTP conventions, with the outcome as an
// additional attribute, and the number of tokens that moved between users.
func Handler(meter metric.Meter) (func(httpapi.Event), error) {
	duration, err1 := meter.Float64Histogram("http.server.request.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of HTTP server requests"),
		metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10))
	moved, err2 := meter.Int64Counter("devicetokens.moved",
		metric.WithUnit("{registration}"), metric.WithDescription("Registrations that took a token from another user"))
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	return func(e httpapi.Event) {
		ctx := context.Background()
		duration.Record(ctx, e.Duration.Seconds(), metric.WithAttributes(
			attribute.String("http.request.method", e.Method),
			attribute.String("http.route", e.Route),
			attribute.Int("http.response.status_code", e.Status),
			attribute.String("outcome", string(e.Outcome))))
		if e.Moved {
			moved.Add(ctx, 1)
		}
	}, nil
}
